"""API keys: only an HMAC of each is stored, so that the table alone opens nothing."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from typing import Final, Literal
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from store.database import Connection

Scope = Literal["merchant", "operator", "admin"]

SCOPES: Final[tuple[Scope, ...]] = ("merchant", "operator", "admin")
"""Each includes the ones before it."""

KEY: Final = re.compile(r"ck_[a-z]{1,10}_.{4}")


def hash_of(secret: str, pepper: str) -> bytes:
    """What is stored of a key: HMAC-SHA256 with the pepper as its key. A key is 256 random bits, so that is enough."""
    return hmac.digest(pepper.encode(), secret.encode(), "sha256")


def recognisable(secret: str) -> str:
    """What is shown of a key, to tell it from others: `ck_live_` and the four characters behind it."""
    found = KEY.match(secret)
    return found[0] if found else secret[:8]


async def store_key(  # noqa: PLR0913, PLR0917 - what is known of a key
    connection: Connection, organisation: UUID, secret: str, scope: Scope, pepper: str, name: str | None = None
) -> UUID | None:
    """Let *secret* act for the organisation with *scope*; its id, or None where the key was stored before: once is
    enough. *name* is what people call it.
    """
    cursor = await connection.execute(
        """
        INSERT INTO api_keys (id, organisation_id, prefix, hash, scope, name) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (hash) DO NOTHING RETURNING id
        """,
        (uuid4(), organisation, recognisable(secret), hash_of(secret, pepper), scope, name),
    )
    row = await cursor.fetchone()
    return row["id"] if row else None


async def find(connection: Connection, hashed: bytes) -> DictRow | None:
    """The key with this hash, unless it is unknown or revoked: id, organisation_id, scope, prefix, and its
    organisation's rate_limit.
    """
    cursor = await connection.execute(
        """
        SELECT key.id, organisation_id, scope, prefix, rate_limit
        FROM api_keys key JOIN organisations ON organisations.id = organisation_id
        WHERE hash = %s AND revoked_at IS NULL
        """,
        (hashed,),
    )
    return await cursor.fetchone()


async def of_organisation(connection: Connection, organisation: UUID) -> list[DictRow]:
    """Every row of the organisation's keys, revoked ones too, the oldest first."""
    cursor = await connection.execute(
        "SELECT * FROM api_keys WHERE organisation_id = %s ORDER BY created_at, id", (organisation,)
    )
    return await cursor.fetchall()


async def called(connection: Connection, which: str) -> list[DictRow]:
    """The rows of the keys, of whichever organisation, with the prefix or the id *which*. Nobody else revokes one of
    them before the transaction ends.
    """
    cursor = await connection.execute(
        """
        SELECT * FROM api_keys WHERE prefix = %(which)s OR id::text = lower(%(which)s)
        ORDER BY created_at, id FOR UPDATE
        """,
        {"which": which},
    )
    return await cursor.fetchall()


async def valid(connection: Connection, among: Collection[UUID]) -> set[UUID]:
    """Those keys of *among* that are not revoked."""
    cursor = await connection.execute(
        "SELECT id FROM api_keys WHERE id = ANY(%s) AND revoked_at IS NULL", (list(among),)
    )
    return {row["id"] for row in await cursor.fetchall()}


async def revoke(connection: Connection, organisation: UUID, key_id: UUID) -> None:
    """End a key at once; the second time, nothing."""
    await connection.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE id = %s AND organisation_id = %s AND revoked_at IS NULL",
        (key_id, organisation),
    )
