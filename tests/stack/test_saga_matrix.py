"""Each step of each mode x what can go wrong with it: every session ends completed, or exactly undone.

All sessions run at the same time, on workers of the tests' own: one whose steps fail, and one that is killed whenever
the sessions meant for it stand at their points. What became of them is read from the gateway's ledger and the tables.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from temporalio.client import Client

from audit.main import Sources, audit
from checkout.commands import Request, Retry
from checkout.lifecycle import Status
from checkout.session import Mode, SessionState
from store.database import Database
from tests.conftest import Stack
from tests.stack import journeys
from tests.stack.faulty_worker import FOR_A_WHILE, FOR_GOOD, ONCE, Plans
from tests.stack.journeys import COMPENSATE, PATIENCE, RETRY, Journey, Left, Parties, Trip, WorkerProcess, lasting

PRICE: Final = 50000
AT_ONCE: Final = 12
"""Sessions in trouble at the same time, beside those that wait for a death."""
OLDEST: Final = 8.0
"""Seconds after which one that waits for its death gets it, although others are not at their points yet."""

PAGE, NOTHING, DUE = Mode.CHARGE_IMMEDIATELY, Mode.NO_PAYMENT, Mode.CHARGE_WHEN_DUE


@dataclass(frozen=True)
class Fault:
    """What is done to a step, how often, and what an operator decides once it asks for attention."""

    does: str
    times: int = ONCE
    decision: str | None = None

    @property
    def kills(self) -> bool:
        return self.does.endswith("wait_for_death")


PASSING: Final = {
    "fails for a while": Fault("fail", FOR_A_WHILE),
    "loses its answer": Fault("lose_the_answer"),
    "never answers": Fault("fall_silent"),
    "worker killed before": Fault("wait_for_death"),
    "worker killed after": Fault("take_effect_and_wait_for_death"),
}
FAILS_UNTIL_RETRIED: Final = Fault("fail", FOR_GOOD, "retry")
FAILS_UNTIL_COMPENSATED: Final = Fault("fail", FOR_GOOD, "compensate")
UNANSWERED_UNTIL_COMPENSATED: Final = Fault("lose_the_answer", FOR_GOOD, "compensate")
REJECTED_UNTIL_RETRIED: Final = Fault("reject", FOR_GOOD, "retry")
REJECTED_UNTIL_COMPENSATED: Final = Fault("reject", FOR_GOOD, "compensate")
REFUSED: Final = Fault("refuse")


@dataclass(frozen=True)
class Way:
    """A journey, the *steps* of it that get into trouble, and what goes wrong with it anyway, so that they are taken.
    *undone* says whether it ends undone without more trouble; *back* whether its steps are steps back, or too late to
    be compensated.
    """

    journey: Journey
    steps: tuple[str, ...]
    anyway: tuple[tuple[str, str], ...] = ()
    undone: bool = False
    back: bool = False


CREATE, ARCHIVE = "customers.create", "customers.archive"
DRAFT, ACTIVATE, VOID = "contracts.draft", "contracts.activate", "contracts.void"
CHOOSE, OPEN, ASK = "payments.choose_method", "payments.open_page", "payments.page_outcome"
CLOSE, CHARGE, REFUND, LOOK_UP = "payments.close_page", "payments.charge", "payments.refund", "payments.look_up"
STEPS: Final = (CHOOSE, CREATE, DRAFT, OPEN, ASK, ACTIVATE, CHARGE, CLOSE, REFUND, VOID, ARCHIVE, LOOK_UP)
"""Every step, in the order in which sessions come to them."""
AT_THE_GATEWAY: Final = {OPEN, ASK, CHARGE, CLOSE, REFUND, LOOK_UP}
REFUSABLE: Final = {CHOOSE, DRAFT, ACTIVATE}
TOO_LATE: Final = ((ACTIVATE, "refuse"),)

WAYS: Final = {
    "a guest pays nothing": Way(Journey(NOTHING), (CREATE, DRAFT, ACTIVATE)),
    "a known guest pays nothing": Way(Journey(NOTHING, "known guest"), (CREATE, ACTIVATE)),
    "a customer pays nothing": Way(Journey(NOTHING, "customer"), (ACTIVATE,)),
    "a guest pays at the page": Way(Journey(PAGE), (CREATE, DRAFT, OPEN, ASK, ACTIVATE)),
    "a customer pays at the page": Way(Journey(PAGE, "customer"), (OPEN,)),
    "a guest leaves the page": Way(Journey(PAGE, at_the_page="leave"), (CLOSE,), undone=True),
    "a guest's page is compensated": Way(
        Journey(PAGE, at_the_page="compensate"), (CLOSE, REFUND, VOID, ARCHIVE), undone=True, back=True
    ),
    "a guest's payment is returned": Way(
        Journey(PAGE), (CLOSE, REFUND, VOID, ARCHIVE), TOO_LATE, undone=True, back=True
    ),
    "a customer's refund is looked up": Way(
        Journey(PAGE, "customer"), (LOOK_UP,), (*TOO_LATE, (REFUND, "lose_the_answer")), undone=True, back=True
    ),
    "a customer is charged when due": Way(Journey(DUE, "customer"), (CHOOSE, DRAFT, ACTIVATE)),
    "a customer's charge is due": Way(Journey(DUE, "customer"), (CHARGE,), back=True),
    "a customer's charge is looked up": Way(
        Journey(DUE, "customer"), (LOOK_UP,), ((CHARGE, "lose_the_answer"),), back=True
    ),
    "a customer is not charged after all": Way(Journey(DUE, "customer"), (VOID,), TOO_LATE, undone=True, back=True),
}


@dataclass(frozen=True)
class Case:
    """One square of the matrix."""

    name: str
    way: Way
    step: str
    fault: Fault

    @property
    def undone(self) -> bool:
        return self.way.undone or self.fault.does == "refuse" or self.fault.decision == "compensate"

    @property
    def is_silent(self) -> bool:
        return self.fault.does == "fall_silent"

    @property
    def policy(self) -> Any:
        """Rounds that end soon where somebody is to decide; else so long that no one is asked."""
        return lasting(timedelta(seconds=2.5 if self.fault.times > ONCE else 60))

    def decided(self, state: SessionState) -> Request | None:
        """What an operator does about what asks for attention; on the way back, only a retry helps."""
        if state.attention is None or self.fault.decision is None:
            return None
        if self.fault.decision == "compensate" in state.attention.can:
            return COMPENSATE.model_copy(update={"then": "close"})
        return RETRY


def faults(way: Way, step: str) -> dict[str, Fault]:
    """What can go wrong with a step: our own can be refused for good, the gateway's rejected as malformed."""
    found = {**PASSING, "fails until retried": FAILS_UNTIL_RETRIED}
    if step in AT_THE_GATEWAY:
        found["rejected until retried"] = REJECTED_UNTIL_RETRIED
    if not way.back:
        found["fails until compensated"] = FAILS_UNTIL_COMPENSATED
        found["loses its answers until compensated"] = UNANSWERED_UNTIL_COMPENSATED
    if not way.back and step in AT_THE_GATEWAY:
        found["rejected until compensated"] = REJECTED_UNTIL_COMPENSATED
    if not way.back and step in REFUSABLE:
        found["refused"] = REFUSED
    return found


