"""A key belongs to the transaction that has its effect: kept with it, free without it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from store import idempotency_keys
from store.database import Database
from store.idempotency_keys import StillRunning

CALL, KEY = "POST /customers", "one"


async def test_the_loser_of_two_waits_and_finds_the_winners_answer(database: Database, organisation: UUID) -> None:
    claimed = asyncio.Event()

    async def win() -> None:
        async with database.of(organisation) as connection:
            assert await idempotency_keys.claim(connection, CALL, KEY, "same") is None
            claimed.set()
            await blocked(database)
            await idempotency_keys.keep(connection, CALL, KEY, 201, {"body": "{}"})

    async def lose() -> object:
        await claimed.wait()
        async with database.of(organisation) as connection:
            return await idempotency_keys.claim(connection, CALL, KEY, "same")

    _, found = await asyncio.gather(win(), lose())

    assert found == {"fingerprint": "same", "status": 201, "answer": {"body": "{}"}}


async def test_a_key_is_free_again_when_its_transaction_fails(database: Database, organisation: UUID) -> None:
    async def fail() -> None:
        async with database.of(organisation) as connection:
            await idempotency_keys.claim(connection, CALL, KEY, "first")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.of(organisation) as connection:
        assert await idempotency_keys.claim(connection, CALL, KEY, "second") is None


async def test_a_key_that_stays_taken_is_said_to_be_still_running(database: Database, organisation: UUID) -> None:
    async def come_late() -> None:
        async with database.of(organisation) as connection:
            await connection.execute("SET LOCAL lock_timeout = '50ms'")
            await idempotency_keys.claim(connection, CALL, KEY, "same")

    async with database.of(organisation) as holder:
        await idempotency_keys.claim(holder, CALL, KEY, "same")
        with pytest.raises(StillRunning):
            await come_late()


async def blocked(database: Database) -> None:
    """Wait until some transaction waits for another one's key."""
    while True:
        async with database.unbound() as connection:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%idempotency_keys%'"
            )
            if await cursor.fetchone():
                return
