"""What a completed session does once it is paid, beside collecting: return what was too much, save what it was paid with."""

from __future__ import annotations

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout.commands import Refund, SaveMethod
from checkout.ids import excess_key, page_key
from checkout.outcomes import Refunded
from checkout.session import Attention
from workflows.live import LiveSession
from workflows.loose_ends import nothing_to_return
from workflows.posting import Posting, refund_record
from workflows.steps import NO_WAY_BACK, SEEN_TO, Steps


async def give_back_excess(live: LiveSession, steps: Steps) -> None:
    """Return what the gateway captured beyond what was asked for; somebody is told of it in any case."""
    if live.state.excess is None:
        return None
    key, excess = live.state.excess
    live.ask_for_attention(_too_much(live, key))
    refund = Refund(**live.effect(), key=excess_key(key), of=key, amount=excess, excess=True)
    posting = Posting(live, steps)
    answer = await posting.post(PaymentActivities.refund, refund)
    if isinstance(answer, Refunded):
        record = refund_record(posting.key, "refunded", answer.amount, answer.reference)
        return live.change("payment.refunded", payments=live.with_payment(record))
    record = refund_record(posting.key, "declined", excess)
    live.ask_for_attention(nothing_to_return(key).model_copy(update={"key": None}))  # the rest of it is no question
    return live.change("payment.refund_refused", payments=live.with_payment(record))


def _too_much(live: LiveSession, key: str) -> Attention:
    """Tells of it. Nobody has to see to the payment itself: should it come to be no part of the session, it goes back."""
    taken = next(payment.amount for payment in live.state.payments if payment.key == key)
    return Attention(
        reason="wrong_amount",
        step="payments.refund",
        since=workflow.now(),
        detail=f"captured {taken} under {key}, which is too much: the excess is returned",
        can=SEEN_TO,
    )


async def save_method(live: LiveSession, steps: Steps) -> None:
    """Save what the customer paid with at the page, as they asked; the contract does not wait for it."""
    state, confirmation = live.state, live.confirmation
    if state.customer is not None:
        save = SaveMethod(
            **live.effect(),
            key=page_key(state.id, confirmation.attempt),
            amount=state.offer.amount_due,
            customer=state.customer,
        )
        await steps.run(PaymentActivities.save_methods, save, can=NO_WAY_BACK)
    live.change("payment.method_kept", confirmation=confirmation.model_copy(update={"save_method": False}))
