"""Sessions without a server: the workflow's own code, run in this process, that gets each message when the test says so.

What Temporal does between a worker and the world is done here in the plainest way: an activity is taken when somebody
says so, and its answer is the next thing that the workflow hears. A session costs some milliseconds, so that every order
of what may happen can be tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar, cast
from uuid import UUID, uuid4

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import Client
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from activities.clocks import ClockActivities
from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.reconciliation import ReconciliationActivities
from activities.sessions import SessionActivities
from checkout.commands import Opening, PaymentReported, Request
from checkout.lifecycle import Status
from checkout.outcomes import Standing
from checkout.session import Due, Offer
from reconciler.further_runs import FurtherRuns
from store.database import Database
from tests.workflows.conftest import PRICE, QUICK
from tests.workflows.parties import Records, World
from worker import bound
from workflows.checkout import CheckoutWorkflow
from workflows.resuming import presented

T = TypeVar("T")

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


class Simulation(FurtherRuns):
    """A session in a *world*, in as many runs as it takes; told as FurtherRuns tells it. What stands for Temporal's client
    is this simulation itself.
    """

    def __init__(self, world: World, *, due: bool = False) -> None:
        super().__init__(cast("Client", self), cast("Database", NOBODY), "a queue")
        self.world = world
        self.opening = opened(due=due)
        self.run = Run(world, self.opening, self.opening.opened_at)
        self.runs = 1
        self._signals = count(1)

    @property
    def id(self) -> UUID:
        return self.opening.session

    def key(self, rest: str) -> str:
        """A key of the session's, which ends with *rest*."""
        return f"{self.id}/{rest}"

    def tell(self, update: str, cmd: Request) -> None:
        job = WorkflowActivationJob()
        job.do_update.id = job.do_update.protocol_instance_id = job.do_update.meta.update_id = cmd.request
        job.do_update.name = update
        job.do_update.run_validator = True
        job.do_update.input.extend(PAYLOADS.to_payloads([cmd]))
        self.run.hears(job)

    def report(self, reported: PaymentReported) -> None:
        """Pass on what a gateway reported, as the API and the reconciler do."""
        assert at_once(self.pass_on(self.opening.organisation, self.id, reported))

    def step(self, *beside: PaymentReported, again: bool = False) -> bool:
        """Give the workflow its next answer, and what is reported *beside* it; whether there was one."""
        if job := self.run.next_answer(again=again):
            self.run.hears(*(self._signalled("payment_reported", each) for each in beside), job)
        return job is not None

    def settle(self) -> None:
        """Give answers until nobody has one, but for what is to be asked again later."""
        while self.step():
            pass

    def rest(self) -> None:
        """Let what is asked again be asked again, and time pass, until the session is over or open."""
        for _ in range(20):
            while self.step(again=True):
                pass
            if self.run.over or self.world.view(self.id).status is Status.OPEN:
                return
            if timer := self.run.next_timer():
                self.run.hears(timer)
        raise AssertionError(f"never at rest: {self.world.told(self.id)}")

    # what Temporal's client does for FurtherRuns

    def get_workflow_handle(self, _: str) -> Simulation:
        return self

    async def signal(self, name: str, told: object) -> None:
        if self.run.over:
            raise RPCError("there is no such workflow, or it is over", RPCStatusCode.NOT_FOUND, b"")
        self.run.hears(self._signalled(name, told))

    async def start_workflow(self, _: object, opening: Opening, **how: Any) -> None:
        if self.run.over:
            self.run.close()
            self.run, self.runs = Run(self.world, opening, self.run.at), self.runs + 1
        await self.signal(how["start_signal"], *how["start_signal_args"])

    async def _standing(self, organisation: UUID, session: UUID) -> Standing:
        del organisation
        return Standing(state=self.world.view(session), policy=self.opening.policy)

    def _signalled(self, name: str, told: object) -> WorkflowActivationJob:
        job = WorkflowActivationJob()
        job.signal_workflow.signal_name = name
        job.signal_workflow.originating_event_id = next(self._signals)
        job.signal_workflow.input.extend(PAYLOADS.to_payloads([told]))
        return job


def parties(world: World) -> list[Any]:
    return bound(
        CustomerActivities(world),
        ContractActivities(world),
        PaymentActivities({"fake": world}, Records(world), world),
        SessionActivities(world, world),
        ReconciliationActivities(world),
        ClockActivities(NOBODY, NOBODY),
    )


def opened(*, due: bool) -> Opening:
    """A customer's session at PRICE, *due* today or without a day."""
    now = datetime.now(UTC)
    return Opening(
        organisation=uuid4(),
        session=uuid4(),
        fingerprint="a fingerprint",
        opened_at=now,
        offer=Offer(
            estimation_id="an estimate",
            details=uuid4(),
            amount_due=PRICE,
            schedule=(Due(n=1, due_on=now.date(), due_at=now, amount=PRICE),) if due else (),
            expires_at=now + timedelta(days=1),
        ),
        guest_checkout=False,
        customer=uuid4(),
        business_entity=uuid4(),
        policy=QUICK,
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


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What *work* comes to, which waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits")
