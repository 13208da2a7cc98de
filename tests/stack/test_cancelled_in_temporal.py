"""Cancel pressed in Temporal in each phase of a confirmation: all of it is undone before the workflow ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final

import pytest
from temporalio.client import Client, WorkflowFailureError

from audit.main import Sources, audit
from checkout.lifecycle import Payment, Status
from checkout.session import Mode
from store.database import Database
from tests.conftest import Stack
from tests.stack import journeys
from tests.stack.faulty_worker import FOR_GOOD, Plans
from tests.stack.journeys import COMPENSATE, PATIENCE, RETRY, Journey, Parties, Trip, WorkerProcess, lasting

BEFORE_THE_PAGE: Final = ("customers.create", "contracts.draft", "payments.open_page")


@pytest.fixture(scope="module")
def worker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    folder = tmp_path_factory.mktemp("plans")
    process = WorkerProcess(stack, Plans(folder), folder / "worker.log")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
async def parties(stack: Stack, database: Database, temporal: Client) -> AsyncIterator[Parties]:
    parties = await journeys.parties(stack, database, temporal)
    watching = asyncio.create_task(parties.watch.run())
    yield parties
    watching.cancel()
    await parties.close()


async def confirming(parties: Parties, worker: WorkerProcess, failing: str | None = None) -> Trip:
    """A guest's session that is being confirmed with a payment page; the step *failing* does so for good."""
    trip = await parties.open(Journey(Mode.CHARGE_IMMEDIATELY), worker.queue, lasting(timedelta(seconds=1)))
    if failing:
        worker.plans.make(trip.session, failing, "fail", FOR_GOOD)
    await parties.confirm(trip)
    return trip


async def cancelled(parties: Parties, trip: Trip) -> None:
    """Press Cancel, and see by the ledger and the tables that nothing is left once the workflow has ended."""
    await trip.handle.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(WorkflowFailureError):
            await trip.handle.result()

    left = await parties.left(trip)
    assert left.moved == 0
    assert set(left.contracts) <= {"void"}
    assert left.guest in {"archived", None}
    assert left.link_undone in {True, None}
    where = Sources(parties.stack.database, parties.stack.gateway, parties.stack.temporal)
    report = await audit(where, organisation=parties.organisation, session=trip.session)
    assert report.violations == ()


@pytest.mark.parametrize("step", BEFORE_THE_PAGE)
async def test_cancelled_before_the_page_leaves_nothing(parties: Parties, worker: WorkerProcess, step: str) -> None:
    trip = await confirming(parties, worker, failing=step)
    await parties.watch.until(trip.session, lambda state: state.attention is not None)

    await cancelled(parties, trip)

    state = await parties.watch.until(trip.session, lambda state: state.status is Status.CLOSED)
    assert state.payment_status is Payment.NOT_STARTED


async def test_cancelled_while_the_page_waits_closes_it(parties: Parties, worker: WorkerProcess) -> None:
    trip = await confirming(parties, worker)
    url = await parties.page_of(trip)

    await cancelled(parties, trip)

    await parties.post_the_form(url, "pay")
    assert (await parties.left(trip)).moved == 0


async def test_cancelled_when_paid_while_the_activation_fails_returns_the_money(
    parties: Parties, worker: WorkerProcess
) -> None:
    trip = await confirming(parties, worker, failing="contracts.activate")
    await parties.post_the_form(await parties.page_of(trip), "pay")
    await parties.watch.until(trip.session, lambda s: s.payment_status is Payment.PAID and s.attention is not None)

    await cancelled(parties, trip)

    state = await parties.watch.until(trip.session, lambda state: state.status is Status.CLOSED)
    assert sorted(payment.status for payment in state.payments) == ["captured", "refunded"]


async def test_cancelled_just_when_the_customer_pays_ends_with_no_money_kept(
    parties: Parties, worker: WorkerProcess
) -> None:
    trip = await confirming(parties, worker)
    url = await parties.page_of(trip)

    paying = asyncio.create_task(parties.post_the_form(url, "pay"))
    await cancelled(parties, trip)
    await paying

    assert (await parties.left(trip)).moved == 0


async def test_cancelled_while_an_operator_compensates_undoes_it_all_once(
    parties: Parties, worker: WorkerProcess
) -> None:
    trip = await confirming(parties, worker)
    await parties.page_of(trip)
    worker.plans.make(trip.session, "contracts.void", "fail", FOR_GOOD)
    await journeys.sent(trip, COMPENSATE)
    await parties.watch.until(trip.session, lambda state: state.attention is not None)

    ending = asyncio.create_task(cancelled(parties, trip))
    worker.plans.heal(trip.session)
    await journeys.sent(trip, RETRY)

    await ending
