"""Events in, on PostgreSQL: each is kept once, and those that nobody heard yet stand in line until somebody does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest

from gateways.port import GatewayEvent
from store import gateway_events
from store.database import Connection, Database

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Before what any sweep looks at."""

DAY = (LONG_AGO, LONG_AGO + timedelta(days=1))


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """A transaction of which nothing stays."""
    async with database.unbound() as connection:
        yield connection
        await connection.rollback()


def event(**facts: object) -> GatewayEvent:
    given = GatewayEvent(f"evt_{uuid4().hex}", "page.left", uuid4(), uuid4(), "a-key")
    return replace(given, **facts)  # type: ignore[arg-type]


async def test_every_order_and_duplication_of_five_events_accepts_each_of_them_once(connection: Connection) -> None:
    """All 3,905 ways in which up to five deliveries of five events can follow each other."""
    for length in range(1, 6):
        for way in product(range(5), repeat=length):
            five = [event() for _ in range(5)]
            kept = [await gateway_events.keep(connection, "sandbox", five[each]) for each in way]
            assert kept == ["duplicate" if each in way[:n] else "accepted" for n, each in enumerate(way)]


@pytest.mark.parametrize(
    "other",
    [{"type": "page.paid"}, {"account": UUID(int=1)}, {"reference": None}, {"key": "other"}, {"key": None}, {"captured": True}],
    ids=str,
)  # fmt: skip
async def test_another_event_of_a_known_id_changes_nothing(connection: Connection, other: dict[str, object]) -> None:
    first = event()
    await gateway_events.keep(connection, "sandbox", first)

    assert await gateway_events.keep(connection, "sandbox", replace(first, **other)) == "contradictory"  # type: ignore[arg-type]
    assert await gateway_events.keep(connection, "sandbox", first) == "duplicate"


async def test_the_same_id_at_another_gateway_is_another_event(connection: Connection) -> None:
    said = event()

    kept = [await gateway_events.keep(connection, gateway, said) for gateway in ("sandbox", "elsewhere", "sandbox")]

    assert kept == ["accepted", "accepted", "duplicate"]


@pytest.mark.parametrize(
    "nobody", [{"account": None}, {"reference": None}, {"account": None, "reference": None}], ids=str
)
async def test_an_event_about_nobody_is_kept_and_stands_in_no_line(
    connection: Connection, nobody: dict[str, None]
) -> None:
    said = event(**nobody)

    assert await gateway_events.keep(connection, "sandbox", said) == "ignored"
    assert await gateway_events.keep(connection, "sandbox", said) == "duplicate"
    now = datetime.now(UTC)
    line = await gateway_events.next_in_line(connection, now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert said.id not in [row["id"] for row in line]


async def test_a_thousand_events_of_sessions_nobody_knows_hide_no_other(
    connection: Connection, organisation: UUID
) -> None:
    await kept(connection, organisation, 1001)
    heard: set[str] = set()
    for _ in range(2):
        line = await gateway_events.next_in_line(connection, *DAY)
        heard |= {row["id"] for row in line}

    assert len(line) == 1000
    assert len(heard) == 1001


async def test_an_event_that_was_heard_stands_in_no_line(connection: Connection, organisation: UUID) -> None:
    await kept(connection, organisation, 2)
    first, second = await gateway_events.next_in_line(connection, *DAY)
    await gateway_events.passed_on(connection, "sandbox", first["id"])

    assert await gateway_events.next_in_line(connection, *DAY) == [second]


async def kept(connection: Connection, organisation: UUID, count: int) -> None:
    await connection.execute(
        """
        INSERT INTO gateway_events (gateway, id, type, organisation_id, session_id, key, captured, received_at)
        SELECT 'sandbox', 'evt_' || gen_random_uuid(), 'page.paid', %s, %s, 'a key', true, %s + n * interval '1 second'
        FROM generate_series(1, %s) AS n
        """,
        (organisation, uuid4(), LONG_AGO, count),
    )
