"""What happened to a session: one row per change, in its order."""

from __future__ import annotations

from uuid import UUID

from psycopg.rows import DictRow

from store.database import Connection


async def of_session(connection: Connection, session: UUID) -> list[DictRow]:
    """The session's events, oldest first: sequence, type, actor, data, state, at."""
    cursor = await connection.execute(
        "SELECT sequence, type, actor, data, state, at FROM session_events WHERE session_id = %s ORDER BY sequence",
        (session,),
    )
    return await cursor.fetchall()


async def of_update(connection: Connection, session: UUID, update: str) -> list[DictRow]:
    """The first event that an update made, and those after it: type, data, state, fingerprint. Empty where there is none."""
    cursor = await connection.execute(
        """
        SELECT type, data, state, fingerprint FROM session_events
        WHERE session_id = %(session)s AND sequence >= (
            SELECT min(sequence) FROM session_events WHERE session_id = %(session)s AND update_id = %(update)s)
        ORDER BY sequence
        """,
        {"session": session, "update": update},
    )
    return await cursor.fetchall()
