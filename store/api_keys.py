"""API keys: only an HMAC of each is stored, so that the table alone opens nothing."""

from __future__ import annotations

import hmac
import re
from typing import Final
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from store.database import Connection

KEY: Final = re.compile(r"ck_[a-z]{1,10}_.{4}")


def hash_of(secret: str, pepper: str) -> bytes:
    """What is stored of a key: HMAC-SHA256 with the pepper as its key. A key is 256 random bits, so that is enough."""
    return hmac.digest(pepper.encode(), secret.encode(), "sha256")


def recognisable(secret: str) -> str:
    """What is shown of a key, to tell it from others: `ck_live_` and the four characters behind it."""
    found = KEY.match(secret)
    return found[0] if found else secret[:8]


async def store_key(connection: Connection, organisation: UUID, secret: str, scope: str, pepper: str) -> None:
    """Let *secret* act for the organisation with *scope* (merchant, operator or admin); the second time, nothing."""
    await connection.execute(
        """
        INSERT INTO api_keys (id, organisation_id, prefix, hash, scope) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (hash) DO NOTHING
        """,
        (uuid4(), organisation, recognisable(secret), hash_of(secret, pepper), scope),
    )


async def find(connection: Connection, hashed: bytes) -> DictRow | None:
    """The key with this hash, unless it is unknown or revoked: id, organisation_id, scope, prefix."""
    cursor = await connection.execute(
        "SELECT id, organisation_id, scope, prefix FROM api_keys WHERE hash = %s AND revoked_at IS NULL", (hashed,)
    )
    return await cursor.fetchone()


async def revoke(connection: Connection, organisation: UUID, key_id: UUID) -> None:
    """End a key at once; the second time, nothing."""
    await connection.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE id = %s AND organisation_id = %s AND revoked_at IS NULL",
        (key_id, organisation),
    )
