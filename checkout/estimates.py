"""Estimates: the invoices a contract comes to, the amount due now, and when it is due."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from checkout.contract import Billing, Contract
from checkout.fields import Kept
from checkout.invoices import Bill, Charge, Entry, bills, charges, too_large
from checkout.money import EXPONENTS, LARGEST_MINOR, Money
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


class AmountDue(Kept):
    """*amount* is a decimal string in major units."""

    amount: str
    currency: str


class DuePart(AmountDue):
    """A part of the amount due; *n* counts from 1."""

    n: int
    due_on: date


class Estimates(Kept):
    """What a contract comes to (api.md, Estimates). *estimation_id* is a hash of the contract and all the rest here."""

    estimation_id: str
    current_invoice: Invoice
    future_invoices: tuple[Invoice, ...]
    amount_due: AmountDue
    payment_schedule: tuple[DuePart, ...] = ()
    credit_notes: tuple[dict[str, Any], ...] = ()


class Priced(Kept):
    """A contract and what it comes to."""

    contract: Contract
    estimates: Estimates

    @property
    def amount_due(self) -> Money:
        """The total of the current invoice."""
        return _money(self.estimates.amount_due)

    @property
    def schedule(self) -> tuple[Due, ...]:
        """In which parts the amount due is to be paid, and when, by days of the organisation; none where it is zero."""
        return tuple(Due(n=part.n, due_on=part.due_on, amount=_money(part)) for part in self.estimates.payment_schedule)


def price(contract: Contract) -> Priced:
    """Estimate *contract*: its first invoice, however late that is, is what a checkout collects.

    Raises ContractProblem where an amount is too large or instalments do not add up.
    """
    found = bills(contract) or [Bill(contract.start_date, 0, [])]
    desk = _Desk(contract)
    totals = [desk.total(bill) for bill in found]
    terms, loc = _terms(contract, found[0].phase)
    due = schedule(terms, found[0].day, Money(minor=totals[0], currency=contract.currency), loc)
    invoices = [desk.invoice(n, bill) for n, bill in enumerate(found, start=1)]
    if due:
        invoices[0]["due_date"] = due[-1].due_on
    calendar = tuple(Billing(invoice_date=i["invoice_date"], **i["period"]) for i in invoices)
    contract = contract.model_copy(update={"billing_calendar": calendar})
    estimates = Estimates.model_validate(
        {
            "estimation_id": "",
            "current_invoice": invoices[0],
            "future_invoices": invoices[1:],
            "amount_due": {"amount": invoices[0]["total"], "currency": contract.currency},
            "payment_schedule": [{**_amount(part.amount), "n": part.n, "due_on": part.due_on} for part in due],
        }
    )
    return Priced(
        contract=contract, estimates=estimates.model_copy(update={"estimation_id": _hash(contract, estimates)})
    )


class _Desk:
    """Writes the invoices of one contract. Bills of the same composition are reckoned once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._currency = contract.currency
        self._exponent = EXPONENTS[contract.currency]
        self._reckoned: dict[tuple[tuple[int, int, int], ...], tuple[list[dict[str, Any]], list[Charge]]] = {}

    def total(self, bill: Bill) -> int:
        return sum(charge.total for charge in self._lines(bill)[1])

    def invoice(self, n: int, bill: Bill) -> dict[str, Any]:
        """The members of an Invoice, the *n*-th."""
        lines, found = self._lines(bill)
        number = f"EST-{n:04}"
        periods = {part: {"start": part.start, "end": part.end} for part in {entry.part for entry in bill.entries}}
        return {
            "invoice_number": number,
            "currency": self._currency,
            "invoice_date": bill.day,
            "period": {
                "start": min((part.start for part in periods), default=bill.day),
                "end": max((part.end for part in periods), default=bill.day),
            },
            "line_items": [
                {**line, "id": f"{number}/{index}", "period": periods[entry.part]}
                for index, (line, entry) in enumerate(zip(lines, bill.entries, strict=True), start=1)
            ],
            "subtotal": self._text(sum(charge.amount for charge in found)),
            "discount": self._text(sum(charge.discount for charge in found)),
            "tax": self._text(sum(charge.tax for charge in found)),
            "total": self._text(sum(charge.total for charge in found)),
            "due_date": due_date(_terms(self._contract, bill.phase)[0], bill.day),
        }

    def _lines(self, bill: Bill) -> tuple[list[dict[str, Any]], list[Charge]]:
        key = tuple(
            (id(article), 1, 1) if part.days == part.full else (id(article), part.days, part.full)
            for article, part in bill.entries
        )
        if key not in self._reckoned:
            found = charges(bill.entries, self._contract.phases[bill.phase], self._currency)
            if sum(charge.total for charge in found) >= LARGEST_MINOR:
                raise too_large(("phases", bill.phase), "an invoice", self._currency)
            lines = [self._line(entry, charge) for entry, charge in zip(bill.entries, found, strict=True)]
            self._reckoned[key] = lines, found
        return self._reckoned[key]

    def _line(self, entry: Entry, charge: Charge) -> dict[str, Any]:
        """The members of a LineItem that do not change from invoice to invoice."""
        article, part = entry
        share = "" if part.days == part.full else f"; {part.days} of {part.full} days"
        return {
            "name": article.item.product.name,
            "quantity": article.quantity,
            "unit_price": article.unit_price,
            "amount": self._text(charge.amount),
            "discount": self._text(charge.discount),
            "tax": self._text(charge.tax),
            "total": self._text(charge.total),
            "currency": self._currency,
            "description": f"{article.how}{share}",
        }

    def _text(self, minor: int) -> str:
        """The same as Money.amount, without a Money."""
        return f"{Decimal(minor).scaleb(-self._exponent):f}"


def _terms(contract: Contract, phase: int) -> tuple[PaymentTerms | None, Loc]:
    """The payment terms of a phase, else those of the contract, and where they stand."""
    own = contract.phases[phase].payment_terms
    return (own, ("phases", phase, "payment_terms")) if own else (contract.payment_terms, ("payment_terms",))


def _hash(contract: Contract, estimates: Estimates) -> str:
    return hashlib.sha256(f"{contract.model_dump_json()}\n{estimates.model_dump_json()}".encode()).hexdigest()


def _amount(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}


def _money(part: AmountDue) -> Money:
    return Money.of(part.amount, part.currency)
