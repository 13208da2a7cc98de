"""The clock of one session, moved with Temporal's time skipping, and its place in the Temporal UI."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import quote

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from demo.calls import PATIENCE
from demo.problems import Differs

MARGIN: Final = timedelta(minutes=1)
ONE_MOVE: Final = 30.0
"""Seconds that one move may take before it is asked for again."""
PAUSE: Final = 0.5
WELL: Final = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)


class Clocks:
    """The sessions' workflows, by workflow id."""

    def __init__(self, client: Client, ui: str | None) -> None:
        self._client = client
        self._ui = ui
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))

    @classmethod
    async def at(cls, address: str, ui: str | None) -> Self:
        """Connected to *address* (host:port) when first used."""
        return cls(await Client.connect(address, lazy=True), ui)

    def link(self, workflow: str) -> str | None:
        """Where the Temporal UI shows *workflow*; None where the stack brings none."""
        if self._ui is None:
            return None
        return f"{self._ui}/namespaces/{self._client.namespace}/workflows/{quote(workflow, safe='')}"

    async def move(self, workflow: str, to: datetime) -> None:
        """Move that one session's clock past *to*. Moved already, or ended, it stays as it is. Raises Differs."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    if await self._moved(workflow, to):
                        return
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise Differs(f"the clock did not get to {to:%Y-%m-%d %H:%M}") from None

    async def wrong_with(self, workflow: str) -> str | None:
        """What is wrong with *workflow*; None where it is running or completed."""
        handle = self._client.get_workflow_handle(workflow)
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        status = (await handle.describe()).status
                    except RPCError:
                        await asyncio.sleep(PAUSE)
                    else:
                        return None if status in WELL else f"its workflow is {status and status.name}"
        except TimeoutError:
            return "its workflow can't be found"

    async def _moved(self, workflow: str, to: datetime) -> bool:
        """Move the clock, unless that is done; False where Temporal could not be asked, or did not get to it."""
        handle = self._client.get_workflow_handle(workflow)
        try:
            if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
                return True
            now = await self._skipper.get_current_time(handle)
            if now > to:
                return True
            async with asyncio.timeout(ONE_MOVE):
                await self._skipper.fast_forward(handle, to + MARGIN - now)
        except (RPCError, RuntimeError, TimeoutError):
            return False
        return True
