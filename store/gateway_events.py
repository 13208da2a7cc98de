"""Events in: stored before they are acknowledged, once per id."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from psycopg.rows import DictRow

from gateways.port import GatewayEvent
from store.database import Connection

Kept = Literal["accepted", "ignored", "duplicate", "contradictory"]
"""What an event is when it is kept: *accepted* is one whose session is to be told of it, *ignored* one that concerns
none. A *contradictory* one has the id of another event: that one stays as it was.
"""


async def keep(connection: Connection, gateway: str, event: GatewayEvent) -> Kept:
    """Keep an event, unless one of its id is kept already. Of one that comes many times at once, only one is accepted."""
    told = (event.type, event.account, event.reference, event.key, event.captured)
    cursor = await connection.execute(
        """
        INSERT INTO gateway_events (gateway, id, type, organisation_id, session_id, key, captured)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (gateway, id) DO NOTHING
        """,
        (gateway, event.id, *told),
    )
    if cursor.rowcount:
        return "accepted" if event.account and event.reference else "ignored"
    cursor = await connection.execute(
        """
        SELECT type, organisation_id, session_id, key, captured FROM gateway_events WHERE gateway = %s AND id = %s
        """,
        (gateway, event.id),
    )
    known = await cursor.fetchone()
    return "duplicate" if known and tuple(known.values()) == told else "contradictory"


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
