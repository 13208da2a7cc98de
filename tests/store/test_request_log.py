"""The log of recent requests: each once, of its own organisation, and only the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from store import request_log
from store.database import Database
from store.lists import ListQuery, page
from store.request_log import Record
from tests.conftest import new_organisation


def record(path: str, ago: timedelta = timedelta(0)) -> Record:
    return Record(
        id=uuid4(),
        created_at=datetime.now(UTC) - ago,
        method="GET",
        path=path,
        status=200,
        duration_ms=3,
        user_agent="curl/8.5",
        idempotency_key=None,
    )


async def paths(database: Database, organisation: UUID) -> list[str]:
    async with database.of(organisation) as connection:
        return [row["path"] for row in (await page(connection, request_log.SELECT, ListQuery(limit=100))).rows]


async def test_a_request_that_is_written_twice_is_there_once(database: Database, organisation: UUID) -> None:
    once = [record("/customers"), record("/plans")]
    for _ in range(2):
        async with database.of(organisation) as connection:
            await request_log.write(connection, once)

    assert sorted(await paths(database, organisation)) == ["/customers", "/plans"]


async def test_requests_are_seen_by_their_own_organisation_only(database: Database, organisation: UUID) -> None:
    stranger = await new_organisation(database)
    async with database.of(organisation) as connection:
        await request_log.write(connection, [record("/customers")])

    assert await paths(database, stranger) == []


async def test_the_newest_requests_are_kept_and_other_organisations_are_left_alone(
    database: Database, organisation: UUID
) -> None:
    busy = [record(f"/{age}", timedelta(minutes=age)) for age in range(10)]
    stranger = await new_organisation(database)
    for each in (organisation, stranger):
        async with database.of(each) as connection:
            await request_log.write(connection, [record(one.path, datetime.now(UTC) - one.created_at) for one in busy])
    async with database.of(organisation) as connection:
        await request_log.prune(connection, most=3)

    assert await paths(database, organisation) == ["/0", "/1", "/2"]
    assert len(await paths(database, stranger)) == 10


async def test_old_requests_are_forgotten_however_few_there_are(database: Database, organisation: UUID) -> None:
    async with database.of(organisation) as connection:
        await request_log.write(connection, [record("/new", timedelta(days=6)), record("/old", timedelta(days=8))])
        await request_log.prune(connection)

    assert await paths(database, organisation) == ["/new"]
