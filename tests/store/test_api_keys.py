"""API keys are found by their hash, and end at once."""

from __future__ import annotations

from uuid import UUID

from store import api_keys
from store.database import Database

SECRET = "ck_test_0123456789abcdef"


async def test_a_key_is_stored_once_and_only_as_a_hash(database: Database, organisation: UUID) -> None:
    secret = f"{SECRET}{organisation}"
    async with database.unbound() as connection:
        for _ in range(2):
            await api_keys.store_key(connection, organisation, secret, "operator", "pepper")
        found = await api_keys.find(connection, api_keys.hash_of(secret, "pepper"))
        cursor = await connection.execute(
            "SELECT api_keys::text AS stored FROM api_keys WHERE organisation_id = %s", (organisation,)
        )
        rows = await cursor.fetchall()

    assert found is not None
    assert (found["organisation_id"], found["scope"]) == (organisation, "operator")
    assert len(rows) == 1
    assert secret not in rows[0]["stored"]


async def test_a_key_needs_its_pepper_and_ends_when_revoked(database: Database, organisation: UUID) -> None:
    secret = f"{SECRET}{organisation}"
    async with database.unbound() as connection:
        await api_keys.store_key(connection, organisation, secret, "merchant", "pepper")
        assert await api_keys.find(connection, api_keys.hash_of(secret, "another")) is None

        found = await api_keys.find(connection, api_keys.hash_of(secret, "pepper"))
        assert found is not None
        await api_keys.revoke(connection, organisation, found["id"])
        assert await api_keys.find(connection, api_keys.hash_of(secret, "pepper")) is None
