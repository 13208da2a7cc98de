"""The seller's legal entities."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from store.database import Connection

SELECT: Final[LiteralString] = "SELECT id, name, country_code, default_currency, created_at FROM business_entities"


async def ensure(connection: Connection, entity: UUID, name: str, country_code: str, default_currency: str) -> None:
    """Make the entity unless it is there."""
    await connection.execute(
        """
        INSERT INTO business_entities (id, organisation_id, name, country_code, default_currency)
        VALUES (%s, current_organisation(), %s, %s, %s) ON CONFLICT (id) DO NOTHING
        """,
        (entity, name, country_code, default_currency),
    )


async def get(connection: Connection, entity: UUID) -> DictRow | None:
    cursor = await connection.execute(SELECT + " WHERE id = %s", (entity,))
    return await cursor.fetchone()
