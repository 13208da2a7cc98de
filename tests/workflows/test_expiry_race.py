"""A thousand calls that arrive with the expiry: exactly one of the two wins, and everything agrees with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.contracts import ContractActivities
from activities.sessions import SessionActivities
from checkout.commands import Accepted, Cancel, Confirm, Opening, Request, Update
from checkout.ids import contract_of, workflow_of
from checkout.lifecycle import Status
from checkout.session import Mode, Offer
from tests.workflows.conftest import PRICE
from tests.workflows.parties import World
from worker import WORKFLOWS
from workflows.checkout import CheckoutWorkflow

ROUNDS: Final = {"confirm": 500, "cancel": 250, "update": 250}
AT_ONCE: Final = 80
LIVES: Final = tuple(1 + n / 40 for n in range(40))
"""Seconds from the opening to the expiry: unlike, so that the races are spread."""
AROUND: Final = 20
"""Milliseconds around the expiry within which a call arrives, as far as it can be aimed."""
BECOMES: Final[Mapping[str, Status]] = {
    "confirm": Status.COMPLETED,
    "cancel": Status.CANCELLED,
    "update": Status.OPEN,
}
"""What a session is after its call has won."""


@dataclass(frozen=True)
class Racer:
    """A session that is about to expire."""

    opening: Opening
    handle: WorkflowHandle[Any, Any]


Open = Callable[[float], Awaitable[Racer]]


@pytest.fixture
async def open_session(skipper: TimeSkipper, world: World) -> AsyncIterator[Open]:
    """Opens sessions that expire after some seconds, on a worker without the workflow sandbox, which takes half of
    the time.
    """
    queue = f"test-{uuid4()}"
    contracts, sessions = ContractActivities(world), SessionActivities(world, world)

    async def open_it(life: float) -> Racer:
        now = datetime.now(UTC)
        offer = Offer(
            estimation_id="an estimate",
            details=uuid4(),
            amount_due=PRICE,
            schedule=(),
            expires_at=now + timedelta(seconds=life),
        )
        opening = Opening(
            organisation=uuid4(),
            session=uuid4(),
            fingerprint="a fingerprint",
            opened_at=now,
            offer=offer,
            guest_checkout=False,
            customer=uuid4(),
            business_entity=uuid4(),
        )
        workflow = workflow_of(opening.organisation, opening.session)
        await skipper.client.start_workflow(CheckoutWorkflow.run, opening, id=workflow, task_queue=queue)
        return Racer(opening, skipper.client.get_workflow_handle(workflow))

    async with Worker(
        skipper.client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[contracts.draft, contracts.activate, contracts.void, sessions.publish],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield open_it


@dataclass
class Aim:
    """How long before the expiry a call must be sent to arrive with it: a moment more after each that was too late, a
    moment less after each that was not.
    """

    lead: timedelta = timedelta()
    rounds: int = 0
    won: int = 0
    lost: int = 0

    def moment(self, expires: datetime) -> datetime:
        """When to send the next call: its arrival differs from the one before by a few of the milliseconds around."""
        self.rounds += 1
        return expires - self.lead + timedelta(milliseconds=self.rounds * 7 % (2 * AROUND + 1) - AROUND)

    def learn(self, *, won: bool) -> None:
        self.won, self.lost = self.won + won, self.lost + (not won)
        self.lead += timedelta(milliseconds=-1 if won else 1)


def command(call: str, racer: Racer) -> Request:
    if call == "confirm":
        return Confirm(mode=Mode.NO_PAYMENT)
    later = racer.opening.offer.expires_at + timedelta(hours=1)
    offer = racer.opening.offer.model_copy(update={"expires_at": later})
    return Cancel() if call == "cancel" else Update(offer=offer, revision=1)


async def told(racer: Racer, call: str) -> Accepted | None:
    """The answer to the call; None where it came too late, refused by the session or because it has ended."""
    try:
        accepted: Accepted = await racer.handle.execute_update(call, command(call, racer), result_type=Accepted)
    except WorkflowUpdateFailedError:
        return None
    except RPCError as error:
        assert error.status is RPCStatusCode.NOT_FOUND  # noqa: PT017 - any other is a bug
        return None
    return accepted


async def failed_tasks(racer: Racer) -> int:
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    return sum(event.event_type == failed for event in (await racer.handle.fetch_history()).events)


async def raced(open_session: Open, world: World, call: str, life: float, aim: Aim) -> None:
    """One round: a session, a call that arrives about when it expires, and what is true afterwards."""
    racer = await open_session(life)
    expires = racer.opening.offer.expires_at
    moment = aim.moment(expires)
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds())

    answer = await told(racer, call)
    aim.learn(won=answer is not None)

    if answer is None or call != "update":
        await racer.handle.result()
    state = world.view(racer.opening.session)
    contract = world.contracts.get(contract_of(racer.opening.session, 1))
    assert contract == ("active" if answer and call == "confirm" else None)
    if answer:
        assert state == answer.state
        assert state.status is BECOMES[call]
        assert world.events[racer.opening.session][1].at < expires
        assert "checkout_session.closed" not in world.told(racer.opening.session)
    else:
        assert state.status is Status.CLOSED
        assert world.told(racer.opening.session) == ["checkout_session.opened", "checkout_session.closed"]
    assert await failed_tasks(racer) == 0


@pytest.mark.parametrize(("call", "rounds"), ROUNDS.items())
async def test_of_a_call_and_the_expiry_at_once_exactly_one_wins(
    open_session: Open, world: World, call: str, rounds: int, record_property: Callable[[str, object], None]
) -> None:
    aim, turn = Aim(), asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await raced(open_session, world, call, LIVES[number % len(LIVES)], aim)

    await asyncio.gather(*map(one, range(rounds)))

    record_property("won", aim.won)
    assert world.pages == world.charges == {}
    assert aim.won, f"no {call} won of {rounds}"
    assert aim.lost, f"every {call} won of {rounds}"