def cases() -> Iterator[Case]:
    for name, way in WAYS.items():
        for step in way.steps:
            for said, fault in faults(way, step).items():
                yield Case(f"{name}: {step} {said}", way, step, fault)


CASES: Final = {case.name: case for case in cases()}


@dataclass
class Ending:
    """How a case ended; *error* where it did not."""

    case: Case
    trip: Trip
    struck: bool = False
    state: SessionState | None = None
    error: BaseException | None = None
    left: Left | None = None
    violations: tuple[str, ...] = ()


class Matrix:
    """Runs every case, most of them at the same time, and says how each ended."""

    def __init__(self, parties: Parties, plans: Plans, troubled: WorkerProcess, doomed: WorkerProcess) -> None:
        self._parties = parties
        self._plans = plans
        self._troubled = troubled
        self._doomed = doomed
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting: dict[Path, bool] = {}
        self._killed = asyncio.Event()

    async def run(self, chosen: list[Case]) -> dict[str, Ending]:
        """How each of the *chosen* ended, by its name."""
        background = [asyncio.create_task(each) for each in (self._kill_for_ever(), self._parties.watch.run())]
        doomed = sorted((case for case in chosen if case.fault.kills), key=lambda case: -STEPS.index(case.step))
        others = [case for case in chosen if not case.fault.kills]
        endings = asyncio.gather(self._die(doomed), self._get_into_trouble(others, after=bool(doomed)))
        unended: set[asyncio.Future[Any]] = {endings, *background}
        await asyncio.wait(unended, return_when=asyncio.FIRST_COMPLETED)
        for task in background:
            if task.done():
                task.result()
            task.cancel()
        return {ending.case.name: ending for each in endings.result() for ending in each}

    async def _die(self, cases: list[Case]) -> list[Ending]:
        """All of them at once, those with the longest way to their point first, so that few deaths are enough."""
        trips = await asyncio.gather(*(self._opened(case, self._doomed.queue) for case in cases))
        await asyncio.gather(*(self._parties.watch.after(trip.session, 0) for trip in trips))
        self._waiting = {self._plans.struck(t.session, c.step): True for c, t in zip(cases, trips, strict=True)}
        return await asyncio.gather(*map(self._driven, cases, trips))

    async def _get_into_trouble(self, cases: list[Case], *, after: bool) -> list[Ending]:
        """Some at a time, while the doomed wait until their worker is missed; not those that only wait themselves."""
        if after:
            await self._killed.wait()
        return await asyncio.gather(*map(self._troubled_one, sorted(cases, key=lambda case: not case.is_silent)))

    async def _troubled_one(self, case: Case) -> Ending:
        async with contextlib.nullcontext() if case.is_silent else self._turn:
            return await self._driven(case, await self._opened(case, self._troubled.queue))

    async def _opened(self, case: Case, queue: str) -> Trip:
        trip = await self._parties.open(case.way.journey, queue, case.policy)
        for step, fault in case.way.anyway:
            self._plans.make(trip.session, step, fault, ONCE)
        self._plans.make(trip.session, case.step, case.fault.does, case.fault.times)
        return trip

    async def _driven(self, case: Case, trip: Trip) -> Ending:
        struck = self._plans.struck(trip.session, case.step)
        ending = Ending(case, trip)
        try:
            async with asyncio.timeout(PATIENCE):
                ending.state = await self._parties.drive(trip, lambda *asked: self._decided(case, *asked))
        except Exception as error:  # noqa: BLE001 - its test raises it
            ending.error = error
        self._waiting.pop(struck, None)
        ending.struck = struck.exists()
        ending.left = await self._parties.left(trip)
        return ending

    def _decided(self, case: Case, trip: Trip, state: SessionState) -> Request | None:
        decision = case.decided(state)
        if isinstance(decision, Retry):
            self._plans.heal(trip.session)
        return decision

    async def _kill_for_ever(self) -> None:
        """Kill the worker when every session that waits for it stands at its point, or one has stood there for long."""
        loop = asyncio.get_running_loop()
        since: dict[Path, float] = {}
        while True:
            await asyncio.sleep(0.05)
            self._troubled.check()
            self._doomed.check()
            alive = [struck for struck, waits in self._waiting.items() if waits]
            ready = [struck for struck in alive if struck.exists()]
            for struck in ready:
                since.setdefault(struck, loop.time())
            if not ready or (len(ready) < len(alive) and loop.time() - min(since[s] for s in ready) < OLDEST):
                continue
            self._doomed.kill()
            self._doomed.start()
            self._killed.set()
            self._waiting |= dict.fromkeys(ready, False)
            for struck in ready:
                del since[struck]


