"""The session's own clock: ahead of the machine's where a merchant who tests moved it (docs/decisions/0022)."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from activities.clocks import ClockActivities
from checkout.commands import AdvanceClock, MoveClock
from checkout.outcomes import ClockAhead, ClockAnswer, ClockFixed
from workflows.live import LiveSession
from workflows.policies import STEP


class Clock:
    """Moves the time that the session's timers and `workflow.now()` go by."""

    def __init__(self, live: LiveSession) -> None:
        self._live = live

    async def move(self, cmd: MoveClock) -> str | None:
        """Wait until the session's clock is where it is told to be; why it can't be moved, where it can't. What falls due
        on the way is done by `run`, as ever, and all of it by this run.
        """
        self._live.clock_moving = True
        answer = await self._advance(cmd.to)
        if isinstance(answer, ClockFixed):
            self._live.clock_moving = False
            return answer.why
        to = {"to": cmd.to.isoformat()}
        self._live.change("checkout_session.clock_moving", by=cmd, data=to, clock_ahead=answer.ahead)
        await self._until_there(cmd.to)
        answer = await self._stop()
        ahead = answer.ahead if isinstance(answer, ClockAhead) else self._live.state.clock_ahead
        self._live.change("checkout_session.clock_moved", by=cmd, clock_ahead=ahead)
        self._live.clock_moving = False
        return None

    async def restore(self) -> None:
        """A further run begins at the machine's time: go to where the session's clock was in the run before. A run that
        was continued as new keeps it.
        """
        ahead = self._live.state.clock_ahead
        if ahead is None or workflow.info().continued_run_id:
            return
        to = workflow.now() + ahead
        if isinstance(await self._advance(to), ClockFixed):
            self._live.note(clock_ahead=None)
        else:
            await self._until_there(to)
            await self._stop()

    async def _until_there(self, to: datetime) -> None:
        """Wait for the server, which passes the time as soon as nothing of the session is under way."""
        while (left := to - workflow.now()).total_seconds() > 0:
            await workflow.sleep(left, summary="The session's clock is moved")

    async def _stop(self) -> ClockAnswer:
        """Go on at the machine's speed; says how far ahead the clock is."""
        return await self._advance(workflow.now())

    async def _advance(self, to: datetime) -> ClockAnswer:
        """Have it moved; to where it is already, that it stops there."""
        command = AdvanceClock(**self._live.effect(), to=to)
        return await workflow.execute_activity_method(
            ClockActivities.advance, command, summary=f"To {to:%Y-%m-%d %H:%M} UTC", **STEP
        )
