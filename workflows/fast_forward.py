"""The clocks of single workflows, moved by Temporal's time skipping where its server offers that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig, WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from checkout.outcomes import ClockAhead, ClockAnswer, ClockFixed

NOT_OFFERED: Final = ClockFixed(why="The Temporal server behind this service does not offer time skipping.")
REFUSALS: Final = {RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.PERMISSION_DENIED}
"""How a server says that it does not skip time, or not for us."""

MOST_SKIPS: Final = 100_000
"""How many timers and retries one move may pass: the server's own limit of 200 is less than a year of retries."""


BEYOND: Final = timedelta(hours=1)
"""How far behind its goal the server is told to stop. Where its own goal passes while the workflow is at work, it skips on
to the next timer, however far away: so its goal must be one that the workflow, which stops it, never comes to.
"""

STOP: Final = TimeSkippingConfig(enabled=False)


def _forward(by: timedelta) -> TimeSkippingConfig:
    forward = FastForwardConfig(id=str(uuid4()))
    forward.duration.FromTimedelta(by)
    return TimeSkippingConfig(enabled=True, fast_forward_config=forward, max_session_skip_count=MOST_SKIPS)


class WorkflowClocks:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def advance(self, workflow: str, to: datetime) -> ClockAnswer:
        """Have the server skip time until the workflow's clock says *to* and beyond, it goes on after this call; or have it
        stop, where the clock is there. The server adds up what it is told, even under one id: so it is told what is left,
        from where its clock is now.
        """
        now, skipped = await self._now(workflow)
        try:
            if to > now:
                await self._skip(workflow, _forward(to - now + BEYOND))
            elif skipped:
                await self._skip(workflow, STOP)
        except RPCError as error:
            if error.status in REFUSALS:
                return NOT_OFFERED
            raise
        return ClockAhead(ahead=max(now - datetime.now(UTC), timedelta(0)))

    async def _now(self, workflow: str) -> tuple[datetime, bool]:
        """What the workflow's clock says, and whether it was ever told to skip."""
        described = await self._client.get_workflow_handle(workflow).describe()
        extended = described.raw_description.workflow_extended_info
        if not extended.HasField("time_skipping_info"):
            return datetime.now(UTC), False
        return extended.time_skipping_info.current_time.ToDatetime(UTC), True

    async def _skip(self, workflow: str, skipping: TimeSkippingConfig) -> None:
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow),
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=skipping),
            identity=self._client.identity,
        )
        request.update_mask.paths.append("time_skipping_config")
        await self._client.workflow_service.update_workflow_execution_options(request)
