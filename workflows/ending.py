"""How a confirmation ends: the session's and the payment's status after the saga, by the table."""

from __future__ import annotations

from temporalio import workflow

from checkout.ids import page_key
from checkout.lifecycle import Event, Payment, PaymentEvent
from checkout.session import Undo
from workflows.hosted_page import HostedPage
from workflows.live import LiveSession
from workflows.loose_ends import nothing_to_return


def complete(live: LiveSession) -> None:
    """The contract is in force: paid already, scheduled, or nothing to pay."""
    live.note(confirmation=live.confirmation.model_copy(update={"undo": None}))
    if live.state.payment_status is Payment.PAID:
        live.move(Event.COMPLETE)
    elif live.state.schedule:
        live.pay(PaymentEvent.ASK)
        live.move(Event.COMPLETE)
    else:
        live.move(Event.COMPLETE, PaymentEvent.NOTHING_TO_PAY)


def turn_back(live: LiveSession, page: HostedPage, why: Undo) -> None:
    """All is undone: reopen the session; or close it, when it has expired, an operator said so, or its workflow was
    cancelled.
    """
    if live.state.payment_status is Payment.PENDING and page.declined:
        live.pay(PaymentEvent.REFUSE)
    close = why.close or workflow.now() >= live.state.offer.expires_at
    live.move(
        Event.CLOSE if close else Event.REOPEN,
        PaymentEvent.UNDO if live.state.payment_status is Payment.PENDING else None,
        confirmation=live.confirmation.model_copy(update={"redirect_url": None, "page_until": None}),
        actor=why.actor,
        data={"reason": why.reason, "answer": (why.problem, why.detail)},
    )
    if page.unreturned:
        live.ask_for_attention(nothing_to_return(page_key(live.state.id, live.confirmation.attempt)))
