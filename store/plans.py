"""Plans: what a contract can be copied from."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from store.database import Connection

SELECT: Final[LiteralString] = "SELECT id, name, currency, status, version, content, created_at FROM plans"


async def insert(connection: Connection, plan: UUID, status: str, content: dict[str, Any]) -> DictRow:
    """Keep a plan; *content* is checkout/catalogue.py's PlanContent as JSON."""
    cursor = await connection.execute(
        """
        INSERT INTO plans (id, organisation_id, name, currency, status, content)
        VALUES (%s, current_organisation(), %s, %s, %s, %s) RETURNING *
        """,
        (plan, content["name"], content["currency"], status, Jsonb(content)),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the plan is missing")
    return row


async def replace(connection: Connection, plan: UUID, status: str, content: dict[str, Any]) -> DictRow | None:
    """Make *content* the plan's next version; None when it is not there, archived, or would go from active to draft."""
    cursor = await connection.execute(
        """
        UPDATE plans SET name = %(name)s, currency = %(currency)s, status = %(status)s, content = %(content)s,
            version = version + 1
        WHERE id = %(plan)s AND (status = 'draft' OR (status = 'active' AND %(status)s = 'active')) RETURNING *
        """,
        {
            "name": content["name"],
            "currency": content["currency"],
            "status": status,
            "content": Jsonb(content),
            "plan": plan,
        },
    )
    return await cursor.fetchone()


async def get(connection: Connection, plan: UUID) -> DictRow | None:
    """The plan's row: id, name, currency, status (draft, active, archived), version, content, created_at."""
    cursor = await connection.execute("SELECT * FROM plans WHERE id = %s", (plan,))
    return await cursor.fetchone()


async def move(connection: Connection, plan: UUID, status: str, allowed_from: list[str]) -> DictRow | None:
    """Move the plan to *status* from one of *allowed_from*; None when it is somewhere else, or not there."""
    cursor = await connection.execute(
        "UPDATE plans SET status = %s WHERE id = %s AND status = ANY(%s) RETURNING *", (status, plan, allowed_from)
    )
    return await cursor.fetchone()
