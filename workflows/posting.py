"""Posts that move money: one try, then look up what became of it, before anything else happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, Literal, TypeVar

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout.commands import AtKey, Charge, Refund
from checkout.ids import another_refund_key
from checkout.money import Money
from checkout.outcomes import LookUpAnswer, NotFound
from checkout.session import PaymentRecord
from workflows.live import LiveSession
from workflows.policies import INCURABLE, ONCE
from workflows.steps import NO_WAY_BACK, Steps, failure_of, name_of, type_of
from workflows.summaries import summary_of

Post = TypeVar("Post", Charge, Refund)
Answer = TypeVar("Answer")

LONGEST_PAUSE: Final = timedelta(hours=1)
"""The most that is waited before a post that never arrived is made again."""


class Posting:
    """Posts a charge or a refund for a session, once under its key however often it has to be sent. *key* is the one
    that was posted last: another than the command's for a refund that never arrived within the gateway's memory.
    """

    def __init__(self, live: LiveSession, steps: Steps) -> None:
        self._live = live
        self._steps = steps
        self.key = ""

    async def post(self, step: Callable[[Any, Post], Awaitable[Answer]], command: Post) -> Answer | LookUpAnswer:
        """Post *command*, and give what the gateway answered, or what it says of the key when its answer was lost.

        The same key is posted again only after a "not found" past the gateway's uncertainty window.
        """
        name = name_of(step)
        with self._steps.taking(name):
            return self._steps.answered(name, await self._answered(step, command))

    async def _answered(self, step: Callable[[Any, Post], Awaitable[Answer]], command: Post) -> Answer | LookUpAnswer:
        began, name = workflow.now(), name_of(step)
        for tries in count(1):
            command = command.model_copy(update={"at": workflow.now()})
            self.key = command.key
            handle = workflow.start_activity_method(step, command, summary=summary_of(name, command), **ONCE)
            await workflow.wait([handle])
            failure = failure_of(handle)
            self._steps.take_retry()
            if failure is None and isinstance(handle.result(), NotFound):
                command = self._under_a_new_key(command)
                continue
            if failure is None:
                answer: Answer = handle.result()
                return answer
            rejected = type_of(failure) in INCURABLE
            found = await (self._told(command) if rejected else self.looked_up(command))
            if rejected and isinstance(found, NotFound):
                await self._steps.ask_somebody(name, failure, NO_WAY_BACK)
                continue
            if not isinstance(found, NotFound):
                return found
            await self._before_the_next(name, failure, tries, began)
        raise AssertionError("a count has no end")

    async def looked_up(self, command: AtKey) -> LookUpAnswer:
        """What is true of the key, once a post whose answer was lost can no longer take effect."""
        if not any(known.key == command.key and known.status == "unknown" for known in self._live.state.payments):
            unknown = self._record(command, "unknown")
            self._live.change("payment.unknown", payments=self._live.with_payment(unknown))
        await workflow.sleep(
            self._live.policy.uncertainty, summary="A lost answer may still take effect; then look it up"
        )
        return await self._told(command)

    async def _told(self, command: AtKey) -> LookUpAnswer:
        at = AtKey(**command.model_dump(include=set(AtKey.model_fields)))
        return await self._steps.run(PaymentActivities.look_up, at, can=NO_WAY_BACK)

    async def _before_the_next(self, name: str, failure: BaseException, tries: int, began: datetime) -> None:
        """The gateway does not know the key, so it may be posted again: after a pause that grows to an hour, with
        attention once a round has passed. A key that the gateway may have forgotten meanwhile is not posted any more:
        the activity looks it up.
        """
        if workflow.now() - began > self._live.policy.rounds[0]:
            await self._steps.ask_somebody(name, failure, NO_WAY_BACK)
        await self._steps.pause(min(timedelta(seconds=2 ** min(tries, 12)), LONGEST_PAUSE), NO_WAY_BACK)
        self._live.leave_if_long()

    def _under_a_new_key(self, command: Post) -> Post:
        """A refund that never arrived, under a key that is too old to be posted again: a definite no."""
        over = self._record(command, "declined")
        self._live.note(payments=self._live.with_payment(over))
        return command.model_copy(update={"key": another_refund_key(command.key)})

    def _record(self, command: AtKey, status: Literal["unknown", "declined"]) -> PaymentRecord:
        return PaymentRecord(
            key=command.key,
            kind="refund" if isinstance(command, Refund) else "charge",
            amount=command.amount,
            status=status,
            at=workflow.now(),
        )


def refund_record(
    key: str, status: Literal["refunded", "declined"], amount: Money, reference: str | None = None
) -> PaymentRecord:
    """A refund as the session shows it."""
    return PaymentRecord(key=key, kind="refund", amount=amount, status=status, reference=reference, at=workflow.now())
