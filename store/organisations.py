"""Organisations: who everything belongs to."""

from __future__ import annotations

from uuid import UUID

from psycopg.rows import DictRow

from checkout.due import DueRules
from store.database import Connection


async def ensure(connection: Connection, organisation: UUID, name: str, rules: DueRules | None = None) -> None:
    """Make the organisation, with the usual rules unless others are given; one that is there stays as it is."""
    rules = rules or DueRules()
    await connection.execute(
        """
        INSERT INTO organisations (id, name, time_zone, dunning_days, notice_days) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        (organisation, name, rules.time_zone, list(rules.dunning_days), rules.notice_days),
    )


async def every(connection: Connection) -> list[DictRow]:
    """Each organisation's id and gateway."""
    return await (await connection.execute("SELECT id, gateway FROM organisations ORDER BY id")).fetchall()


async def get(connection: Connection, organisation: UUID) -> DictRow | None:
    """The organisation's row: id, name, time_zone (an IANA name), dunning_days, notice_days, gateway, created_at."""
    cursor = await connection.execute("SELECT * FROM organisations WHERE id = %s", (organisation,))
    return await cursor.fetchone()
