"""Sessions without a server: told as the API and the reconciler tell them, in as many runs as it takes."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar, cast
from uuid import UUID, uuid4

from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from checkout.commands import Opening, PaymentReported, Request
from checkout.lifecycle import Status
from checkout.outcomes import Standing
from checkout.session import Due, Offer
from reconciler.further_runs import FurtherRuns
from store.database import Database
from tests.workflows.conftest import PRICE, QUICK
from tests.workflows.one_run import PAYLOADS, Run
from tests.workflows.parties import World

T = TypeVar("T")

NOBODY: Final[Any] = None


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

    def close(self) -> None:
        self.run.close()

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


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What *work* comes to, which waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits")
