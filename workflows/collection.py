"""Collecting what is due on a completed session: a durable timer to each due instant, then a charge."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout.commands import Charge, Retry
from checkout.ids import charge_key
from checkout.lifecycle import Payment, PaymentEvent
from checkout.outcomes import Captured, Declined, LookUpAnswer
from checkout.session import Attention, Instalment, PaymentRecord
from workflows.live import LiveSession
from workflows.posting import Posting
from workflows.saga import shielded
from workflows.steps import NO_WAY_BACK, Steps


class Collection:
    """Charges the instalments of a session, earliest first."""

    def __init__(self, live: LiveSession, steps: Steps) -> None:
        self._live = live
        self._steps = steps

    async def run(self) -> None:
        """Collect until nothing is owed any more. Cancelled, it cancels what was not charged yet."""
        try:
            while (instalment := self._next()) is not None:
                await self._until_due(instalment)
                await shielded(self._charge(instalment))
                await self._until_retried()
        except asyncio.CancelledError:
            self._cancel_the_rest()
            raise

    def _next(self) -> Instalment | None:
        owed = (i for i in self._live.state.schedule if i.status in {"scheduled", "due", "failed"})
        return min(owed, key=lambda i: (i.due_at, i.n), default=None)

    async def _until_due(self, instalment: Instalment) -> None:
        """A timer is whole seconds at best: compare with what is due, in a loop (never before the due instant)."""
        while (left := instalment.due_at - workflow.now()).total_seconds() > 0:
            await workflow.sleep(left, summary=f"Instalment {instalment.n}: {instalment.amount} falls due")

    async def _charge(self, instalment: Instalment) -> None:
        """Charge it under a key of its own for each try: a new one only after a definite no."""
        tried = instalment.attempts + 1
        if self._live.state.payment_status is Payment.FAILED:
            self._live.pay(PaymentEvent.ASK)
        confirmation = self._live.confirmation
        if confirmation.method is None:
            raise RuntimeError("a scheduled session has no payment method")
        command = Charge(
            **self._live.effect(),
            key=charge_key(self._live.state.id, confirmation.attempt, instalment.n, tried),
            amount=instalment.amount,
            method=confirmation.method,
            notes=confirmation.notes,
        )
        self._live.change("payment.charging", **self._with(instalment, "charging", tried))
        answer = await Posting(self._live, self._steps).post(PaymentActivities.charge, command)
        self._answered(instalment, tried, command, answer)

    def _answered(self, instalment: Instalment, tried: int, command: Charge, answer: LookUpAnswer) -> None:
        captured = isinstance(answer, Captured)
        record = PaymentRecord(
            key=command.key,
            kind="charge",
            amount=answer.amount if isinstance(answer, Captured) else instalment.amount,
            status="captured" if captured else "declined",
            reference=answer.reference if isinstance(answer, Captured) else None,
            at=workflow.now(),
        )
        self._live.note(payments=self._live.with_payment(record))
        status = self._with(instalment, "paid" if captured else "failed", tried)
        if not captured:
            self._live.pay(PaymentEvent.REFUSE, **status)
            self._ask_somebody(answer)
        elif all(i.status in {"paid", "cancelled"} for i in status["schedule"]):
            self._live.pay(PaymentEvent.CAPTURE, **status)
        else:
            self._live.change("payment.captured", **status)

    def _ask_somebody(self, answer: LookUpAnswer) -> None:
        code = answer.code if isinstance(answer, Declined) else answer.outcome
        self._live.ask_for_attention(
            Attention(
                reason="payment_failed", step="payments.charge", since=workflow.now(), detail=code, can=NO_WAY_BACK
            )
        )

    async def _until_retried(self) -> None:
        """After a definite no, wait for an operator to ask for another try."""
        if self._live.state.payment_status is Payment.FAILED:
            await workflow.wait_condition(lambda: isinstance(self._steps.decision, Retry))
            self._steps.take_retry()
            self._live.lower_attention()

    def _cancel_the_rest(self) -> None:
        schedule = tuple(
            i if i.status == "paid" else i.model_copy(update={"status": "cancelled"}) for i in self._live.state.schedule
        )
        if self._live.state.payment_status is not Payment.PENDING:
            return
        paid = any(i.status == "paid" for i in schedule)
        event = PaymentEvent.LAST_CANCELLED_PAID if paid else PaymentEvent.LAST_CANCELLED_UNPAID
        self._live.pay(event, schedule=schedule)

    def _with(self, instalment: Instalment, status: str, attempts: int) -> dict[str, Any]:
        """The schedule with *instalment* as it is now."""
        changed = instalment.model_copy(update={"status": status, "attempts": attempts})
        schedule = tuple(changed if i.n == instalment.n else i for i in self._live.state.schedule)
        return {"schedule": schedule}
