"""What a quantity costs: the pricing types of api.md, computed exactly; nothing is rounded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, field_validator

from checkout.fields import Size, Strict, UnitAmount
from checkout.money import EXPONENTS, Currency

MOST_TIERS: Final = 100
MOST_SHOWN: Final = 5
"""Slices that are told one by one."""

ZERO: Final = Decimal(0)

EXACT: Final = Context(prec=200, traps=[Inexact, InvalidOperation])
"""Decimal arithmetic that raises rather than rounds; far wider than any product of what bodies can hold."""


class FlatFee(Strict):
    """One amount, whatever the quantity."""

    pricing_type: Literal["flat_fee"]
    currency: Currency
    unit_amount: UnitAmount


class PerUnit(Strict):
    """The same amount for each unit."""

    pricing_type: Literal["per_unit"]
    currency: Currency
    unit_amount: UnitAmount


class Package(Strict):
    """One amount for each package of *package_size* that is begun."""

    pricing_type: Literal["package"]
    currency: Currency
    package_size: Size
    unit_amount: UnitAmount


class Tier(Strict):
    """The prices up to the quantity *up_to*, itself included; null is without end."""

    up_to: Size | None
    unit_amount: UnitAmount = ZERO
    flat_fee: UnitAmount = ZERO


class _Tiers(Strict):
    currency: Currency
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=MOST_TIERS)]

    @field_validator("tiers")
    @classmethod
    def _rising_to_an_open_end(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        ends = [tier.up_to for tier in tiers]
        closed = [end for end in ends[:-1] if end is not None]
        if ends[-1] is not None or len(closed) != len(ends) - 1:
            raise ValueError("must end open: up_to is null in the last tier, and only there")
        if any(after <= before for before, after in pairwise(closed)):
            raise ValueError("must rise: each up_to is greater than the one before")
        return tiers


class Tiered(_Tiers):
    """Each slice of the quantity at its own tier's price, and the flat fee of every tier used."""

    pricing_type: Literal["tiered"]


class Volume(_Tiers):
    """The whole quantity at the reached tier's price, and that tier's flat fee."""

    pricing_type: Literal["volume"]


class Step(_Tiers):
    """The reached tier's amounts, once, whatever the quantity within it."""

    pricing_type: Literal["step"]


PricingData = Annotated[FlatFee | PerUnit | Tiered | Volume | Step | Package, Field(discriminator="pricing_type")]


class Price(NamedTuple):
    """An exact price in major units, and how it came about, for people: *quantity* times *unit_price* (None where
    several prices apply), in words *how*.
    """

    amount: Decimal
    quantity: str
    unit_price: str | None
    how: str


def price_of(data: PricingData, quantity: Decimal) -> Price:
    """What *quantity* costs for a full period. A quantity of zero costs nothing, save a flat fee."""
    with localcontext(EXACT):
        return _PRICES[type(data)](data, quantity)


def shown(amount: Decimal, currency: str) -> str:
    """*amount* in plain digits, with at least the currency's decimals: "12.00", "0.0004"."""
    whole, _, fraction = f"{amount:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(EXPONENTS[currency], "0")
    return f"{whole}.{fraction}" if fraction else whole


def plain(quantity: Decimal) -> str:
    """*quantity* in plain digits, without zeros at the end: "10", "2.5"."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _flat_fee(data: FlatFee, _: Decimal) -> Price:
    return Price(data.unit_amount, "1", shown(data.unit_amount, data.currency), "Flat fee")


def _per_unit(data: PerUnit, quantity: Decimal) -> Price:
    unit = shown(data.unit_amount, data.currency)
    return Price(data.unit_amount * quantity, plain(quantity), unit, f"{plain(quantity)} at {unit}")


def _package(data: Package, quantity: Decimal) -> Price:
    full, rest = divmod(quantity, data.package_size)
    packages = int(full) + bool(rest)
    unit = shown(data.unit_amount, data.currency)
    how = f"{packages} {'package' if packages == 1 else 'packages'} of {plain(data.package_size)} at {unit}"
    return Price(data.unit_amount * packages, plain(quantity), unit, how)


def _tiered(data: Tiered, quantity: Decimal) -> Price:
    slices = list(_slices(data.tiers, quantity))
    amount = sum((tier.unit_amount * size + tier.flat_fee for tier, size in slices), ZERO)
    how = " + ".join(_words(tier, size, data.currency) for tier, size in slices) or "0"
    if len(slices) > MOST_SHOWN:
        how = f"{plain(quantity)} over {len(slices)} tiers"
    unit = shown(slices[0][0].unit_amount, data.currency) if len(slices) == 1 else None
    return Price(amount, plain(quantity), unit, how)


def _volume(data: Volume, quantity: Decimal) -> Price:
    tier = _reached(data.tiers, quantity)
    amount = tier.unit_amount * quantity + tier.flat_fee if quantity else ZERO
    unit = shown(tier.unit_amount, data.currency)
    return Price(amount, plain(quantity), unit, _words(tier, quantity, data.currency) if quantity else "0")


def _step(data: Step, quantity: Decimal) -> Price:
    tier = _reached(data.tiers, quantity)
    amount = tier.unit_amount + tier.flat_fee
    reach = "all further" if tier.up_to is None else f"up to {plain(tier.up_to)}"
    how = f"{plain(quantity)}, step {reach}: {shown(amount, data.currency)}"
    return Price(amount if quantity else ZERO, plain(quantity), shown(amount, data.currency), how)


def _slices(tiers: tuple[Tier, ...], quantity: Decimal) -> Iterator[tuple[Tier, Decimal]]:
    """The tiers that *quantity* uses, each with its part of it."""
    start = ZERO
    for tier in tiers:
        if quantity <= start:
            return
        end = quantity if tier.up_to is None else min(quantity, tier.up_to)
        yield tier, end - start
        start = end


def _reached(tiers: tuple[Tier, ...], quantity: Decimal) -> Tier:
    return next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)


def _words(tier: Tier, size: Decimal, currency: str) -> str:
    fee = f" and {shown(tier.flat_fee, currency)}" if tier.flat_fee else ""
    return f"{plain(size)} at {shown(tier.unit_amount, currency)}{fee}"


_PRICES: Final[Mapping[type, Callable[[Any, Decimal], Price]]] = {
    FlatFee: _flat_fee,
    PerUnit: _per_unit,
    Package: _package,
    Tiered: _tiered,
    Volume: _volume,
    Step: _step,
}
