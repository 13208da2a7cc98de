"""How a confirmation ends: the session's and the payment's status after the saga, by the table."""

from __future__ import annotations

from temporalio import workflow

from checkout.lifecycle import Event, Payment, PaymentEvent
from checkout.session import Attention
from workflows.hosted_page import HostedPage, Refusal
from workflows.live import LiveSession
from workflows.loose_ends import NOTHING_TO_RETURN
from workflows.saga import Undone
from workflows.steps import SEEN_TO, Compensated


def complete(live: LiveSession) -> None:
    """The contract is in force: paid already, scheduled, or nothing to pay."""
    if live.state.payment_status is Payment.PAID:
        live.move(Event.COMPLETE)
    elif live.state.schedule:
        live.pay(PaymentEvent.ASK)
        live.move(Event.COMPLETE)
    else:
        live.move(Event.COMPLETE, PaymentEvent.NOTHING_TO_PAY)


def turn_back(live: LiveSession, page: HostedPage, why: BaseException) -> None:
    """All is undone: reopen the session; or close it, when it has expired, an operator said so, or its workflow was
    cancelled.
    """
    if live.state.payment_status is Payment.PENDING and page.declined:
        live.pay(PaymentEvent.REFUSE)
    close = (
        not isinstance(why, Undone)
        or (isinstance(why, Compensated) and why.decision.then == "close")
        or workflow.now() >= live.state.offer.expires_at
    )
    live.move(
        Event.CLOSE if close else Event.REOPEN,
        PaymentEvent.UNDO if live.state.payment_status is Payment.PENDING else None,
        confirmation=live.confirmation.model_copy(update={"redirect_url": None}),
        data={"reason": reason_of(why), "answer": answer_to(why)},
    )
    if page.unreturned:
        live.ask_for_attention(
            Attention(
                reason="nothing_to_refund",
                step="payments.refund",
                since=workflow.now(),
                detail=NOTHING_TO_RETURN,
                can=SEEN_TO,
            )
        )


def answer_to(why: BaseException) -> tuple[str, str]:
    """The problem, and its detail, for a caller who waits for a confirmation that was undone."""
    if isinstance(why, Refusal):
        return why.problem, why.detail
    return "confirmation-undone", "The confirmation was undone by an operator."


def reason_of(why: BaseException) -> str:
    """Why a confirmation was undone, in words."""
    return str(why) if isinstance(why, Undone) else "The workflow was cancelled in Temporal."
