"""One run of a session's workflow without a server: its own code in this process, that gets what the test gives it.

What Temporal does between a worker and the world is done here in the plainest way: an activity is taken when somebody
says so, and its answer is the next thing that the workflow hears. A session costs some milliseconds, so that every order
of what may happen can be tried.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from activities.clocks import ClockActivities
from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.reconciliation import ReconciliationActivities
from activities.sessions import SessionActivities
from checkout.commands import Opening
from tests.workflows.parties import Records, World
from worker import bound
from workflows.checkout import CheckoutWorkflow
from workflows.resuming import presented

PAYLOADS: Final = pydantic_data_converter.payload_converter
DEFINITION: Final = workflow._Definition.must_from_class(CheckoutWorkflow)
NOBODY: Final[Any] = None
NOT_YET: Final = object()
UNHEARD: Final = {"upsert_workflow_search_attributes", "modify_workflow_properties", "update_response"}
"""What the workflow says that changes nothing here."""


class Run:
    """One run of a session's workflow. *at* is its clock, which stands still unless a timer is fired. Where the world is
    *stubborn*, it answers also what nobody waits for any more.
    """

    def __init__(self, world: World, opening: Opening, at: datetime) -> None:
        self.at = at
        self.over = self.stubborn = False
        self._steps = count(1)
        self._pending: dict[int, WorkflowCommand] = {}
        self._asked: set[int] = set()
        self._cancelled: set[int] = set()
        self._timers: dict[int, datetime] = {}
        self._loop = asyncio.new_event_loop()
        self._world = ActivityEnvironment()
        self._world.info = replace(self._world.info, workflow_run_id=str(uuid4()))
        self._parties = {activity._Definition.must_from_callable(each).name: each for each in parties(world)}
        self._instance = self._loop.run_until_complete(instance_of(opening, at))
        start = WorkflowActivationJob()
        start.initialize_workflow.workflow_type = "CheckoutWorkflow"
        start.initialize_workflow.arguments.extend(PAYLOADS.to_payloads([opening]))
        self.hears(start)

    def hears(self, *jobs: WorkflowActivationJob) -> None:
        """Let the workflow hear *jobs* at once, and do what it then wants."""
        heard = WorkflowActivation(history_length=next(self._steps), jobs=jobs)
        heard.timestamp.FromDatetime(self.at)
        said = self._instance.activate(heard)
        assert not said.HasField("failed"), said.failed
        for command in said.successful.commands:
            self._takes(command)

    def _takes(self, command: WorkflowCommand) -> None:
        match kind := command.WhichOneof("variant"):
            case "schedule_activity":
                self._pending[command.schedule_activity.seq] = command
            case "request_cancel_activity":
                self._cancelled.add(command.request_cancel_activity.seq)
            case "start_timer":
                after = command.start_timer.start_to_fire_timeout.ToTimedelta()
                self._timers[command.start_timer.seq] = self.at + after
            case "cancel_timer":
                self._timers.pop(command.cancel_timer.seq, None)
            case "complete_workflow_execution":
                self.over = True
            case _:
                assert kind in UNHEARD, kind

    def next_answer(self, *, again: bool = False) -> WorkflowActivationJob | None:
        """The answer to what was asked of the world first, and can be answered; what had "not yet" as its answer is asked
        *again* only where that is said.
        """
        for seq, command in list(self._pending.items()):
            over = seq in self._cancelled
            answer = NOT_YET
            if self.stubborn if over else again or seq not in self._asked:
                self._asked.add(seq)
                answer = self._answer(command.schedule_activity.activity_type, command.schedule_activity.arguments)
            if over or answer is not NOT_YET:
                del self._pending[seq]
                return resolved(seq, answer)
        return None

    def _answer(self, name: str, arguments: Any) -> Any:
        """What the world answers, or NOT_YET."""
        party = self._parties[name]
        given = PAYLOADS.from_payloads(arguments, activity._Definition.must_from_callable(party).arg_types)
        try:
            return self._loop.run_until_complete(self._world.run(party, *given))
        except ApplicationError as error:
            if error.type == "NotYet":
                return NOT_YET
            raise

    def next_timer(self) -> WorkflowActivationJob | None:
        """The clock goes to where its next timer fires."""
        if not self._timers:
            return None
        job = WorkflowActivationJob()
        job.fire_timer.seq = min(self._timers, key=lambda seq: self._timers[seq])
        self.at = max(self.at, self._timers.pop(job.fire_timer.seq))
        return job

    def close(self) -> None:
        self._loop.close()


def parties(world: World) -> list[Any]:
    return bound(
        CustomerActivities(world),
        ContractActivities(world),
        PaymentActivities({"fake": world}, Records(world), world),
        SessionActivities(world, world),
        ReconciliationActivities(world),
        ClockActivities(NOBODY, NOBODY),
    )


async def instance_of(opening: Opening, at: datetime) -> WorkflowInstance:
    """The workflow's code, as a worker holds it."""
    run = str(uuid4())
    info = workflow.Info(
        attempt=1,
        continued_run_id=None,
        cron_schedule=None,
        execution_timeout=None,
        first_execution_run_id=run,
        headers={},
        namespace="default",
        original_execution_run_id=run,
        parent=None,
        root=None,
        priority=Priority.default,
        raw_memo={},
        retry_policy=None,
        run_id=run,
        run_timeout=None,
        search_attributes={},
        start_time=at,
        task_queue="a queue",
        task_timeout=timedelta(seconds=10),
        typed_search_attributes=TypedSearchAttributes.empty,
        workflow_id=presented(opening)["id"],
        workflow_start_time=at,
        workflow_type="CheckoutWorkflow",
    )
    return UnsandboxedWorkflowRunner().create_instance(
        WorkflowInstanceDetails(
            payload_converter_factory=lambda: PAYLOADS,
            failure_converter_class=pydantic_data_converter.failure_converter_class,
            interceptor_classes=[],
            defn=DEFINITION,
            info=info,
            randomness_seed=1,
            extern_functions={},
            disable_eager_activity_execution=True,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
    )


def resolved(seq: int, answer: Any) -> WorkflowActivationJob:
    """An activity ended with its *answer*; with NOT_YET, because the workflow wanted it to end."""
    job = WorkflowActivationJob()
    job.resolve_activity.seq = seq
    if answer is NOT_YET:
        failure = Failure()
        failure.activity_failure_info.SetInParent()
        failure.cause.canceled_failure_info.SetInParent()
        job.resolve_activity.result.cancelled.failure.CopyFrom(failure)
    else:
        job.resolve_activity.result.completed.result.CopyFrom(PAYLOADS.to_payload(answer))
    return job
