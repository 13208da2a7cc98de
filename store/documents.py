"""What is priced and what people wrote: rows written once, before the workflow hears of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from store.database import Connection


async def keep_content(connection: Connection, organisation: UUID, estimation_id: str, content: dict[str, Any]) -> None:
    """Keep a priced content under its hash; the same hash is the same content."""
    await connection.execute(
        "INSERT INTO contents (organisation_id, estimation_id, content) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (organisation, estimation_id, Jsonb(content)),
    )


async def keep_details(
    connection: Connection, organisation: UUID, session: UUID, row_id: UUID, details: dict[str, Any]
) -> None:
    """Keep what people wrote; a request sent again finds its row."""
    await connection.execute(
        "INSERT INTO details (id, organisation_id, session_id, details) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (row_id, organisation, session, Jsonb(details)),
    )
