"""Disputes: a customer's bank wants captured money back, and the merchant wins or loses."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from sandbox import paying, store
from sandbox.calls import Refused
from sandbox.records import Dispute, Payment, stamp
from sandbox.requests import OpenDispute
from sandbox.turn import Turn


def opened(turn: Turn, request: OpenDispute) -> Dispute:
    """A dispute of what is held under the key: of a part, or all of it. No money moves yet."""
    payment = paying.brought_up_to_date(turn, _payment(turn, str(request.account), request.key))
    held = store.held_of(turn.connection, payment.account, payment.key)
    amount = request.amount_minor or held
    if not 0 < amount <= held:
        raise Refused("dispute_exceeds_capture", 422)
    dispute = Dispute(
        id=f"dp_{uuid4().hex}",
        **payment.facts,
        amount_minor=amount,
        currency=payment.currency,
        reason=request.reason,
        at=stamp(turn.now),
    )
    store.add_dispute(turn.connection, dispute)
    return _told(turn, payment, dispute, "dispute.opened")


def closed(turn: Turn, dispute: str, outcome: Literal["won", "lost"]) -> Dispute:
    """The dispute, decided once. One that is lost withdraws what is still held: what was refunded meanwhile is with the
    customer already.
    """
    found = store.dispute_of(turn.connection, dispute)
    if found is None:
        raise Refused("no_such_dispute", 404)
    if found.status == outcome:
        return found
    if found.status != "open":
        raise Refused("dispute_closed")
    held = store.held_of(turn.connection, found.account, found.key)
    withdrawn = min(found.amount_minor, held) if outcome == "lost" else 0
    decided = found.model_copy(update={"status": outcome, "withdrawn_minor": withdrawn})
    store.save_dispute(turn.connection, decided)
    return _told(turn, _payment(turn, found.account, found.key), decided, "dispute.closed")


def _payment(turn: Turn, account: str, key: str) -> Payment:
    payment = store.payment_of(turn.connection, account, key)
    if payment is None:
        raise Refused("no_such_payment", 404)
    return payment


def _told(turn: Turn, payment: Payment, dispute: Dispute, event: str) -> Dispute:
    turn.enter(payment, "none", withdrawn=dispute.withdrawn_minor or None)
    turn.announce(event, payment, dispute=dispute.id, status=dispute.status, amount_minor=dispute.amount_minor)
    return dispute
