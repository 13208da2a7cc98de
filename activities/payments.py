"""The payment gateway's side effects, as activities: a row before money can move, its outcome in the row after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from checkout.commands import AtKey, Charge, CheckDue, ChooseMethod, DueInstants, OpenPage, Refund, SaveMethod
from checkout.outcomes import (
    CloseAnswer,
    Closed,
    Declined,
    Done,
    DueAnswer,
    Instants,
    Left,
    LookUpAnswer,
    MethodAnswer,
    NotFound,
    NothingToRefund,
    PageOpen,
    UnderWay,
)
from gateways.port import GatewayUnavailable, PaymentGateway, Posted, SavedMethod, ToAsk, ToCharge, ToOpen, ToRefund

INTERVALS: Final = (1, 2, 4, 8, 15, 30, 60, 120)
"""Seconds between two askings whether a page was paid: five within the first 30 s; the last one repeats."""


NEVER_ARRIVED: Final = Declined(code="never_arrived")
"""What a charge comes to whose key the gateway does not know long after it was posted."""

NEVER_OPENED: Final = Closed()
"""What a page comes to whose key the gateway does not know long after it was posted."""


class PaymentRecords(Protocol):
    """The rows of payments. A row is there, pending, before its key reaches the gateway."""

    async def posted(self, cmd: AtKey) -> ToAsk: ...

    async def choose_method(self, cmd: ChooseMethod) -> MethodAnswer: ...

    async def page(self, cmd: OpenPage) -> ToOpen: ...

    async def charge(self, cmd: Charge) -> ToCharge | Declined: ...

    async def refund(self, cmd: Refund) -> ToRefund: ...

    async def answered(self, cmd: AtKey, answer: LookUpAnswer) -> None: ...

    async def keep_methods(self, cmd: SaveMethod, at: ToAsk, saved: Sequence[SavedMethod]) -> None: ...


class DuePayments(Protocol):
    """What the rows say of payments that fall due."""

    async def instants(self, cmd: DueInstants) -> Instants: ...

    async def check(self, cmd: CheckDue) -> DueAnswer: ...


class PaymentActivities:
    def __init__(self, gateways: Mapping[str, PaymentGateway], records: PaymentRecords, due: DuePayments) -> None:
        self._gateways = gateways
        self._records = records
        self._due = due

    @activity.defn(name="payments.choose_method")
    async def choose_method(self, cmd: ChooseMethod) -> MethodAnswer:
        """Choose the saved method that will be charged when due."""
        return await self._records.choose_method(cmd)

    @activity.defn(name="payments.due_instants")
    async def due_instants(self, cmd: DueInstants) -> Instants:
        """Say when days of the organisation begin, by the time zone's rules of now."""
        return await self._due.instants(cmd)

    @activity.defn(name="payments.check_due")
    async def check_due(self, cmd: CheckDue) -> DueAnswer:
        """Check, right before it is charged, that an instalment is still owed, and choose what is charged."""
        return await self._due.check(cmd)

    @activity.defn(name="payments.open_page")
    async def open_page(self, cmd: OpenPage) -> LookUpAnswer:
        """Open the hosted page at the gateway. A key that was posted before is looked up first, and posted again only
        where the gateway does not know it; one that it may have forgotten before this round ends is not posted again.
        """
        to = await self._records.page(cmd)
        answer = await self._known_page(cmd, to) or await self._at(to).open_page(cmd.key, to.page)
        await self._records.answered(cmd, answer)
        return answer

    async def _known_page(self, cmd: OpenPage, to: ToOpen) -> LookUpAnswer | None:
        """What came of posting the key before; None where it is to be posted: also for the address of a page that was
        left.
        """
        gateway, info, first_at = self._at(to), activity.info(), to.posted.first_at
        if info.attempt == 1 and cmd.at == first_at:
            return None
        answer = await gateway.look_up(to.posted)
        round_ends = cmd.at + (info.schedule_to_close_timeout or timedelta(0))
        if round_ends - first_at > gateway.memory:
            return NEVER_OPENED if isinstance(answer, NotFound) else answer
        return None if isinstance(answer, NotFound | Left) else answer

    @activity.defn(name="payments.page_outcome")
    async def page_outcome(self, cmd: AtKey) -> LookUpAnswer:
        """Ask until the page is paid, left or closed: "not yet" is retried by the server and costs no history. Nor is a "not
        found" an answer before the gateway's uncertainty window has passed.
        """
        to, answer = await self._looked_up(cmd)
        info = activity.info()
        now = cmd.at + (info.current_attempt_scheduled_time - info.scheduled_time)
        lags = isinstance(answer, NotFound) and now < to.posted.first_at + self._at(to).uncertainty
        if lags or isinstance(answer, PageOpen | UnderWay):
            wait = INTERVALS[min(info.attempt, len(INTERVALS)) - 1]
            raise ApplicationError(
                "not yet",
                type="NotYet",
                category=ApplicationErrorCategory.BENIGN,
                next_retry_delay=timedelta(seconds=wait),
            )
        return answer

    @activity.defn(name="payments.close_page")
    async def close_page(self, cmd: AtKey) -> CloseAnswer:
        """Undo of `payments.open_page`: closed, or paid after all, or under way."""
        to = await self._records.posted(cmd)
        answer = await self._at(to).close_page(to.posted)
        await self._records.answered(cmd, answer)
        return answer

    @activity.defn(name="payments.charge")
    async def charge(self, cmd: Charge) -> LookUpAnswer:
        """Charge the saved method, once under this key. A key that the gateway may have forgotten, or that was used with
        a method removed since, is looked up instead: where the gateway does not know it either, nothing was charged
        under it, and nothing will be.
        """
        to = await self._records.charge(cmd)
        if isinstance(to, Declined):
            return to
        gateway, posted = self._at(to), to.posted
        if not to.chargeable or _may_be_forgotten(cmd, posted, gateway):
            answer = await gateway.look_up(posted)
            answer = NEVER_ARRIVED if isinstance(answer, NotFound) else answer
        else:
            answer = await gateway.charge(cmd.key, posted.account, cmd.session, to.token, cmd.amount, to.description)
        await self._records.answered(cmd, answer)
        return answer

    @activity.defn(name="payments.refund")
    async def refund(self, cmd: Refund) -> LookUpAnswer:
        """Return what was captured under another key, all of it or the excess. NotFound: this key never arrived, and is
        too old to be posted.
        """
        to = await self._records.refund(cmd)
        gateway = self._at(to)
        answer: LookUpAnswer
        if _may_be_forgotten(cmd, to.posted, gateway):
            answer = await gateway.look_up(to.posted)
        else:
            answer = await gateway.refund(cmd.key, to.of, cmd.amount if cmd.excess else None)
        await self._records.answered(cmd, NothingToRefund() if isinstance(answer, NotFound) else answer)
        return answer

    @activity.defn(name="payments.look_up")
    async def look_up(self, cmd: AtKey) -> LookUpAnswer:
        """Ask the gateway what is true of a key."""
        _, answer = await self._looked_up(cmd)
        return answer

    async def _looked_up(self, cmd: AtKey) -> tuple[ToAsk, LookUpAnswer]:
        to = await self._records.posted(cmd)
        answer = await self._at(to).look_up(to.posted)
        await self._records.answered(cmd, answer)
        return to, answer

    @activity.defn(name="payments.save_methods")
    async def save_methods(self, cmd: SaveMethod) -> Done:
        """Keep what the gateway has saved for the customer: what they paid with at a page."""
        to = await self._records.posted(cmd)
        await self._records.keep_methods(cmd, to, await self._at(to).methods(to.posted.account, cmd.customer))
        return Done()

    def _at(self, to: ToAsk) -> PaymentGateway:
        """The gateway at which a key is; one that this process has no adapter of may get one."""
        try:
            return self._gateways[to.gateway]
        except KeyError:
            raise GatewayUnavailable(f"this worker has no adapter of {to.gateway}") from None


def _may_be_forgotten(cmd: AtKey, posted: Posted, gateway: PaymentGateway) -> bool:
    """Whether the gateway may have forgotten a key that was posted before: by now, for this post may have waited long for
    a worker. One that is posted for the first time it can't have forgotten.
    """
    info = activity.info()
    now = cmd.at + (info.started_time - info.scheduled_time)
    return cmd.at != posted.first_at and now - posted.first_at > gateway.memory
