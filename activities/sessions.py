"""The session view's side effect, as an activity."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from checkout.commands import Effect, FindLooseEnds, Publish
from checkout.outcomes import LooseEnds, Published, Standing


class Views(Protocol):
    """The row per session that lists and reads use, and its events. A workflow run names itself, so that what another
    run of the same session wrote is told apart.
    """

    async def publish(self, cmd: Publish, run: str) -> Published: ...


class Rows(Protocol):
    """Where a session stands by its rows, and what they hold that is no part of it."""

    async def standing(self, cmd: Effect, run: str) -> Standing: ...

    async def loose_ends(self, cmd: FindLooseEnds) -> LooseEnds: ...


class SessionActivities:
    def __init__(self, views: Views, rows: Rows) -> None:
        self._views = views
        self._rows = rows

    @activity.defn(name="sessions.publish")
    async def publish(self, cmd: Publish) -> Published:
        """Write the view, which can only grow newer, and one row per event, in one transaction."""
        return await self._views.publish(cmd, activity.info().workflow_run_id or "")

    @activity.defn(name="sessions.standing")
    async def standing(self, cmd: Effect) -> Standing:
        """Take over from the run before this one, and say where the session stands: what was published last."""
        return await self._rows.standing(cmd, activity.info().workflow_run_id or "")

    @activity.defn(name="sessions.loose_ends")
    async def loose_ends(self, cmd: FindLooseEnds) -> LooseEnds:
        """Find money, contracts and a customer that are of this session, and no part of it."""
        return await self._rows.loose_ends(cmd)
