"""Recent requests: each organisation sees its own, soon, without anything secret; and logging is in nobody's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from psycopg.errors import DataError
from psycopg_pool import PoolTimeout

from api.metrics import Metrics
from api.recording import PRUNE_AFTER, RequestLog, path_of, told
from store import request_log
from store.database import Database
from tests.api.conftest import client_of
from tests.api.messenger import Opens
from tests.api.shop import Shop
from tests.conftest import PEPPER, Keys, new_keys, new_organisation
from tests.store.test_request_log import paths, record

PATIENCE = 20
CARD = "4242 4242 4242 4242"


@dataclass(frozen=True)
class Desk:
    """A merchant, and the API of the test's own that writes what it is asked."""

    http: httpx.AsyncClient
    app: FastAPI

    @property
    def log(self) -> RequestLog:
        log: RequestLog = self.app.state.request_log
        return log

    async def logged(self, **query: str) -> list[dict[str, Any]]:
        """What the list shows, newest first, once all that was asked before is written."""
        async with asyncio.timeout(PATIENCE):
            while self.log._waiting:
                await asyncio.sleep(0.01)
        return list((await self.http.get("/request_log", params=query)).json()["data"])


@pytest.fixture
async def desk(opens: Opens, keys: Keys) -> AsyncIterator[Desk]:
    app = opens().app
    async with app.state.request_log.written(), client_of(app, keys.merchant) as client:
        yield Desk(client, app)


class Away(Database):
    """A database that does not answer, or refuses, until it is *back*."""

    def __init__(self, answering: Database, error: Exception) -> None:
        self._answering = answering
        self._error = error
        self.back = False
        self.asked = 0

    def of(self, organisation: UUID) -> Any:
        self.asked += 1
        if not self.back:
            raise self._error
        return self._answering.of(organisation)

    def unbound(self) -> Any:
        return self._answering.unbound()


async def test_a_request_shows_within_a_second_on_the_stack(shop: Shop) -> None:
    key = f"order-{uuid4()}"
    await shop.http.post(
        "/customers", json={"customer_name": "Acme"}, headers={"Idempotency-Key": key, "user-agent": "northwind/1.2"}
    )
    answered = time.monotonic()
    while not (found := (await shop.http.get("/request_log", params={"idempotency_key": key})).json()["data"]):
        assert time.monotonic() - answered < PATIENCE
    seen = time.monotonic()

    [request] = found
    assert (request["method"], request["path"], request["status"]) == ("POST", "/customers", 201)
    assert request["user_agent"] == "northwind/1.2"
    assert 0 <= request["duration_ms"] < PATIENCE * 1000
    assert seen - answered < 1


async def test_refusals_are_logged_like_answers_and_query_strings_are_not(desk: Desk) -> None:
    somebody = str(uuid4())
    await desk.http.get(f"/customers/{somebody}")
    await desk.http.get("/customers", params={"email": "ada@example.com"})
    await desk.http.get("/customers/ada@example.com")
    await desk.http.post("/customers", content=b"{")

    logged = [(each["method"], each["path"], each["status"]) for each in await desk.logged()]
    assert logged == [
        ("POST", "/customers", 415),
        ("GET", "/customers/{customer_id}", 422),
        ("GET", "/customers", 200),
        ("GET", f"/customers/{somebody}", 404),
    ]


async def test_requests_without_a_valid_key_are_nobodys(desk: Desk) -> None:
    for headers in ({}, {"x-api-key": "ck_test_wrong"}):
        async with client_of(desk.app, None) as nobody:
            assert (await nobody.get("/customers", headers=headers)).status_code == 401
    await desk.http.get("/plans")

    assert [each["path"] for each in await desk.logged()] == ["/plans"]


async def test_another_organisation_does_not_see_them(desk: Desk, database: Database) -> None:
    await desk.http.get("/customers")
    assert [each["path"] for each in await desk.logged()] == ["/customers"]

    stranger = await new_keys(database, await new_organisation(database), PEPPER)
    async with client_of(desk.app, stranger.admin) as other:
        assert (await other.get("/request_log")).json() == {"data": [], "next": None, "total": 0}


async def test_the_list_is_narrowed_and_paged_like_any_other(desk: Desk) -> None:
    for path in ("/customers", "/plans", "/customers/x"):
        await desk.http.get(path)
    assert [each["path"] for each in await desk.logged(status__in="422")] == ["/customers/{customer_id}"]
    assert [each["path"] for each in await desk.logged(path="/plans", method="GET")] == ["/plans"]

    first = (await desk.http.get("/request_log", params={"limit": 1, "path__in": "/plans,/customers"})).json()
    rest = {"limit": 1, "path__in": "/plans,/customers", "cursor": first["next"]}
    assert first["data"][0]["path"] == "/plans"
    assert (await desk.http.get("/request_log", params=rest)).json()["data"][0]["path"] == "/customers"
    assert (await desk.http.get("/request_log", params={"status": "2"})).status_code == 422