@pytest.fixture(scope="module")
async def endings(
    request: pytest.FixtureRequest,
    stack: Stack,
    database: Database,
    temporal: Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, Ending]]:
    """How the cases of the selected tests ended, judged by the checker."""
    folder = tmp_path_factory.mktemp("plans")
    plans = Plans(folder)
    parties = await journeys.parties(stack, database, temporal)
    troubled, doomed = (WorkerProcess(stack, plans, folder / f"{name}.log") for name in ("troubled", "doomed"))
    selected = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    troubled.start()
    doomed.start()
    try:
        chosen = [case for name, case in CASES.items() if name in selected]
        ended = await Matrix(parties, plans, troubled, doomed).run(chosen)
        where = Sources(stack.database, stack.gateway, stack.temporal)
        report = await audit(where, organisation=parties.organisation)
        by_session: dict[UUID, Ending] = {ending.trip.session: ending for ending in ended.values()}
        for violation in report.violations:
            by_session[violation.session].violations += (f"{violation.invariant}: {violation.detail}",)
        yield ended
    finally:
        troubled.kill()
        doomed.kill()
        await parties.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_the_session_is_completed_or_exactly_undone_when(endings: dict[str, Ending], case: Case) -> None:
    ending = endings[case.name]
    if ending.error:
        raise ending.error
    assert ending.struck, "nothing went wrong"
    assert ending.state
    assert ending.left
    assert ending.violations == ()

    completed = ending.state.status is Status.COMPLETED
    pays = case.way.journey.mode is not NOTHING
    assert completed is not case.undone
    assert ending.left.moved == (PRICE if completed and pays else 0)
    assert ending.left.contracts == ["active"] if completed else set(ending.left.contracts) <= {"void"}
    assert ending.state.attention is None
    assert_people(case, ending, completed=completed)


def assert_people(case: Case, ending: Ending, *, completed: bool) -> None:
    """A guest is a customer only of what was completed, and who was one before stays what they were."""
    assert ending.left
    buyer = case.way.journey.buyer
    if buyer == "guest":
        assert ending.left.guest in ({"active"} if completed else {"archived", None})
    else:
        assert ending.left.guest is None
        assert ending.left.customer == ending.trip.before
    if buyer != "customer":
        assert ending.left.link_undone in ({False} if completed else {True, None})
