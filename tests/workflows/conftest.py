"""Sessions as workflows on the real Temporal server, with stand-ins for the outside parties."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateHandle, WorkflowUpdateStage
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.clocks import ClockActivities
from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.reconciliation import ReconciliationActivities
from activities.sessions import SessionActivities
from checkout.commands import Accepted, Confirm, FoundAdrift, Opening, PaymentReported, Request
from checkout.ids import page_key, workflow_of
from checkout.money import Money
from checkout.session import Due, Mode, Offer, Policy, SessionState
from checkout.terms import split
from tests.workflows.parties import Records, World
from worker import SANDBOX, WORKFLOWS, bound
from workflows.checkout import CheckoutWorkflow
from workflows.fast_forward import WorkflowClocks
from workflows.resuming import resume

PRICE = Money(minor=2999, currency="USD")
PATIENCE = 60.0
"""Seconds: several times what a workflow task may take that is lost and sent again."""
LONGEST_KEPT = 200
"""Of how many events a recorded history may be."""
QUICK = Policy(
    page_window=timedelta(minutes=30),
    rounds=(timedelta(seconds=1), timedelta(seconds=2)),
    uncertainty=timedelta(milliseconds=10),
    dunning=(),
)
"""The rules of the product with shorter rounds, so that a test sees attention within seconds, and without dunning."""


@dataclass
class Checkout:
    """One session of a test, and the world around it."""

    world: World
    handle: WorkflowHandle[Any, Any]
    opening: Opening
    skipper: TimeSkipper
    queue: str

    @property
    def id(self) -> UUID:
        return self.opening.session

    async def confirm(self, mode: Mode, **more: Any) -> Accepted:
        return await self.tell("confirm", Confirm(actor="merchant test", mode=mode, **more))

    async def tell(self, update: str, cmd: Request) -> Accepted:
        """Send an update and wait for its answer."""
        accepted: Accepted = await self.handle.execute_update(update, cmd, result_type=Accepted)
        return accepted

    async def start_confirming(self, mode: Mode) -> WorkflowUpdateHandle[Accepted]:
        """Send a confirm, and wait only until it is accepted."""
        return await self.handle.start_update(
            "confirm", Confirm(mode=mode), wait_for_stage=WorkflowUpdateStage.ACCEPTED, result_type=Accepted
        )

    async def hint(self) -> None:
        """Report that something happened at the gateway, as its webhook does."""
        await self.handle.signal(CheckoutWorkflow.payment_reported, PaymentReported(event="evt"))

    async def another_run(self, found: FoundAdrift | None = None) -> None:
        """Tell it what the reconciler found: in a further run, where its workflow is over."""
        told = ("found_adrift", found or FoundAdrift())
        await resume(self.skipper.client, self.queue, self.world.view(self.id), self.opening.policy, told)

    async def state(self) -> SessionState:
        return await self.handle.query(CheckoutWorkflow.session)

    async def until(self, holds: Callable[[SessionState], bool]) -> SessionState:
        """The published session once *holds*; fails with the last one and what was told, when it never does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    events = self.world.events.get(self.id)
                    if events and holds(events[-1].state):
                        return events[-1].state
                    await asyncio.sleep(0.01)
        shown = self.world.events[self.id][-1].state.model_dump_json(indent=1, exclude_defaults=True)
        raise AssertionError(f"after {PATIENCE:g} s the session is still\n{shown}\ntold: {self.world.told(self.id)}")

    async def until_expired(self) -> None:
        """Wait, in real time, until the session's expiry has passed."""
        while datetime.now(UTC) < self.opening.offer.expires_at:
            await asyncio.sleep(0.05)

    async def pass_time(self, by: timedelta) -> None:
        """Move this session's clock, and no other's, a minute further. The server skips nothing while an activity is asked
        again; and where its goal passes while the session is at work, as it is right after a timer, it skips on to the next.
        """
        await self.skipper.fast_forward(self.handle, by + timedelta(minutes=1))

    def page(self, attempt: int = 1) -> str:
        return page_key(self.id, attempt)


class Playground:
    """Every organisation is one to play with."""

    async def is_sandbox(self, _: UUID) -> bool:
        return True


Open = Callable[..., Any]


@pytest.fixture(scope="session")
def skipper(temporal: Client) -> TimeSkipper:
    """Moves the clock of single sessions; nothing skips by itself."""
    return TimeSkipper(temporal, config=TimeSkippingConfig(enabled=False))


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def open_session(skipper: TimeSkipper, world: World, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Opens sessions on a worker of the test's own; with --record, keeps their histories for the replay tests."""
    opened: list[Checkout] = []
    queue = f"test-{uuid4()}"
    parties = bound(
        CustomerActivities(world),
        ContractActivities(world),
        PaymentActivities({"fake": world}, Records(world), world),
        SessionActivities(world, world),
        ReconciliationActivities(world),
        ClockActivities(WorkflowClocks(skipper.client), Playground()),
    )

    async def open_it(
        *,
        guest: bool = False,
        amount: Money = PRICE,
        due: datetime | Sequence[datetime] | None = None,
        expires_in: float = 24 * 3600,
        window: float = 1800,
        **rules: Any,
    ) -> Checkout:
        now = datetime.now(UTC)
        dates = [due] if isinstance(due, datetime) else due or ()
        world.days.update({at.date(): at for at in dates})
        parts = split(amount.minor, [1] * len(dates))
        schedule = tuple(
            Due(n=n, due_on=at.date(), due_at=at, amount=Money(minor=part, currency=amount.currency))
            for n, (at, part) in enumerate(zip(dates, parts, strict=True), 1)
        )
        opening = Opening(
            organisation=uuid4(),
            session=uuid4(),
            fingerprint="a fingerprint",
            opened_at=now,
            offer=Offer(
                estimation_id="an estimate",
                details=uuid4(),
                amount_due=amount,
                schedule=schedule,
                expires_at=now + timedelta(seconds=expires_in),
            ),
            guest_checkout=guest,
            customer=None if guest else uuid4(),
            business_entity=uuid4(),
            policy=QUICK.model_copy(update={"page_window": timedelta(seconds=window), **rules}),
        )
        await skipper.client.start_workflow(
            CheckoutWorkflow.run,
            opening,
            id=workflow_of(opening.organisation, opening.session),
            task_queue=queue,
        )
        handle = skipper.client.get_workflow_handle(workflow_of(opening.organisation, opening.session))
        opened.append(Checkout(world, handle, opening, skipper, queue))
        return opened[-1]

    async with Worker(
        skipper.client, task_queue=queue, workflows=WORKFLOWS, activities=parties, workflow_runner=SANDBOX
    ):
        yield open_it
        if request.config.getoption("--record"):
            await record(opened[0], request.node.name)


async def record(checkout: Checkout, name: str) -> None:
    """Keep the session's history under the name of its test, unless it is very long, without the stack traces of the
    machine it ran on.
    """
    history = await checkout.handle.fetch_history()
    if len(history.events) > LONGEST_KEPT:
        return
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").removeprefix("test_")
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history.to_json())
    (Path(__file__).parents[1] / "histories" / f"{stem}.json").write_text(text + "\n")
