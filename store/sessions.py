"""Reading sessions: the view, joined with the documents that it names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from checkout.session import SessionState
from store.database import Connection

SELECT: Final[LiteralString] = """
    SELECT session.*, content.content, details.details, cancellation.details AS cancellation
    FROM checkout_sessions session
    JOIN contents content ON content.estimation_id = session.state #>> '{offer,estimation_id}'
    JOIN details ON details.id = (session.state #>> '{offer,details}')::uuid
    LEFT JOIN details cancellation ON cancellation.id = (session.state ->> 'cancellation')::uuid
"""
"""A session's row: `id`, the columns of the view, `state`, and `content`, `details`, `cancellation` (or null)."""


async def find(connection: Connection, session: UUID) -> DictRow | None:
    """The session as last published; None where nothing was."""
    cursor = await connection.execute(SELECT + " WHERE session.id = %s", (session,))
    return await cursor.fetchone()


async def versions(connection: Connection, among: Collection[UUID]) -> Mapping[UUID, int]:
    """The version of each session of *among* that is published."""
    cursor = await connection.execute("SELECT id, version FROM checkout_sessions WHERE id = ANY(%s)", (list(among),))
    return {row["id"]: row["version"] for row in await cursor.fetchall()}


async def opened(connection: Connection, session: UUID) -> SessionState | None:
    """The session as it opened; None where nothing was published."""
    cursor = await connection.execute(
        "SELECT state FROM session_events WHERE session_id = %s AND sequence = 1", (session,)
    )
    row = await cursor.fetchone()
    return SessionState.model_validate(row["state"]) if row else None


async def documents(connection: Connection, state: SessionState) -> DictRow:
    """The `content`, `details` and `cancellation` that *state* names. Raises LookupError."""
    cursor = await connection.execute(
        """
        SELECT content.content, details.details, cancellation.details AS cancellation
        FROM contents content
        JOIN details ON details.id = %(details)s
        LEFT JOIN details cancellation ON cancellation.id = %(cancellation)s
        WHERE content.estimation_id = %(estimation)s
        """,
        {
            "details": state.offer.details,
            "cancellation": state.cancellation,
            "estimation": state.offer.estimation_id,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the documents of this session are missing")
    return row
