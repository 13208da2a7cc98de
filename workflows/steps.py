"""Running one step: rounds of retries, attention when a round ends in vain, and what an operator decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final, TypeVar

from temporalio import activity, workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeout

from checkout.commands import Compensate, Effect, Retry
from checkout.outcomes import Refused
from checkout.session import Attention, Can, StepStatus, Undo
from workflows.live import LiveSession, failing_at, for_the_way
from workflows.policies import ASK, INCURABLE, STEP
from workflows.saga import Undone, shielded
from workflows.summaries import summary_of

Command = TypeVar("Command", bound=Effect)
Result = TypeVar("Result")

FORWARD: Final[Can] = ("retry", "compensate")
"""What an operator can do about a failing step that goes forward."""
NO_WAY_BACK: Final[Can] = ("retry",)
"""What an operator can do about a failing undo, or about a charge of a completed session."""
SEEN_TO: Final[Can] = ("acknowledge",)
"""What an operator can do about what only people can mend, elsewhere."""

NOT_YET: Final = "NotYet"
"""How an asking says that there is no answer yet."""

OWN_WORDS: Final = {"GatewayUnavailable", "GatewayRejected"}
"""Errors whose text is ours, so that it may be shown; of any other only the type is."""


class Compensated(Undone):
    """An operator decided to undo the confirmation."""

    def __init__(self, decision: Compensate) -> None:
        super().__init__(undo_by(decision))


def undo_by(decision: Compensate) -> Undo:
    detail = "The confirmation was undone by an operator."
    return Undo(reason=decision.reason, detail=detail, close=decision.then == "close")


def undo_after(begun: Undo | None, decision: Compensate) -> Undo:
    """Why and how it is undone once an operator decides so too: what was *begun* keeps its reason, and is closed where
    either says so.
    """
    if begun is None:
        return undo_by(decision)
    return begun.model_copy(update={"close": begun.close or decision.then == "close"})


class Steps:
    """Runs the activities of a session, one at a time. Those of a confirmation are *listed* in it, with how far each is."""

    def __init__(self, live: LiveSession) -> None:
        self._live = live
        self.decision: Retry | Compensate | None = None
        self.turning_back = False
        self.listed = False

    async def run(
        self,
        step: Callable[[Any, Command], Awaitable[Result]],
        command: Command,
        *,
        can: Can = FORWARD,
        failing: Callable[[], None] = lambda: None,
    ) -> Result:
        """Run *step* until it succeeds, in rounds; *failing* is called when one ended in vain and its effect is unknown.
        Raises Compensated when an operator decides so, with the activity ended by then: nothing can still arrive behind
        the undo.
        """
        name = name_of(step)
        with self.taking(name):
            rounds = _rounds(self._live.policy.rounds)
            while True:
                handle = self._begun(step, command, next(rounds), STEP)
                await self._ended_or_decided(handle, can)
                failure = failure_of(handle)
                if failure is None:
                    result: Result = handle.result()
                    return self.answered(name, result)
                if self.take_retry():
                    rounds = _rounds(self._live.policy.rounds)
                    continue
                if type_of(failure) not in INCURABLE:
                    failing()
                await self.ask_somebody(name, failure, can)
                self._live.leave_if_long()

    async def ask(
        self,
        step: Callable[[Any, Command], Awaitable[Result]],
        command: Command,
        *,
        until: Callable[[], bool],
        deadline: datetime | None,
        can: Can,
    ) -> Result | None:
        """Let the server ask *step* again and again, in rounds; its answer, or None once *until* holds, the *deadline*
        passed or an operator wants it asked now. "Not yet" is no failure; any other raises attention at the end of its
        round. Raises Compensated as `run` does.
        """
        name = name_of(step)
        with self.taking(name):
            for length in _rounds(self._live.policy.rounds):
                left = deadline - workflow.now() if deadline else None
                if left is not None and left <= timedelta(0):
                    return None
                handle = self._begun(step, command, length, ASK)
                with suppress(TimeoutError):
                    await self._ended_or_decided(handle, can, until=until, window=left)
                if not handle.done():
                    await shielded(_end(handle))
                self._raise_compensated(can)
                failure = failure_of(handle)
                if failure is None:
                    result: Result = handle.result()
                    return self.answered(name, result)
                if self.take_retry() or until():
                    return None
                if type_of(failure) == NOT_YET:
                    self._note(name, "running")
                    self._live.lower_attention(failing_at(name))
                elif not is_cancelled_exception(failure):
                    await self.ask_somebody(name, failure, can)
                self._live.leave_if_long()
        raise AssertionError("rounds have no end")

    def _begun(
        self,
        step: Callable[[Any, Command], Awaitable[Result]],
        command: Command,
        length: timedelta,
        how: dict[str, Any],
    ) -> workflow.ActivityHandle[Result]:
        """A round of *step*: *length* is how long, *how* the policy. It is told when it begins."""
        command = command.model_copy(update={"at": workflow.now()})
        summary = summary_of(name_of(step), command)
        return workflow.start_activity_method(step, command, schedule_to_close_timeout=length, summary=summary, **how)

    @contextmanager
    def taking(self, name: str) -> Iterator[None]:
        """List a step as running; as interrupted where it is left without an answer."""
        self._note(name, "running")
        try:
            yield
        except GeneratorExit:  # the workflow leaves the worker's memory: nothing has become of the step
            raise
        except BaseException:
            self._left(name)
            raise
        self._left(name)

    def _left(self, name: str) -> None:
        if not self._live.has_answered(name):
            self._note(name, "interrupted")

    def answered(self, name: str, answer: Result) -> Result:
        """A step has its *answer*: what an operator decided about its failing is over, and so is the attention."""
        self.take_retry()
        self._note(name, "refused" if isinstance(answer, Refused) else "done")
        self._live.lower_attention(failing_at(name))
        return answer

    def _note(self, name: str, status: StepStatus) -> None:
        if self.listed:
            self._live.note_step(name, status)

    async def park(self, attention: Attention) -> None:
        """Wait for somebody's decision; raises Compensated."""
        self._live.ask_for_attention(attention)
        await workflow.wait_condition(lambda: isinstance(self.decision, Compensate))
        self._raise_compensated(FORWARD)

    def turn_back(self, why: Undo) -> None:
        """From now on steps are undone: what was decided about going forward is over, and compensating is refused."""
        self.turning_back = True
        self._live.note(confirmation=self._live.confirmation.model_copy(update={"undo": why}))
        self.decision = None
        self._live.lower_attention(for_the_way)

    async def _ended_or_decided(
        self,
        handle: workflow.ActivityHandle[Any],
        can: Can,
        until: Callable[[], bool] = lambda: False,
        window: timedelta | None = None,
    ) -> None:
        """Wait until the activity has ended; interrupt it, and wait for its end, when an operator decides, *until*
        holds or the workflow is cancelled.
        """
        try:
            await workflow.wait_condition(
                lambda: handle.done() or until() or self._decided(can),
                timeout=window,
                timeout_summary="The payment page's window ends" if window else None,
            )
        except asyncio.CancelledError:
            await shielded(_end(handle))
            raise
        if not handle.done():
            await shielded(_end(handle))
        self._raise_compensated(can)

    async def ask_somebody(self, name: str, failure: BaseException, can: Can) -> None:
        """Raise attention; when retrying cannot cure it, wait for a decision."""
        self._note(name, "failing")
        incurable = type_of(failure) in INCURABLE
        self._live.ask_for_attention(
            Attention(
                reason="rejected" if incurable else "step_failing",
                step=name,
                since=workflow.now(),
                detail=_words(failure),
                can=can,
            )
        )
        if incurable:
            await workflow.wait_condition(lambda: self._decided(can))
            self._raise_compensated(can)
            self.take_retry()

    async def pause(self, longest: timedelta, can: Can) -> None:
        """Wait *longest*, or until an operator decides; raises Compensated as `run` does."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._decided(can), timeout=longest, timeout_summary="Then the gateway is asked again"
            )
        self._raise_compensated(can)
        self.take_retry()

    def _decided(self, can: Can) -> bool:
        """Whether an operator decided something that can be done here."""
        return isinstance(self.decision, Retry) or (isinstance(self.decision, Compensate) and "compensate" in can)

    def _raise_compensated(self, can: Can) -> None:
        if isinstance(self.decision, Compensate) and "compensate" in can:
            raise Compensated(self.decision)

    def take_retry(self) -> bool:
        """Whether an operator asked for another try; asked once, given once."""
        asked = isinstance(self.decision, Retry)
        if asked:
            self.decision = None
        return asked


def name_of(step: Callable[..., Any]) -> str:
    """The activity type of *step*, as the Temporal UI shows it."""
    return activity._Definition.must_from_callable(step).name or ""  # noqa: SLF001 - the SDK has no public way


def _rounds(lengths: tuple[timedelta, ...]) -> Iterator[timedelta]:
    return chain(lengths, repeat(lengths[-1]))


async def _end(handle: workflow.ActivityHandle[Any]) -> None:
    handle.cancel()
    await workflow.wait([handle])


def failure_of(handle: workflow.ActivityHandle[Any]) -> BaseException | None:
    """What an ended activity failed with; None when it succeeded."""
    return asyncio.CancelledError() if handle.cancelled() else handle.exception()


def _cause(failure: BaseException) -> BaseException:
    """The innermost failure that says what happened."""
    while isinstance(failure, ActivityError | ActivityTimeout) and failure.cause is not None:
        failure = failure.cause
    return failure


def type_of(failure: BaseException) -> str:
    """The name of the error that an activity raised."""
    cause = _cause(failure)
    return (cause.type if isinstance(cause, ApplicationError) else None) or type(cause).__name__


def _words(failure: BaseException) -> str:
    cause = _cause(failure)
    if isinstance(cause, ApplicationError) and cause.type in OWN_WORDS:
        return f"{cause.type}: {cause.message}"
    return type_of(failure)