@pytest.mark.parametrize(
    "said", [f"pay {CARD}", "ck_live_abcdEFGH", "bot (+mailto:ada@example.com)", "sk_live_1", "ada%40example.com"]
)
def test_nothing_that_may_be_a_secret_a_card_or_a_person_is_kept(said: str) -> None:
    assert told(said, 200) is None


def test_what_is_kept_is_harmless_and_cut() -> None:
    assert told("curl\0/8.5\x1b[2J\r\n", 200) == "curl /8.5 [2J"
    assert told("x" * 300, 200) == "x" * 200
    assert told("", 200) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2f1c2c9e-5a5c-4d0e-9d58-0a8c5f7a3b11/1/charge/2/1/refund", None),
        ("7", None),
        ("ada", "{payment_id}"),
        ("2f1c2c9e-5a5c-4d0e-9d58-0a8c5f7a3b11/ada", "{payment_id}"),
        ("4242424242424242", "{payment_id}"),
        ("", "{payment_id}"),
    ],
)
def test_of_what_a_caller_puts_into_a_path_only_our_ids_are_kept(given: str, shown: str | None) -> None:
    assert path_of("/payments/{payment_id:path}", {"payment_id": given}) == f"/payments/{shown or given}"


async def test_a_database_that_is_away_holds_up_no_request_and_loses_none_of_the_log(
    desk: Desk, database: Database, organisation: UUID
) -> None:
    away = Away(database, PoolTimeout())
    desk.log._database = away
    for _ in range(3):
        assert (await desk.http.get("/customers")).status_code == 200
    async with asyncio.timeout(PATIENCE):
        while away.asked < 2:
            await asyncio.sleep(0.01)
    assert await paths(database, organisation) == []
    away.back = True

    assert [each["path"] for each in await desk.logged()] == ["/customers"] * 3


async def test_what_can_not_be_written_does_not_hold_up_the_rest(desk: Desk, database: Database) -> None:
    away = Away(database, DataError())
    desk.log._database = away
    await desk.http.get("/customers")
    await desk.log.flush()
    away.back = True
    await desk.http.get("/plans")

    assert [each["path"] for each in await desk.logged()] == ["/plans"]
    assert 'checkout_requests_logged_total{outcome="failed"} 1.0' in (await desk.http.get("/metrics")).text


async def test_while_too_many_wait_no_more_are_noted_but_counted(database: Database, organisation: UUID) -> None:
    metrics = Metrics([])
    log = RequestLog(database, metrics, most=2)
    for path in ("/1", "/2", "/3"):
        log.note(organisation, record(path))
    async with log.written():
        pass

    assert sorted(await paths(database, organisation)) == ["/1", "/2"]
    assert b'checkout_requests_logged_total{outcome="dropped"} 1.0' in metrics.text()


async def test_what_waits_when_the_process_ends_is_written(database: Database, organisation: UUID) -> None:
    log = RequestLog(database, Metrics([]))
    async with log.written():
        log.note(organisation, record("/last"))

    assert await paths(database, organisation) == ["/last"]


async def test_a_process_ends_in_time_though_the_database_is_away(database: Database, organisation: UUID) -> None:
    log = RequestLog(Away(database, PoolTimeout()), Metrics([]))
    async with asyncio.timeout(PATIENCE):
        async with log.written():
            log.note(organisation, record("/lost"))

    assert await paths(database, organisation) == []


async def test_a_busy_organisations_log_is_pruned_as_it_is_written(database: Database, organisation: UUID) -> None:
    log = RequestLog(database, Metrics([]))
    for _ in range(PRUNE_AFTER - 1):
        log.note(organisation, record("/old", timedelta(days=8)))
    await log.flush()
    assert len(await paths(database, organisation)) == 100

    log.note(organisation, record("/new"))
    await log.flush()
    assert await paths(database, organisation) == ["/new"]


async def test_the_log_of_an_organisation_that_is_silent_by_now_is_pruned_too(
    database: Database, organisation: UUID
) -> None:
    async with database.of(organisation) as connection:
        await request_log.write(connection, [record("/old", timedelta(days=8)), record("/new")])

    async with RequestLog(database, Metrics([])).written(), asyncio.timeout(PATIENCE):
        while await paths(database, organisation) != ["/new"]:
            await asyncio.sleep(0.02)
