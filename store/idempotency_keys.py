"""Answers kept under idempotency keys, in the transaction of their effect: both are there, or neither."""

from __future__ import annotations

from typing import Any

from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from store.database import Connection


class StillRunning(Exception):
    """Another transaction holds this key and has not ended in time."""


async def find(connection: Connection, call: str, key: str) -> DictRow | None:
    """The kept answer: fingerprint, status, answer."""
    cursor = await connection.execute(
        "SELECT fingerprint, status, answer FROM idempotency_keys WHERE call = %s AND key = %s", (call, key)
    )
    return await cursor.fetchone()


async def claim(connection: Connection, call: str, key: str, fingerprint: str) -> DictRow | None:
    """Take the key for this transaction and give None, or give the row of the one that had it first.

    Waits for a transaction that holds the same key; raises StillRunning when that takes longer than lock_timeout.
    """
    try:
        cursor = await connection.execute(
            """
            INSERT INTO idempotency_keys (organisation_id, call, key, fingerprint, status, answer)
            VALUES (current_organisation(), %s, %s, %s, 0, '{}')
            ON CONFLICT DO NOTHING
            """,
            (call, key, fingerprint),
        )
    except LockNotAvailable:
        raise StillRunning from None
    return None if cursor.rowcount else await find(connection, call, key)


async def keep(connection: Connection, call: str, key: str, status: int, answer: dict[str, Any]) -> None:
    """Keep the answer under the key that this transaction has claimed."""
    await connection.execute(
        "UPDATE idempotency_keys SET status = %s, answer = %s WHERE call = %s AND key = %s",
        (status, Jsonb(answer), call, key),
    )
