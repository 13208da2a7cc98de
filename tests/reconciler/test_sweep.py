"""A sweep over organisations of which one thing fails: it is named and left for the next sweep, and stops nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from checkout.commands import FoundAdrift, MethodSaved, PaymentReported, Publish, Reconcile
from checkout.ids import page_key
from checkout.money import Money
from checkout.outcomes import Captured, LookUpAnswer, NotFound
from gateways.port import Account, GatewayEvent, GatewayRejected, Moved, Posted
from reconciler.further_runs import FurtherRuns
from reconciler.sweep import Sweep
from store import gateway_events, reconciliation
from store.database import Database
from store.session_view import SessionView
from tests.conftest import new_organisation
from tests.store.test_steps import changed, opened
from tests.workflows.parties import World

NOW = Reconcile(window=timedelta(hours=1), rest=timedelta(0))
PRICE = Money(minor=50000, currency="USD")


class Sessions(FurtherRuns):
    """Sessions that hear what they are told, but for those that can't be reached *away* more times."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self.away: Counter[UUID] = Counter()

    async def pass_on(self, organisation: UUID, session: UUID, reported: PaymentReported) -> bool:
        del organisation
        if self.away[session]:
            self.away[session] -= 1
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.told.append(reported.key)
        return True

    async def method_saved(self, organisation: UUID, session: UUID, saved: MethodSaved) -> bool:
        del organisation, session, saved
        return False

    async def go_on(self, organisation: UUID, session: UUID) -> bool:
        del organisation, session
        return False

    async def set_right(self, organisation: UUID, session: UUID, found: FoundAdrift) -> bool:
        del organisation, session, found
        return False


class Gateway(World):
    """A gateway that lists what was captured at it, and rejects being asked about *poisoned* keys."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: dict[UUID, list[Moved]] = {}
        self.poisoned: set[str] = set()

    def capture(self, organisation: UUID, session: UUID) -> str:
        """Money under the key of a page of the session's that its rows know nothing of."""
        key = page_key(session, 1)
        self.pages[key] = Captured(reference=f"pay_{key}", amount=PRICE)
        self.listed.setdefault(organisation, []).append(Moved(key, session, PRICE, datetime.now(UTC)))
        return key

    async def captures(self, account: Account, since: datetime) -> list[Moved]:
        del since
        return self.listed.get(account.organisation, [])

    async def look_up(self, posted: Posted) -> LookUpAnswer:
        if posted.key in self.poisoned:
            raise GatewayRejected("look_up: 400")
        answer: LookUpAnswer = self.pages.get(posted.key, NotFound())
        return answer


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def sweep(temporal: Client, database: Database, gateway: Gateway, sessions: Sessions) -> Sweep:
    return Sweep(temporal, database, {"sandbox": gateway}, sessions)


async def session_of(database: Database, organisation: UUID) -> UUID:
    """A session that has its row."""
    opening = await opened(database, organisation)
    await SessionView(database).publish(Publish(events=(changed(opening.state(), 1),)), "a run")
    return opening.session


async def status_of(database: Database, organisation: UUID, key: str) -> str | None:
    async with database.of(organisation) as connection:
        return (await reconciliation.statuses(connection, [key])).get(key)


async def test_a_session_that_could_not_be_told_of_its_money_is_told_by_the_next_sweep_and_once(
    sweep: Sweep, sessions: Sessions, gateway: Gateway, database: Database, organisation: UUID
) -> None:
    session = await session_of(database, organisation)
    key = gateway.capture(organisation, session)
    sessions.away[session] = 1

    assert f"{organisation}/{key}" in (await sweep.sweep(NOW)).failed
    for _ in range(2):
        await sweep.sweep(NOW)

    assert sessions.told.count(key) == 1
    assert await status_of(database, organisation, key) == "captured"


async def test_a_capture_that_cannot_be_looked_up_hides_no_other(
    sweep: Sweep, sessions: Sessions, gateway: Gateway, database: Database, organisation: UUID
) -> None:
    bad, good = [gateway.capture(organisation, await session_of(database, organisation)) for _ in range(2)]
    gateway.poisoned.add(bad)

    done = await sweep.sweep(NOW)

    assert f"{organisation}/{bad}" in done.failed
    assert good in sessions.told
    assert await status_of(database, organisation, good) == "captured"


async def test_an_event_that_cannot_be_passed_on_hides_no_other(
    sweep: Sweep, sessions: Sessions, database: Database, organisation: UUID
) -> None:
    events = [GatewayEvent(f"evt_{uuid4().hex}", "page.paid", organisation, uuid4(), uuid4().hex) for _ in range(3)]
    async with database.unbound() as connection:
        for event in events:
            await gateway_events.keep(connection, "sandbox", event)
    sessions.away[unreachable(events[1])] = 1

    done = await sweep.sweep(NOW)

    assert f"events/sandbox/{events[1].id}" in done.failed
    assert {events[0].key, events[2].key} <= {*sessions.told}
    await sweep.sweep(NOW)
    assert events[1].key in sessions.told


@pytest.mark.parametrize("everything", [True, False])
async def test_an_event_that_has_waited_for_long_is_passed_on_by_the_sweep_of_everything(
    sweep: Sweep, sessions: Sessions, database: Database, organisation: UUID, *, everything: bool
) -> None:
    event = GatewayEvent(f"evt_{uuid4().hex}", "page.paid", organisation, uuid4(), uuid4().hex)
    async with database.unbound() as connection:
        await gateway_events.keep(connection, "sandbox", event)
        await connection.execute(
            "UPDATE gateway_events SET received_at = now() - interval '30 days' WHERE id = %s", (event.id,)
        )

    await sweep.sweep(NOW.model_copy(update={"everything": everything}))

    assert (event.key in sessions.told) == everything


def unreachable(event: GatewayEvent) -> UUID:
    assert event.reference
    return event.reference


@pytest.fixture
async def elsewhere(database: Database) -> AsyncIterator[UUID]:
    """An organisation whose gateway this worker has no adapter of."""
    organisation = await new_organisation(database)
    await use(database, organisation, "elsewhere")
    yield organisation
    await use(database, organisation, "sandbox")


async def use(database: Database, organisation: UUID, gateway: str) -> None:
    async with database.unbound() as connection:
        given: dict[str, Any] = {"id": organisation, "gateway": gateway}
        await connection.execute("UPDATE organisations SET gateway = %(gateway)s WHERE id = %(id)s", given)


async def test_an_organisation_whose_gateway_has_no_adapter_is_named_and_the_others_are_seen_to(
    sweep: Sweep, sessions: Sessions, gateway: Gateway, database: Database, organisation: UUID, elsewhere: UUID
) -> None:
    key = gateway.capture(organisation, await session_of(database, organisation))
    other = gateway.capture(last := await new_organisation(database), await session_of(database, last))

    done = await sweep.sweep(NOW)

    assert f"{elsewhere}/elsewhere" in done.failed
    assert {key, other} <= {*sessions.told}
