"""From a contract to its bills: which lines fall due together, and what each comes to in minor units.

A line is rounded once, half up, after its share of days and its discounts (api.md, Pricing); tax is reckoned on that
rounded amount, so that everybody can check it on the invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final, NamedTuple

from checkout.billing import Part, parts, span
from checkout.catalogue import Item
from checkout.contract import Contract
from checkout.discounts import Discount, Tax
from checkout.fields import ContractProblem
from checkout.money import EXPONENTS, LARGEST_MINOR, Money
from checkout.phases import Phase
from checkout.pricing import EXACT, ZERO, price_of
from checkout.terms import split

MOST_INVOICES: Final = 25
"""The current invoice and the 24 after it."""


Rhythm = tuple[str, str] | None
"""What a price is invoiced by: cadence and offset, None where it does not recur. Prices of a phase with the same ones
are invoiced on the same days.
"""


@dataclass(frozen=True, slots=True)
class Article:
    """An item of a phase with its price for a full period, exact and in minor units: *gross*, and *net* of discounts
    in percent and of the product's own.
    """

    loc: tuple[str | int, ...]
    name: str
    rhythm: Rhythm
    quantity: str
    unit_price: str | None
    how: str
    gross: Decimal
    net: Decimal


class Entry(NamedTuple):
    """An article on an invoice, for a part of a billing period."""

    article: Article
    part: Part


class Charge(NamedTuple):
    """What an entry comes to, in minor units: *amount* less *discount*, and *tax* on top of it or within it."""

    amount: int
    discount: int
    tax: int
    total: int


class Bill(NamedTuple):
    """What is invoiced on *day*: of the phase with the index *phase*, each rhythm's part of a period."""

    day: date
    phase: int
    parts: dict[Rhythm, Part]


def articles(contract: Contract) -> list[list[Article]]:
    """What each phase of *contract* sells; a trial phase sells nothing."""
    with localcontext(EXACT):
        return [
            _articles(phase, index, contract.currency) if phase.phase_type == "active" else []
            for index, phase in enumerate(contract.phases)
        ]


def bills(contract: Contract, sold: Sequence[Sequence[Article]]) -> list[Bill]:
    """The first bills for what is *sold*, in order of their days, at most MOST_INVOICES.

    An invoice's day lies within the phase that it is for: the first day of a prepaid period, the last of a postpaid one.
    """
    found: dict[date, Bill] = {}
    for index, phase in enumerate(contract.phases):
        for rhythm in dict.fromkeys(article.rhythm for article in sold[index]):
            for day, part in _calendar(contract.billing_anchor, phase, rhythm):
                found.setdefault(day, Bill(day, index, {})).parts[rhythm] = part
    return [found[day] for day in sorted(found)[:MOST_INVOICES]]


def charges(entries: Sequence[Entry], phase: Phase, currency: str) -> list[Charge]:
    """What each of *entries* comes to. Raises ContractProblem where an amount is too large."""
    amounts = [_rounded(article.gross, part) for article, part in entries]
    for entry, amount in zip(entries, amounts, strict=True):
        if amount >= LARGEST_MINOR:
            raise too_large((*entry.article.loc, "quantity"), "quantity x price", currency)
    nets = [_rounded(article.net, part) for article, part in entries]
    if phase.discount and phase.discount.amount:
        off = _off_the_invoice(phase.discount.amount, entries, currency)
        nets = [net - part for net, part in zip(nets, split(min(off, sum(nets)), nets), strict=True)]
    return [_taxed(amount, net, phase.tax) for amount, net in zip(amounts, nets, strict=True)]


def _rounded(amount: Decimal, part: Part) -> int:
    """The share of *amount* that falls to *part* of its period, rounded."""
    numerator, denominator = amount.as_integer_ratio()
    return half_up(numerator * part.days, denominator * part.full)


def half_up(numerator: int, denominator: int) -> int:
    """The nearest integer to a fraction that is not negative, halves upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def too_large(loc: tuple[str | int, ...], what: str, currency: str) -> ContractProblem:
    limit = Money(minor=LARGEST_MINOR, currency=currency)
    return ContractProblem(loc, f"is too large: {what} must stay below {limit}")


def _calendar(anchor: date, phase: Phase, rhythm: Rhythm) -> list[tuple[date, Part]]:
    """The invoice days of a rhythm in *phase*, each with what it is for; what does not recur is due when it begins."""
    if rhythm is None:
        return [(phase.start_date, Part(phase.start_date, phase.start_date, 1, 1))]
    cadence, offset = rhythm
    found = parts(anchor, span(cadence), phase.start_date, phase.end_date, MOST_INVOICES)
    return [(part.start if offset == "prepaid" else part.end, part) for part in found]


def _articles(phase: Phase, index: int, currency: str) -> list[Article]:
    scale = 10 ** EXPONENTS[currency]
    return [
        _article(item, phase.discount, ("phases", index, "pricings", n), scale) for n, item in enumerate(phase.pricings)
    ]


def _article(item: Item, of_the_phase: Discount | None, loc: tuple[str | int, ...], scale: Decimal) -> Article:
    pricing, period = item.pricing, item.pricing.billing_period
    price = price_of(pricing.pricing_data, item.quantity.quantity)
    gross = net = price.amount * scale
    if item.discount and item.discount.amount is not None:
        net = max(net - item.discount.amount * scale, ZERO)
    for discount in (item.discount, of_the_phase):
        if discount and discount.percent is not None:
            net = (net * (100 - discount.percent)).scaleb(-2)
    rhythm = (period.cadence, period.offset) if pricing.is_recurring and period else None
    return Article(loc, item.product.name, rhythm, price.quantity, price.unit_price, price.how, gross, net)


def _off_the_invoice(amount: Decimal, entries: Sequence[Entry], currency: str) -> int:
    """A phase's discount of *amount* off each of its invoices, off partial periods in proportion, in minor units."""
    nets: dict[Part, Fraction] = {}
    for part in {part for _, part in entries}:
        with localcontext(EXACT):
            nets[part] = Fraction(sum(article.net for article, own in entries if own == part))
    full = sum(nets.values())
    exact = sum(net * Fraction(part.days, part.full) for part, net in nets.items())
    off = Fraction(amount) * 10 ** EXPONENTS[currency] * exact / full if full else Fraction()
    return half_up(off.numerator, off.denominator)


def _taxed(amount: int, net: int, tax: Tax | None) -> Charge:
    """*net* with its tax; tax that is included is contained in it."""
    if tax is None:
        return Charge(amount, amount - net, 0, net)
    percent, unit = tax.percent.as_integer_ratio()
    if tax.inclusive:
        return Charge(amount, amount - net, half_up(net * percent, 100 * unit + percent), net)
    due = half_up(net * percent, 100 * unit)
    return Charge(amount, amount - net, due, net + due)
