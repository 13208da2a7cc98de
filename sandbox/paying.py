"""What can become of a payment: captured, declined, under way, left, closed, given back. One place for each."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, Literal
from uuid import uuid4

from checkout.money import Money
from checkout.outcomes import Captured, Closed, Declined, Left, NeedsCustomer, PageOpen, Refunded, UnderWay
from sandbox import arming, store
from sandbox.instruments import AT_PAGE, SAVED, TOKEN, Does, Instrument
from sandbox.records import Capture, Payment, Return, stamp
from sandbox.requests import OpenPage
from sandbox.turn import Turn

PAYABLE = ("open", "left")


WRONG: Final = {"wrong_amount": 1, "short_amount": -1}
"""By how many minor units a capture is wrong."""


def page_token() -> str:
    """256 random bits: who has the page's address may pay it."""
    return secrets.token_urlsafe(32)


def pay(turn: Turn, payment: Payment, instrument: str) -> Payment:
    """The customer pays at the page with an *instrument* of AT_PAGE; a page no longer payable stays as it is."""
    payment = brought_up_to_date(turn, payment)
    if payment.status not in PAYABLE:
        return payment
    chosen = payment.model_copy(update={"instrument": instrument})
    return use(turn.asked(instrument=instrument), chosen, AT_PAGE[instrument])


def use(turn: Turn, payment: Payment, instrument: Instrument) -> Payment:
    """Do what the *instrument* does, unless a fault declines what it would have paid."""
    pays = instrument.does in {"captures", "settles"}
    if pays and turn.struck(payment.call, payment.facts, ("decline",)):
        return decline(turn, payment, "card_declined")
    return DOES[instrument.does](turn, payment, instrument)


def leave(turn: Turn, payment: Payment) -> Payment:
    """The customer goes back to the shop; who comes back may still pay."""
    payment = brought_up_to_date(turn, payment)
    return _change(turn, payment, "page.left", status="left") if payment.status in PAYABLE else payment


def capture(turn: Turn, payment: Payment) -> Payment:
    """Money moves, once, unless a fault was armed that breaks this very promise."""
    fault = turn.struck(payment.call, payment.facts, arming.CAPTURES)
    amount = payment.amount_minor + WRONG.get(fault or "", 0)
    for _ in range(2 if fault == "double_capture" else 1):
        moved = Capture(
            reference=f"cap_{uuid4().hex}",
            account=payment.account,
            key=payment.key,
            amount_minor=amount,
            currency=payment.currency,
        )
        store.add_capture(turn.connection, moved)
        turn.enter(payment, "captured", amount)
    _save_method(turn, payment)
    return _change(turn, payment, "page.paid" if payment.token else "charge.captured", status="captured")


def _save_method(turn: Turn, payment: Payment) -> None:
    """What was paid with becomes a method of the customer that the page was to save it for."""
    page = OpenPage.model_validate_json(payment.page) if payment.page else None
    if page and page.save_for and payment.instrument in SAVED:
        token = TOKEN + payment.instrument
        store.add_method(turn.connection, payment.account, str(page.save_for), token, stamp(turn.now))


def decline(turn: Turn, payment: Payment, code: str, *, soft: bool = True) -> Payment:
    """A definite no. A page stays payable, a charge is over."""
    turn.enter(payment, "declined")
    event, status = ("page.declined", "open") if payment.token else ("charge.declined", "declined")
    return _change(turn, payment, event, status=status, declined=payment.declined + 1, code=code, soft=soft)


def ask_for_customer(turn: Turn, payment: Payment) -> Payment:
    turn.enter(payment, "none")
    return _change(turn, payment, "charge.needs_customer", status="needs_customer")


def start_settling(turn: Turn, payment: Payment, to: Literal["captured", "failed"]) -> Payment:
    """It takes its time, and then it is what it settles *to*."""
    turn.enter(payment, "none")
    due = stamp(turn.now + turn.settling)
    return _change(turn, payment, f"{payment.call}.under_way", status="under_way", settles_at=due, settles_to=to)


DOES: Final[dict[Does, Callable[[Turn, Payment, Instrument], Payment]]] = {
    "captures": lambda turn, payment, _: capture(turn, payment),
    "declines": lambda turn, payment, chosen: decline(turn, payment, chosen.code, soft=chosen.soft),
    "needs_customer": lambda turn, payment, _: ask_for_customer(turn, payment),
    "settles": lambda turn, payment, _: start_settling(turn, payment, "captured"),
    "fails_later": lambda turn, payment, _: start_settling(turn, payment, "failed"),
}


def close(turn: Turn, payment: Payment, *, settling: bool = False) -> Payment:
    """Close an open page for good; with *settling* also what is under way, at a page or as a charge: it never arrives."""
    if payment.status in PAYABLE or (settling and payment.status == "under_way"):
        turn.enter(payment, "page_closed" if payment.token else "declined")
        payment = _change(turn, payment, None, status="closed", settles_at=None, settles_to=None)
    return payment


def give_back(turn: Turn, payment: Payment, amount: int, key: str) -> Refunded:
    """Return *amount* minor units of what is held, under *key*."""
    returned = Return(
        reference=f"re_{uuid4().hex}",
        account=payment.account,
        key=key,
        of=payment.key,
        amount_minor=amount,
        at=stamp(turn.now),
    )
    store.add_return(turn.connection, returned)
    refund = payment.model_copy(update={"key": key})
    turn.enter(refund, "refunded", amount)
    turn.announce("refund.created", refund)
    return Refunded(reference=returned.reference, amount=Money(minor=amount, currency=payment.currency))


def brought_up_to_date(turn: Turn, payment: Payment) -> Payment:
    """The payment as it is by now: what has settled is settled, what has expired is closed."""
    now = stamp(turn.now)
    turn = turn.aside(payment)
    if payment.status == "under_way" and (payment.settles_at or "") <= now:
        return capture(turn, payment) if payment.settles_to == "captured" else _fail(turn, payment)
    if payment.status in PAYABLE and payment.expires_at is not None and payment.expires_at <= now:
        return close(turn, payment)
    return payment


def standing(  # noqa: PLR0911 - one answer per status
    turn: Turn, payment: Payment
) -> Captured | Closed | Declined | Left | NeedsCustomer | PageOpen | UnderWay:
    """What is true of the payment now, in the words of the gateway port."""
    match payment.status:
        case "captured":
            moved = store.captures_of(turn.connection, payment.account, payment.key)
            total = Money(minor=sum(capture.amount_minor for capture in moved), currency=payment.currency)
            return Captured(reference=moved[0].reference, amount=total)
        case "open":
            url = f"{turn.base}/pay/{payment.token}"
            return PageOpen(url=url, declined=payment.declined, reference=payment.page_reference)
        case "left":
            return Left(declined=payment.declined)
        case "closed":
            return Closed(declined=payment.declined)
        case "under_way":
            return UnderWay()
        case "needs_customer":
            return NeedsCustomer()
        case "declined":
            return Declined(code=payment.code or "declined", soft=payment.soft)


def _fail(turn: Turn, payment: Payment) -> Payment:
    """It did not arrive: a definite no, that ends a page as well as a charge."""
    turn.enter(payment, "declined")
    status, times = "closed" if payment.token else "declined", payment.declined + 1
    return _change(turn, payment, f"{payment.call}.failed", status=status, declined=times, code="bank_transfer_failed")


def _change(turn: Turn, payment: Payment, event: str | None, **facts: str | int | None) -> Payment:
    changed = payment.model_copy(update=facts)
    store.save_payment(turn.connection, changed)
    if event is not None:
        turn.announce(event, changed)
    return changed
