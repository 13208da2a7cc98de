"""The session view's side effect, as an activity."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from checkout.commands import Publish


class Views(Protocol):
    """The row per session that lists and reads use, and its events."""

    async def publish(self, cmd: Publish) -> None: ...


class SessionActivities:
    def __init__(self, views: Views) -> None:
        self._views = views

    @activity.defn(name="sessions.publish")
    async def publish(self, cmd: Publish) -> None:
        """Write the view, which can only grow newer, and one row per event, in one transaction."""
        await self._views.publish(cmd)
