"""Products, and the pricings that each can be sold at."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from store.database import Connection

SELECT: Final[LiteralString] = "SELECT id, name, unit, description, created_at FROM products"
SELECT_PRICINGS: Final[LiteralString] = (
    "SELECT id, product_id, content, content ->> 'is_recurring' = 'true' AS is_recurring, created_at FROM pricings"
)


async def insert(
    connection: Connection, product: UUID, name: str, unit: str | None, description: str | None
) -> DictRow:
    return await _one(
        connection,
        """
        INSERT INTO products (id, organisation_id, name, unit, description)
        VALUES (%s, current_organisation(), %s, %s, %s) RETURNING *
        """,
        (product, name, unit, description),
    )


async def get(connection: Connection, product: UUID) -> DictRow | None:
    cursor = await connection.execute("SELECT * FROM products WHERE id = %s", (product,))
    return await cursor.fetchone()


async def insert_pricing(connection: Connection, pricing: UUID, product: UUID, content: dict[str, Any]) -> DictRow:
    """Keep a pricing of a product; *content* is checkout/catalogue.py's PricingBody as JSON."""
    return await _one(
        connection,
        """
        INSERT INTO pricings (id, organisation_id, product_id, content)
        VALUES (%s, current_organisation(), %s, %s) RETURNING *
        """,
        (pricing, product, Jsonb(content)),
    )


async def get_pricing(connection: Connection, product: UUID, pricing: UUID) -> DictRow | None:
    cursor = await connection.execute("SELECT * FROM pricings WHERE product_id = %s AND id = %s", (product, pricing))
    return await cursor.fetchone()


async def pricings(connection: Connection, ids: list[UUID]) -> dict[UUID, DictRow]:
    """Pricings by id, each with its product's: id, product_id, content, product_name, unit. Unknown ids are missing."""
    cursor = await connection.execute(
        """
        SELECT pricings.id, product_id, content, products.name AS product_name, products.unit
        FROM pricings JOIN products ON products.id = product_id WHERE pricings.id = ANY(%s)
        """,
        (ids,),
    )
    return {row["id"]: row async for row in cursor}


async def named(connection: Connection, ids: list[UUID]) -> dict[UUID, DictRow]:
    """Products by id: id, name, unit, description. Unknown ids are missing."""
    cursor = await connection.execute("SELECT id, name, unit, description FROM products WHERE id = ANY(%s)", (ids,))
    return {row["id"]: row async for row in cursor}


async def _one(connection: Connection, statement: LiteralString, values: tuple[object, ...]) -> DictRow:
    cursor = await connection.execute(statement, values)
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("what was just written is missing")
    return row
