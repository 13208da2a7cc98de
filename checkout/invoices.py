"""From a contract to its bills: which lines fall due together, and what each comes to in minor units.

A line is rounded once, half up, after its share of days and its discounts (api.md, Pricing); tax is reckoned on that
rounded amount, so that everybody can check it on the invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from checkout.billing import Part, parts, span
from checkout.catalogue import Discount, Item, Tax
from checkout.contract import Contract, Phase
from checkout.fields import ContractProblem
from checkout.money import EXPONENTS, LARGEST_MINOR, Money
from checkout.pricing import price_of
from checkout.terms import split

MOST_INVOICES: Final = 25
"""The current invoice and the 24 after it."""

ALL: Final = Fraction(1)


@dataclass(frozen=True, slots=True, eq=False)
class Article:
    """An item of a phase with its price for a full period, exact and in minor units: *gross*, and *net* of discounts
    in percent and of the product's own.
    """

    loc: tuple[str | int, ...]
    item: Item
    quantity: str
    unit_price: str | None
    how: str
    gross: Fraction
    net: Fraction


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
    """The entries of a phase that are invoiced on *day*."""

    day: date
    phase: int
    entries: list[Entry]


def bills(contract: Contract) -> list[Bill]:
    """The first bills of *contract* in order of their days, at most MOST_INVOICES. An invoice's day lies within the
    phase that it is for: prepaid on the first day of the period, postpaid on its last.
    """
    found: dict[date, Bill] = {}
    for index, phase in enumerate(contract.phases):
        if phase.phase_type == "trial":
            continue
        calendar = _Calendar(contract.billing_anchor, phase)
        for article in _articles(phase, index, contract.currency):
            for day, part in calendar.of(article.item):
                found.setdefault(day, Bill(day, index, [])).entries.append(Entry(article, part))
    return [found[day] for day in sorted(found)[:MOST_INVOICES]]


def charges(entries: Sequence[Entry], phase: Phase, currency: str) -> list[Charge]:
    """What each of *entries* comes to. Raises ContractProblem where an amount is too large."""
    shares = [Fraction(entry.part.days, entry.part.full) for entry in entries]
    amounts = [half_up(entry.article.gross * share) for entry, share in zip(entries, shares, strict=True)]
    for entry, amount in zip(entries, amounts, strict=True):
        if amount >= LARGEST_MINOR:
            raise too_large((*entry.article.loc, "quantity"), "quantity x price", currency)
    exact = [entry.article.net * share for entry, share in zip(entries, shares, strict=True)]
    nets = [half_up(net) for net in exact]
    off = _off_the_invoice(phase.discount, entries, exact, currency)
    if off:
        nets = [net - part for net, part in zip(nets, split(min(off, sum(nets)), nets), strict=True)]
    return [_taxed(amount, net, phase.tax) for amount, net in zip(amounts, nets, strict=True)]


def half_up(amount: Fraction) -> int:
    """The nearest integer to *amount* (which is not negative), halves upwards."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def too_large(loc: tuple[str | int, ...], what: str, currency: str) -> ContractProblem:
    limit = Money(minor=LARGEST_MINOR, currency=currency)
    return ContractProblem(loc, f"is too large: {what} must stay below {limit}")


class _Calendar:
    """When the items of a phase are invoiced: items of the same billing period share their days."""

    def __init__(self, anchor: date, phase: Phase) -> None:
        self._anchor = anchor
        self._phase = phase
        self._known: dict[tuple[str, str], list[tuple[date, Part]]] = {}

    def of(self, item: Item) -> list[tuple[date, Part]]:
        """Invoice days of *item*, each with what it is for; a price that does not recur is due when the phase begins."""
        first, period = self._phase.start_date, item.pricing.billing_period
        if not item.pricing.is_recurring or period is None:
            return [(first, Part(first, first, 1, 1))]
        key = (period.cadence, period.offset)
        if key not in self._known:
            found = parts(self._anchor, span(period.cadence), first, self._phase.end_date, MOST_INVOICES)
            self._known[key] = [(part.start if period.offset == "prepaid" else part.end, part) for part in found]
        return self._known[key]


def _articles(phase: Phase, index: int, currency: str) -> list[Article]:
    scale = 10 ** EXPONENTS[currency]
    found: list[Article] = []
    for number, item in enumerate(phase.pricings):
        price = price_of(item.pricing.pricing_data, item.quantity.quantity)
        gross = price.amount * scale
        net = _percent_off(
            max(_percent_off(gross, item.discount) - _amount_off(item.discount, scale), 0 * ALL), phase.discount
        )
        loc = ("phases", index, "pricings", number)
        found.append(Article(loc, item, price.quantity, price.unit_price, price.how, gross, net))
    return found


def _percent_off(amount: Fraction, discount: Discount | None) -> Fraction:
    if discount is None or discount.percent is None:
        return amount
    return amount * (ALL - Fraction(discount.percent) / 100)


def _amount_off(discount: Discount | None, scale: int) -> Fraction:
    return Fraction(discount.amount) * scale if discount and discount.amount is not None else Fraction()


def _off_the_invoice(
    discount: Discount | None, entries: Sequence[Entry], exact: Sequence[Fraction], currency: str
) -> int:
    """A phase's discount in an amount, off each of its invoices; off a partial period in proportion."""
    full = sum((entry.article.net for entry in entries), Fraction())
    amount = _amount_off(discount, 10 ** EXPONENTS[currency])
    return half_up(amount * sum(exact, Fraction()) / full) if amount and full else 0


def _taxed(amount: int, net: int, tax: Tax | None) -> Charge:
    percent = Fraction(tax.percent) if tax else Fraction()
    if tax and tax.inclusive:
        return Charge(amount, amount - net, half_up(net * percent / (100 + percent)), net)
    due = half_up(net * percent / 100)
    return Charge(amount, amount - net, due, net + due)
