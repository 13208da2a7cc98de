"""Collecting what is due on a completed session: a durable timer to each due instant, then a charge."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout.commands import AtKey, Charge, ChooseMethod, Retry
from checkout.ids import charge_key
from checkout.lifecycle import Payment, PaymentEvent
from checkout.outcomes import Captured, Closed, Declined, LookUpAnswer, MethodChosen, NeedsCustomer, NotFound
from checkout.session import Attention, Can, Instalment, PaymentRecord
from workflows.live import LiveSession
from workflows.posting import Posting
from workflows.saga import shielded
from workflows.steps import NO_WAY_BACK, SEEN_TO, Steps


class Collection:
    """Charges the instalments of a session, earliest first."""

    def __init__(self, live: LiveSession, steps: Steps) -> None:
        self._live = live
        self._steps = steps

    async def run(self) -> None:
        """Collect until nothing is owed any more, or the session is adrift. Cancelled, it cancels what was not charged
        yet.
        """
        try:
            while (instalment := self._next()) is not None and not self._live.adrift:
                await self._until_retried()
                await self._until_due(instalment)
                if not self._live.adrift:
                    await shielded(self._charge(instalment))
        except asyncio.CancelledError:
            self.cancel_the_rest()
            raise

    def _next(self) -> Instalment | None:
        owed = (i for i in self._live.state.schedule if i.owed)
        return min(owed, key=lambda i: (i.due_at, i.n), default=None)

    async def _until_due(self, instalment: Instalment) -> None:
        """A timer is whole seconds at best: compare with what is due, in a loop (never before the due instant)."""
        words = f"Instalment {instalment.n}: {instalment.amount} falls due"
        while (left := instalment.due_at - workflow.now()).total_seconds() > 0 and not self._live.adrift:
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._live.adrift, timeout=left, timeout_summary=words)

    async def _charge(self, instalment: Instalment) -> None:
        """Charge it under a key of its own for each try: a new one only after a definite no. What a run before this
        one began to charge is looked up first.
        """
        if self._live.state.payment_status is Payment.FAILED:
            self._live.pay(PaymentEvent.ASK)
        begun = instalment.status == "charging"
        tried = instalment.attempts if begun else instalment.attempts + 1
        confirmation, posting = self._live.confirmation, Posting(self._live, self._steps)
        key = charge_key(self._live.state.id, confirmation.attempt, instalment.n, tried)
        command = AtKey(**self._live.effect(), key=key, amount=instalment.amount)
        answer: LookUpAnswer | None = await posting.looked_up(command) if begun else NotFound()
        if isinstance(answer, NotFound):
            method = await self._method()
            if method is None:
                self._failed(instalment, instalment.attempts, "no saved payment method can be charged")
                return
            if not begun:
                self._live.change("payment.charging", **self._with(instalment, "charging", tried))
            charge = Charge(**command.model_dump(), method=method, notes=confirmation.notes)
            answer = await posting.post(PaymentActivities.charge, charge)
        while not isinstance(answer, Captured | Declined | NeedsCustomer | Closed):
            answer = await self._steps.ask(
                PaymentActivities.page_outcome,
                command,
                until=lambda: False,
                deadline=None,
                can=NO_WAY_BACK,
            )
            if isinstance(answer, NotFound):
                await workflow.sleep(self._live.policy.uncertainty, summary="Look for the charge again")
        self._answered(instalment, tried, key, answer)

    async def _method(self) -> UUID | None:
        """The confirmed method if it can be charged now, else another saved one (design.md, section 6)."""
        customer = self._live.state.customer
        for asked in (self._live.confirmation.method, None) if customer else ():
            choose = ChooseMethod(**self._live.effect(), customer=customer, method=asked, preferred=None)
            chosen = await self._steps.run(PaymentActivities.choose_method, choose, can=NO_WAY_BACK)
            if isinstance(chosen, MethodChosen):
                return chosen.method
        return None

    def _answered(self, instalment: Instalment, tried: int, key: str, answer: LookUpAnswer) -> None:
        captured = isinstance(answer, Captured)
        record = PaymentRecord(
            key=key,
            kind="charge",
            amount=answer.amount if isinstance(answer, Captured) else instalment.amount,
            status="captured" if captured else "declined",
            reference=answer.reference if isinstance(answer, Captured) else None,
            at=workflow.now(),
        )
        self._live.note(payments=self._live.with_payment(record))
        if not captured:
            self._failed(instalment, tried, answer.code if isinstance(answer, Declined) else answer.outcome)
            return
        paid = self._with(instalment, "paid", tried)
        if not any(i.owed for i in paid["schedule"]):
            self._live.pay(PaymentEvent.CAPTURE, **paid)
        else:
            self._live.change("payment.captured", **paid)
        if isinstance(answer, Captured) and answer.amount != instalment.amount:
            self._ask_somebody("wrong_amount", f"captured {answer.amount} instead of {instalment.amount}", SEEN_TO)

    def _failed(self, instalment: Instalment, tried: int, detail: str) -> None:
        """A definite no: nothing is charged again before somebody says so."""
        self._live.pay(PaymentEvent.REFUSE, **self._with(instalment, "failed", tried))
        self._ask_somebody("payment_failed", detail, NO_WAY_BACK)

    def _ask_somebody(self, reason: str, detail: str, can: Can) -> None:
        self._live.ask_for_attention(
            Attention(reason=reason, step="payments.charge", since=workflow.now(), detail=detail, can=can)
        )

    async def _until_retried(self) -> None:
        """After a definite no, wait for an operator to ask for another try."""
        if self._live.state.payment_status is Payment.FAILED:
            await workflow.wait_condition(lambda: isinstance(self._steps.decision, Retry) or self._live.adrift)
            if self._steps.take_retry():
                self._live.lower_attention()

    def cancel_the_rest(self) -> None:
        """Nothing is charged any more."""
        schedule = tuple(
            i if i.status == "paid" else i.model_copy(update={"status": "cancelled"}) for i in self._live.state.schedule
        )
        if self._live.state.payment_status is Payment.FAILED:
            self._live.change("payment.cancelled", schedule=schedule, attention=None)
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
