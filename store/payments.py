"""Charges and refunds as they are read; the payment activities write them in store/payment_records.py."""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg.rows import DictRow

from store.database import Connection

SELECT: Final[LiteralString] = """
    SELECT key AS id, key, session_id AS checkout_session_id, kind, amount_minor, currency, status, reference, at,
           at AS created_at, settled_at
    FROM payments
"""


async def get(connection: Connection, key: str) -> DictRow | None:
    """The charge, page or refund with this key at the gateway."""
    cursor = await connection.execute(SELECT + "WHERE key = %s", (key,))
    return await cursor.fetchone()
