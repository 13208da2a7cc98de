"""Estimates: the invoices a contract comes to, the amount due now, and when it is due."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from checkout.contract import Billing, Contract, placed
from checkout.fields import Kept
from checkout.invoices import Article, Bill, Charge, Entry, Rhythm, articles, bills, charges, too_large
from checkout.money import LARGEST_MINOR, Money, in_major_units
from checkout.terms import Due, Loc, PaymentTerms, due_date, schedule


class Period(Kept):
    """Days, both included."""

    start: date
    end: date


class LineItem(Kept):
    """A line of an invoice: *amount* less *discount*, and *tax* on top or, inclusive, within, make *total*.

    All are decimal strings in major units of *currency*. *unit_price* is null where several prices apply.
    """

    id: str
    name: str
    quantity: str
    unit_price: str | None
    amount: str
    discount: str
    tax: str
    total: str
    currency: str
    description: str
    period: Period


class Invoice(Kept):
    """An invoice that has not been made: *subtotal*, *discount*, *tax* and *total* are the sums of its lines'.

    *customer* is filled in when it is shown.
    """

    invoice_number: str
    status: Literal["estimated"] = "estimated"
    customer: dict[str, Any] | None = None
    currency: str
    invoice_date: date
    period: Period
    line_items: tuple[LineItem, ...]
    subtotal: str
    discount: str
    tax: str
    total: str
    due_date: date


class DuePart(Kept):
    """A part of the amount due: *amount* is a decimal string in major units; *n* counts from 1."""

    amount: str
    currency: str
    n: int
    due_on: date


class Estimates(Kept):
    """What a contract comes to (api.md, Estimates). *estimation_id* is a hash of the contract and its invoices."""

    estimation_id: str
    current_invoice: Invoice
    future_invoices: tuple[Invoice, ...]
    amount_due: str
    payment_schedule: tuple[DuePart, ...] = ()
    credit_notes: tuple[dict[str, Any], ...] = ()


class Priced(Kept):
    """A contract and what it comes to."""

    contract: Contract
    estimates: Estimates

    @property
    def amount_due(self) -> Money:
        """The total of the current invoice."""
        return Money.of(self.estimates.amount_due, self.contract.currency)

    @property
    def schedule(self) -> tuple[Due, ...]:
        """In which parts the amount due is to be paid, and when, by days of the organisation; none where it is zero."""
        return tuple(Due(n=part.n, due_on=part.due_on, amount=_money(part)) for part in self.estimates.payment_schedule)


def price(contract: Contract) -> Priced:
    """Estimate *contract*: its first invoice, however late that is, is what a checkout collects.

    Raises ContractProblem where an amount is too large or instalments do not add up.
    """
    with placed(contract):
        return _priced(contract)


def _priced(contract: Contract) -> Priced:
    sold = articles(contract)
    found = bills(contract, sold) or [Bill(contract.start_date, 0, {})]
    desk = _Desk(contract, sold)
    invoices = [desk.invoice(n, bill) for n, bill in enumerate(found, start=1)]
    terms, loc = _terms(contract, found[0].phase)
    due = schedule(terms, found[0].day, Money.of(invoices[0]["total"], contract.currency), loc)
    if due:
        invoices[0]["due_date"] = due[-1].due_on
    calendar = tuple(Billing(invoice_date=i["invoice_date"], **dict(i["period"])) for i in invoices)
    contract = contract.model_copy(update={"billing_calendar": calendar})
    estimates = Estimates.model_validate(
        {
            "estimation_id": "",
            "current_invoice": invoices[0],
            "future_invoices": invoices[1:],
            "amount_due": invoices[0]["total"],
            "payment_schedule": [{**_amount(part.amount), "n": part.n, "due_on": part.due_on} for part in due],
        }
    )
    hashed = estimates.model_copy(update={"estimation_id": _hash(contract, estimates)})
    return Priced(contract=contract, estimates=hashed)


class _Sheet(NamedTuple):
    """The lines of an invoice without what changes from one to the next, and its sums."""

    lines: list[tuple[Rhythm, dict[str, Any]]]
    sums: dict[str, str]


class _Desk:
    """Writes the invoices of one contract. Those that differ in their days only are reckoned once."""

    def __init__(self, contract: Contract, sold: Sequence[Sequence[Article]]) -> None:
        self._contract = contract
        self._currency = contract.currency
        self._sold = sold
        self._reckoned: dict[Hashable, _Sheet] = {}

    def invoice(self, n: int, bill: Bill) -> dict[str, Any]:
        """The members of an Invoice, the *n*-th."""
        sheet = self._sheet(bill)
        number = f"EST-{n:04}"
        periods = {rhythm: Period(start=part.start, end=part.end) for rhythm, part in bill.parts.items()}
        return {
            "invoice_number": number,
            "currency": self._currency,
            "invoice_date": bill.day,
            "period": Period(
                start=min((part.start for part in bill.parts.values()), default=bill.day),
                end=max((part.end for part in bill.parts.values()), default=bill.day),
            ),
            "line_items": [
                {**line, "id": f"{number}/{index}", "period": periods[rhythm]}
                for index, (rhythm, line) in enumerate(sheet.lines, start=1)
            ],
            **sheet.sums,
            "due_date": due_date(_terms(self._contract, bill.phase)[0], bill.day),
        }

    def _sheet(self, bill: Bill) -> _Sheet:
        shares = ((rhythm, Fraction(part.days, part.full)) for rhythm, part in bill.parts.items())
        key = (bill.phase, frozenset(shares))
        if key not in self._reckoned:
            self._reckoned[key] = self._reckon(bill)
        return self._reckoned[key]

    def _reckon(self, bill: Bill) -> _Sheet:
        sold = self._sold[bill.phase] if bill.parts else []
        entries = [Entry(article, bill.parts[article.rhythm]) for article in sold if article.rhythm in bill.parts]
        found = charges(entries, self._contract.phases[bill.phase], self._currency)
        sums = [sum(column) for column in zip(*found, strict=True)] or [0] * 4
        if max(sums) >= LARGEST_MINOR:
            raise too_large(("phases", bill.phase), "an invoice", self._currency)
        lines = [
            (entry.article.rhythm, self._line(entry, charge)) for entry, charge in zip(entries, found, strict=True)
        ]
        return _Sheet(lines, dict(zip(("subtotal", "discount", "tax", "total"), map(self._text, sums), strict=True)))

    def _line(self, entry: Entry, charge: Charge) -> dict[str, Any]:
        """The members of a LineItem, save those that change from invoice to invoice."""
        article, part = entry
        share = "" if part.whole else f"; {part.days} of {part.full} days"
        return {
            "name": article.name,
            "quantity": article.quantity,
            "unit_price": article.unit_price,
            **{name: self._text(minor) for name, minor in charge._asdict().items()},
            "currency": self._currency,
            "description": f"{article.how}{share}",
        }

    def _text(self, minor: int) -> str:
        return in_major_units(minor, self._currency)


def _terms(contract: Contract, phase: int) -> tuple[PaymentTerms | None, Loc]:
    """The payment terms of a phase, else those of the contract, and where they stand."""
    own = contract.phases[phase].payment_terms
    return (own, ("phases", phase, "payment_terms")) if own else (contract.payment_terms, ("payment_terms",))


def _hash(contract: Contract, estimates: Estimates) -> str:
    """Of everything but the lines of future invoices, whose days and sums are in it: they follow from the contract."""
    result = estimates.model_dump_json(exclude={"future_invoices": {"__all__": {"line_items"}}})
    return hashlib.sha256(f"{contract.model_dump_json()}\n{result}".encode()).hexdigest()


def _amount(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}


def _money(part: DuePart) -> Money:
    return Money.of(part.amount, part.currency)
