"""The clocks of single sessions, as an activity."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from temporalio import activity

from checkout.commands import AdvanceClock
from checkout.ids import workflow_of
from checkout.outcomes import ClockAhead, ClockAnswer, ClockFixed

LIVE: Final = ClockFixed(why="The organisation is live: only a sandbox organisation's sessions have a clock to move.")


class Clocks(Protocol):
    """The time that workflows go by. One runs ahead until it is moved to where it is: that stops it."""

    async def advance(self, workflow: str, to: datetime) -> ClockAnswer: ...


class Organisations(Protocol):
    """Whether an organisation is one to play with, where no money is real."""

    async def is_sandbox(self, organisation: UUID) -> bool: ...


class ClockActivities:
    def __init__(self, clocks: Clocks, organisations: Organisations) -> None:
        self._clocks = clocks
        self._organisations = organisations

    @activity.defn(name="clocks.advance")
    async def advance(self, cmd: AdvanceClock) -> ClockAhead | ClockFixed:
        """Let the clock of a sandbox session run ahead, as soon as nothing of the session is under way; or stop it there."""
        if not await self._organisations.is_sandbox(cmd.organisation):
            return LIVE
        return await self._clocks.advance(workflow_of(cmd.organisation, cmd.session), cmd.to)
