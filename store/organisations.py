"""Organisations: who everything belongs to."""

from __future__ import annotations

from uuid import UUID

from psycopg.rows import DictRow

from store.database import Connection


async def ensure(connection: Connection, organisation: UUID, name: str, time_zone: str = "UTC") -> None:
    """Make the organisation unless it is there."""
    await connection.execute(
        "INSERT INTO organisations (id, name, time_zone) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING",
        (organisation, name, time_zone),
    )


async def every(connection: Connection) -> list[DictRow]:
    """Each organisation's id and gateway."""
    return await (await connection.execute("SELECT id, gateway FROM organisations ORDER BY id")).fetchall()


async def get(connection: Connection, organisation: UUID) -> DictRow | None:
    """The organisation's row: id, name, time_zone (an IANA name), gateway, created_at."""
    cursor = await connection.execute(
        "SELECT id, name, time_zone, gateway, created_at FROM organisations WHERE id = %s", (organisation,)
    )
    return await cursor.fetchone()
