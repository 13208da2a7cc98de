"""The invariants of amounts, M4 and M5: integers and exact sums, in everything that is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.evidence import Evidence
from audit.money import known_currencies
from checkout.lifecycle import Status
from checkout.money import EXPONENTS, Money
from checkout.session import Mode

SUMS: Final = {"subtotal": "amount", "discount": "discount", "tax": "tax", "total": "total"}
"""Members of an invoice, and of which member of its lines each is the sum."""


def whole_minor_units(seen: Evidence) -> Iterator[str]:
    """M4. JSON that holds a number with a point was a float somewhere."""
    yield from known_currencies(seen)
    documents: dict[str, Any] = {f"estimate {name[:12]}": content for name, content in _contents(seen)}
    documents |= {f"event {event.sequence}": event.raw for event in seen.events}
    documents |= {f"{each.name} of the history": each.input for run in seen.runs for each in run.activities}
    if seen.view:
        documents["the view"] = seen.view.raw
    for name, document in documents.items():
        for where, value in _numbers(document):
            if isinstance(value, float) or (where.endswith(".currency") and value not in EXPONENTS):
                yield f"{name}: {where} is {value!r}"


def _numbers(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and currency in a JSON document, with where it stands."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _numbers(member, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _numbers(member, f"{where}.{index}")
    elif isinstance(value, int | float) or (where.endswith(".currency") and value is not None):
        yield where, value


def _contents(seen: Evidence) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The contents that this session named."""
    named = {event.state.offer.estimation_id for event in seen.events} | {each.estimation_id for each in seen.contracts}
    if seen.state:
        named.add(seen.state.offer.estimation_id)
    return ((name, seen.contents[name]) for name in sorted(named) if name in seen.contents)


def sums_are_exact(seen: Evidence) -> Iterator[str]:
    """M5."""
    for name, content in _contents(seen):
        estimates = content["estimates"]
        for invoice in (estimates["current_invoice"], *estimates["future_invoices"]):
            yield from (f"estimate {name[:12]}, {problem}" for problem in _invoice(invoice))
        yield from (f"estimate {name[:12]}: {problem}" for problem in _amount_due(estimates))
    yield from _schedules(seen)


def _invoice(invoice: Mapping[str, Any]) -> Iterator[str]:
    currency = invoice["currency"]
    for whole, part in SUMS.items():
        lines = sum(Money.of(line[part], currency).minor for line in invoice["line_items"])
        if lines != Money.of(invoice[whole], currency).minor:
            yield f"{invoice['invoice_number']}: its lines come to {lines} minor units, its {whole} is {invoice[whole]}"


def _amount_due(estimates: Mapping[str, Any]) -> Iterator[str]:
    invoice = estimates["current_invoice"]
    due = Money.of(estimates["amount_due"], invoice["currency"]).minor
    parts = sum(Money.of(part["amount"], part["currency"]).minor for part in estimates["payment_schedule"])
    if due != Money.of(invoice["total"], invoice["currency"]).minor:
        yield f"{estimates['amount_due']} is due, the invoice says {invoice['total']}"
    if parts != due:
        yield f"its parts come to {parts}, {due} minor units are due"


def _schedules(seen: Evidence) -> Iterator[str]:
    state = seen.state
    if state is None:
        return
    offer = state.offer
    content = seen.contents.get(offer.estimation_id)
    if content is not None:
        estimated = Money.of(content["estimates"]["amount_due"], content["contract"]["currency"])
        if offer.amount_due != estimated:
            yield f"{offer.amount_due} is on offer, {estimated} was estimated"
    offered = sum(due.amount.minor for due in offer.schedule)
    if offered != offer.amount_due.minor:
        yield f"the parts on offer come to {offered}, {offer.amount_due.minor} minor units are due"
    owed = sum(part.amount.minor for part in state.schedule)
    if state.status is Status.COMPLETED and seen.owes(Mode.CHARGE_WHEN_DUE) and owed != offer.amount_due.minor:
        yield f"the instalments come to {owed}, {offer.amount_due.minor} minor units are due"
