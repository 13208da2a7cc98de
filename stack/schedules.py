"""The reconciler's schedules in Temporal: made where they are missing, brought up to date where they are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)

from checkout.commands import Reconcile
from workflows.reconciliation import SCHEDULES, ReconciliationWorkflow

CATCH_UP: Final = timedelta(minutes=1)
"""A sweep that was missed for longer is not made up for: the next one sees as much."""


async def ensure(client: Client, task_queue: str) -> None:
    """Have every sweep scheduled on *task_queue*; one at a time."""
    for name, (every, asked) in SCHEDULES.items():
        schedule = _schedule(name, every, asked, task_queue)
        try:
            await client.create_schedule(name, schedule)
        except ScheduleAlreadyRunningError:
            handle = client.get_schedule_handle(name)
            await handle.update(lambda _, schedule=schedule: ScheduleUpdate(schedule=schedule))  # type: ignore[misc]


def _schedule(name: str, every: timedelta, asked: Reconcile, task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ReconciliationWorkflow.run,
            asked,
            id=name,
            task_queue=task_queue,
            static_summary="Brings together what rows, workflows and gateway disagree on",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )
