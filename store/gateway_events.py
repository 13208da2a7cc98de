"""Events in: stored before they are acknowledged, once per id."""

from __future__ import annotations

from datetime import datetime

from psycopg.rows import DictRow

from gateways.port import GatewayEvent
from store.database import Connection


async def keep(connection: Connection, gateway: str, event: GatewayEvent) -> bool:
    """Keep an event; False when it is known already, and was passed on."""
    cursor = await connection.execute(
        """
        INSERT INTO gateway_events AS known (gateway, id, type, organisation_id, session_id, key, captured)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (gateway, id) DO UPDATE SET type = known.type
        RETURNING passed_on_at IS NULL AS fresh
        """,
        (gateway, event.id, event.type, event.account, event.reference, event.key, event.captured),
    )
    row = await cursor.fetchone()
    return row is not None and row["fresh"]


async def passed_on(connection: Connection, gateway: str, event_id: str) -> None:
    """Remember that the event's session was told."""
    await connection.execute(
        "UPDATE gateway_events SET passed_on_at = now() WHERE gateway = %s AND id = %s AND passed_on_at IS NULL",
        (gateway, event_id),
    )


async def next_in_line(connection: Connection, since: datetime, until: datetime) -> list[DictRow]:
    """Up to 1,000 events that nobody heard yet, received from *since* on and before *until*: gateway, id,
    organisation_id, session_id, key, captured. They go to the end of the line by it: however many there are whose session
    is not known, none hides another for good.
    """
    cursor = await connection.execute(
        """
        UPDATE gateway_events event SET tried_at = clock_timestamp()
        FROM (SELECT gateway, id FROM gateway_events
              WHERE passed_on_at IS NULL AND organisation_id IS NOT NULL AND session_id IS NOT NULL
                AND received_at >= %s AND received_at < %s
              ORDER BY tried_at NULLS FIRST, received_at LIMIT 1000 FOR UPDATE SKIP LOCKED) line
        WHERE event.gateway = line.gateway AND event.id = line.id
        RETURNING event.gateway, event.id, organisation_id, session_id, key, captured
        """,
        (since, until),
    )
    return await cursor.fetchall()
