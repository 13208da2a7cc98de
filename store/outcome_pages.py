"""What a customer may be told of a session after paying: where it stands, and whose it is."""

from __future__ import annotations

from uuid import UUID

from checkout.session import SessionState
from store.database import Connection


async def find(connection: Connection, session: UUID) -> tuple[SessionState, str] | None:
    """The session as last published, and its merchant's name; None where nothing was."""
    cursor = await connection.execute(
        """
        SELECT session.state AS state, coalesce(entity.name, organisation.name) AS merchant
        FROM checkout_sessions session
        JOIN organisations organisation ON organisation.id = session.organisation_id
        LEFT JOIN business_entities entity ON entity.id = session.business_entity_id
        WHERE session.id = %s
        """,
        (session,),
    )
    row = await cursor.fetchone()
    return (SessionState.model_validate(row["state"]), row["merchant"]) if row else None
