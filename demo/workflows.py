"""The place of sessions in Temporal: their workflows in its UI, and whether those are well."""

from __future__ import annotations

import asyncio
from typing import Final, Self
from urllib.parse import quote

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from demo.calls import PATIENCE

PAUSE: Final = 0.5
WELL: Final = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)


class Workflows:
    """The sessions' workflows, by workflow id."""

    def __init__(self, client: Client, ui: str | None) -> None:
        self._client = client
        self._ui = ui

    @classmethod
    async def at(cls, address: str, ui: str | None) -> Self:
        """Connected to *address* (host:port) when first used."""
        return cls(await Client.connect(address, lazy=True), ui)

    def link(self, workflow: str) -> str | None:
        """Where the Temporal UI shows *workflow*; None where the stack brings none."""
        if self._ui is None:
            return None
        return f"{self._ui}/namespaces/{self._client.namespace}/workflows/{quote(workflow, safe='')}"

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
