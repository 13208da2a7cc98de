"""Temporal's side of the evidence: the runs of a session's workflow, read event by event; no query is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from audit.evidence import Activity, Run, UpdateCall
from checkout.commands import Accepted, Opening
from checkout.ids import workflow_of

TYPE: Final = "CheckoutWorkflow"
NO_FAULT: Final = frozenset(
    {"RESET_WORKFLOW", "UNHANDLED_COMMAND", "RESET_STICKY_TASK_QUEUE", "UNHANDLED_UPDATE", "FORCE_CLOSE_COMMAND"}
)
"""Why a workflow task may have failed although nothing is wrong with it: the workflow was reset or terminated, or
something arrived while it ran.
"""


async def runs(client: Client, organisation: UUID, session: UUID | None) -> dict[UUID, list[WorkflowExecution]]:
    """The executions of the organisation's sessions, or of one *session*, as Temporal lists them."""
    begin = f"checkout/{organisation}/{session or ''}"
    found: defaultdict[UUID, list[WorkflowExecution]] = defaultdict(list)
    async for each in client.list_workflows(f"WorkflowType = '{TYPE}' AND WorkflowId STARTS_WITH '{begin}'"):
        found[UUID(each.id.rpartition("/")[2])].append(each)
    return found


async def latest(client: Client, organisation: UUID, session: UUID) -> list[WorkflowExecution]:
    """The latest execution of a session, asked for by its id: the list may lag behind. Empty where there is none."""
    try:
        return [await client.get_workflow_handle(workflow_of(organisation, session)).describe()]
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return []
        raise


async def run(client: Client, execution: WorkflowExecution) -> Run:
    """One run of a session's workflow, with what its history says."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    described = await handle.describe()
    reader = _Reader(client)
    await reader.read(handle.fetch_history_events())
    return Run(
        run_id=execution.run_id,
        status=described.status.name if described.status else "UNKNOWN",
        started_at=described.start_time,
        opening=reader.opening,
        activities=tuple(reader.activities.values()),
        updates=tuple(reader.updates.values()),
        failed_tasks=tuple(reader.failed_tasks),
    )


class _Reader:
    """Picks from a history what is evidence."""

    def __init__(self, client: Client) -> None:
        self._converter = client.data_converter
        self.opening: Opening | None = None
        self.activities: dict[int, Activity] = {}
        self.updates: dict[int, UpdateCall] = {}
        self.failed_tasks: list[str] = []
        self._admitted: dict[int, str] = {}

    async def read(self, events: AsyncIterator[HistoryEvent]) -> None:
        async for event in events:
            if reads := READS.get(event.event_type):
                await reads(self, event)

    async def _decoded(self, payloads: Iterable[Payload], hint: type | None = None) -> Any:
        """The first of *payloads*, as JSON unless a type is hinted; None where there is none."""
        given = list(payloads)
        return (await self._converter.decode(given, [hint] if hint else None))[0] if given else None

    async def started(self, event: HistoryEvent) -> None:
        given = event.workflow_execution_started_event_attributes.input.payloads
        self.opening = await self._decoded(given, Opening)

    async def scheduled(self, event: HistoryEvent) -> None:
        told = event.activity_task_scheduled_event_attributes
        self.activities[event.event_id] = Activity(
            name=told.activity_type.name,
            number=event.event_id,
            at=event.event_time.ToDatetime(UTC),
            input=await self._decoded(told.input.payloads) or {},
        )

    async def done(self, event: HistoryEvent) -> None:
        told = event.activity_task_completed_event_attributes
        result = await self._decoded(told.result.payloads)
        known = self.activities[told.scheduled_event_id]
        self.activities[told.scheduled_event_id] = replace(known, ended=event.event_id, result=result)

    async def admitted(self, event: HistoryEvent) -> None:
        """After a reset, updates are applied again: their requests then stand here, not where they are accepted."""
        self._admitted[event.event_id] = event.workflow_execution_update_admitted_event_attributes.request.input.name

    async def accepted(self, event: HistoryEvent) -> None:
        told = event.workflow_execution_update_accepted_event_attributes
        again = self._admitted.get(told.accepted_request_sequencing_event_id, "")
        name = told.accepted_request.input.name or again
        self.updates[event.event_id] = UpdateCall(name=name, number=event.event_id)

    async def answered(self, event: HistoryEvent) -> None:
        told = event.workflow_execution_update_completed_event_attributes
        answer: Accepted | None = await self._decoded(told.outcome.success.payloads, Accepted)
        self.updates[told.accepted_event_id] = replace(
            self.updates[told.accepted_event_id],
            answered=event.event_id,
            failed=told.outcome.HasField("failure"),
            state=answer.state if answer else None,
        )

    async def task_failed(self, event: HistoryEvent) -> None:
        cause = event.workflow_task_failed_event_attributes.cause
        name = WorkflowTaskFailedCause.Name(cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
        if name not in NO_FAULT:
            self.failed_tasks.append(name)


READS: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _Reader.started,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _Reader.scheduled,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _Reader.done,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _Reader.admitted,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _Reader.accepted,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _Reader.answered,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: _Reader.task_failed,
}
"""What is read of each type of event; of any other, nothing."""
