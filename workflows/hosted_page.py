"""The hosted payment page of an attempt: opened, waited for, closed, and what it captured refunded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout.commands import AtKey, OpenPage, Refund
from checkout.ids import page_key, refund_key
from checkout.lifecycle import Payment, PaymentEvent
from checkout.money import Money
from checkout.outcomes import Captured, Closed, LookUpAnswer, PageOpen, Refunded, UnderWay
from checkout.session import Attention, Can, PaymentRecord, Undo
from workflows.live import LiveSession
from workflows.posting import Posting, refund_record
from workflows.saga import Undone
from workflows.steps import FORWARD, NO_WAY_BACK, Steps

BACKSTOP: Final = timedelta(days=2)
"""How long after its window the gateway closes a page by itself, should nobody else: the window begins when the page is
open, which may be as long after its key was first posted as a gateway remembers keys.
"""

NOT_OPENED: Final = "The payment page could not be opened."
NOT_PAID: Final = "The payment page was left, refused or not paid in time."


class Refusal(Undone):
    """The confirmation can't be: *problem* is a problem type of api.md."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(Undo(reason=detail, problem=problem, detail=detail))


class HostedPage:
    """*reported* counts the hints that came in; *declined* the tries that were refused on the page; *unreturned* says
    that money was captured and the gateway had nothing to return: somebody else returned it, or must.
    """

    def __init__(self, live: LiveSession, steps: Steps, reported: Callable[[], int]) -> None:
        self._live = live
        self._steps = steps
        self._reported = reported
        self._key = page_key(live.state.id, live.confirmation.attempt)
        self._amount = live.state.offer.amount_due
        self.declined = 0
        self.unreturned = False

    async def _open(self) -> None:
        """Open the page and say where the customer goes."""
        offer, confirmation = self._live.state.offer, self._live.confirmation
        if self._live.state.payment_status is not Payment.PENDING:
            self._live.pay(PaymentEvent.ASK, payments=self._live.with_payment(self._record("pending")))
        page = await self._steps.run(
            PaymentActivities.open_page,
            OpenPage(
                **self._live.effect(),
                key=self._key,
                amount=self._amount,
                estimation_id=offer.estimation_id,
                details=offer.details,
                notes=confirmation.notes,
                preferred=confirmation.preferred,
                expires_at=workflow.now() + self._live.policy.page_window + BACKSTOP,
                saved_for=self._live.state.customer if confirmation.save_method else None,
            ),
            failing=self._unknown,
        )
        if isinstance(page, PageOpen):
            self._opened(page.url)

    def _opened(self, url: str) -> None:
        """Its window runs from now on; or from when a run before this one had opened it."""
        self._live.note(payments=self._live.with_payment(self._record("pending")))
        confirmation = self._live.confirmation
        until = confirmation.page_until or workflow.now() + self._live.policy.page_window
        opened = confirmation.model_copy(update={"redirect_url": url, "page_until": until})
        if opened != confirmation:
            self._live.change("payment.page_opened", confirmation=opened)

    def _unknown(self) -> None:
        """Whether the page is open is not known while opening it fails; shown with the attention."""
        self._live.note(payments=self._live.with_payment(self._record("unknown")))

    async def until_paid(self) -> None:
        """Open the page and wait until it is paid; a run before this one may have seen that already."""
        if self._live.state.payment_status is not Payment.PAID:
            await self._open()
            return await self._until_paid()
        captured = next(payment for payment in self._live.state.payments if payment.key == self._key)
        return await self._compare(captured.amount)

    async def _until_paid(self) -> None:
        """Wait until the customer has paid. Whatever else is heard (left, the window's end, even "not found"), closing
        the page tells whether it was paid after all, or whether money is still under way: only "closed" is a no.
        """
        deadline: datetime | None = self._live.confirmation.page_until or workflow.now()
        while True:
            answer = await self._outcome(deadline, FORWARD)
            if not isinstance(answer, Captured | UnderWay | Closed):
                answer = await self._steps.run(PaymentActivities.close_page, self._at_key())
            if isinstance(answer, Captured):
                return await self._captured(answer)
            if not isinstance(answer, UnderWay):
                self.declined = getattr(answer, "declined", 0)
                raise Refusal("payment-not-made", NOT_PAID if self._live.confirmation.redirect_url else NOT_OPENED)
            deadline = None

    async def close(self) -> None:
        """Undo of the page: closed for good, or settled first, so that the refund finds what there is to return."""
        answer: LookUpAnswer | None = await self._close()
        while not isinstance(answer, Captured | Closed):
            under_way = isinstance(answer, UnderWay)
            answer = await self._outcome(None, NO_WAY_BACK) if under_way else await self._close()
        if isinstance(answer, Closed):
            self.declined = max(self.declined, answer.declined)
            self._live.change("payment.page_closed", payments=self._live.with_payment(self._record("declined")))
        if isinstance(answer, Captured) and self._live.state.payment_status is Payment.PENDING:
            self._paid(answer)

    async def refund(self) -> None:
        """Return what the page captured; where it captured nothing, its key is closed."""
        amount = self._taken()
        command = Refund(**self._live.effect(), key=refund_key(self._key), of=self._key, amount=amount)
        posting = Posting(self._live, self._steps)
        answer = await posting.post(PaymentActivities.refund, command)
        if isinstance(answer, Refunded):
            self._returned(posting.key, answer)
        elif self._live.state.payment_status is Payment.PAID:
            self.unreturned = True
            self._live.pay(PaymentEvent.REFUND)
        elif any(payment.key == posting.key for payment in self._live.state.payments):
            self._live.note(payments=self._live.with_payment(refund_record(posting.key, "declined", amount)))

    def _taken(self) -> Money:
        """What the page captured, should it be another amount than the one asked for."""
        page = next((payment for payment in self._live.state.payments if payment.key == self._key), None)
        return page.amount if page and page.status == "captured" else self._amount

    def _returned(self, key: str, refunded: Refunded) -> None:
        payments = self._live.with_payment(refund_record(key, "refunded", refunded.amount, refunded.reference))
        if self._live.state.payment_status is Payment.PAID:
            self._live.pay(PaymentEvent.REFUND, payments=payments)
        else:
            self._live.change("payment.refunded", payments=payments)

    async def _outcome(self, deadline: datetime | None, can: Can) -> LookUpAnswer | None:
        """The page's outcome, asked by the server's retries and at once after a hint; None when the window ended."""
        while deadline is None or workflow.now() < deadline:
            known = self._reported()
            answer = await self._steps.ask(
                PaymentActivities.page_outcome,
                self._at_key(),
                until=lambda known=known: self._reported() > known,  # type: ignore[misc]
                deadline=deadline,
                can=can,
            )
            if answer is not None:
                return answer
        return None

    async def _captured(self, captured: Captured) -> None:
        """Record the money."""
        self._paid(captured)
        await self._compare(captured.amount)

    async def _compare(self, amount: Money) -> None:
        """Too little, or another currency, is for somebody to look at; what is too much is returned once the session is
        completed, or with all of it.
        """
        if not amount.covers(self._amount):
            await self._steps.park(
                Attention(
                    reason="wrong_amount",
                    step="payments.page_outcome",
                    since=workflow.now(),
                    detail=f"captured {amount} instead of {self._amount}",
                    can=("compensate",),
                )
            )

    def _paid(self, captured: Captured) -> None:
        record = self._record("captured").model_copy(
            update={"reference": captured.reference, "amount": captured.amount}
        )
        self._live.pay(PaymentEvent.CAPTURE, payments=self._live.with_payment(record))

    async def _close(self) -> LookUpAnswer:
        return await self._steps.run(PaymentActivities.close_page, self._at_key(), can=NO_WAY_BACK)

    def _at_key(self) -> AtKey:
        return AtKey(**self._live.effect(), key=self._key, amount=self._amount)

    def _record(self, status: str) -> PaymentRecord:
        return PaymentRecord.model_validate(
            {"key": self._key, "kind": "charge", "amount": self._amount, "status": status, "at": workflow.now()}
        )
