"""Events in, on PostgreSQL: those that nobody heard yet stand in line until somebody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from store import gateway_events
from store.database import Connection, Database

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Before what any sweep looks at."""

DAY = (LONG_AGO, LONG_AGO + timedelta(days=1))


async def test_a_thousand_events_of_sessions_nobody_knows_hide_no_other(database: Database, organisation: UUID) -> None:
    async with database.unbound() as connection:
        await kept(connection, organisation, 1001)
        heard: set[str] = set()
        for _ in range(2):
            line = await gateway_events.next_in_line(connection, *DAY)
            heard |= {row["id"] for row in line}

        assert len(line) == 1000
        assert len(heard) == 1001
        await connection.execute("DELETE FROM gateway_events WHERE organisation_id = %s", (organisation,))


async def test_an_event_that_was_heard_stands_in_no_line(database: Database, organisation: UUID) -> None:
    async with database.unbound() as connection:
        await kept(connection, organisation, 2)
        first, second = await gateway_events.next_in_line(connection, *DAY)
        await gateway_events.passed_on(connection, "sandbox", first["id"])

        assert await gateway_events.next_in_line(connection, *DAY) == [second]
        await connection.execute("DELETE FROM gateway_events WHERE organisation_id = %s", (organisation,))


async def kept(connection: Connection, organisation: UUID, count: int) -> None:
    await connection.execute(
        """
        INSERT INTO gateway_events (gateway, id, type, organisation_id, session_id, key, captured, received_at)
        SELECT 'sandbox', 'evt_' || gen_random_uuid(), 'page.paid', %s, %s, 'a key', true, %s + n * interval '1 second'
        FROM generate_series(1, %s) AS n
        """,
        (organisation, uuid4(), LONG_AGO, count),
    )
