"""A key may send so many requests a second: what is more is refused, and nothing of it is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.rate_limits import Rates
from api.routes import required
from store.database import Database
from tests.api.conftest import client_of
from tests.api.messenger import Door
from tests.conftest import PEPPER, Keys, new_keys, new_organisation


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(door: Door, clock: Clock) -> FastAPI:
    door.app.state.rates = Rates(clock)
    return door.app


@pytest.fixture
async def merchant(limited: FastAPI, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(limited, keys.merchant) as client:
        yield client


async def allow(database: Database, organisation: UUID, requests: int) -> None:
    async with database.unbound() as connection:
        await connection.execute("UPDATE organisations SET rate_limit = %s WHERE id = %s", (requests, organisation))


async def test_what_is_over_the_limit_is_refused_and_the_next_second_works_again(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID, clock: Clock
) -> None:
    await allow(database, organisation, 2)
    taken = [await merchant.post("/products", json={"name": "Seats"}) for _ in range(2)]
    clock.now += 0.9
    refused = await merchant.post("/products", json={"name": "Seats"})
    clock.now += 0.1
    again = await merchant.get("/products")

    assert [answer.status_code for answer in taken] == [201, 201]
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {
        "type": "/problems/too-many-requests",
        "title": "Too many requests",
        "status": 429,
        "detail": "This key has sent as many requests within this second as its organisation's keys may.",
        "instance": "/products",
        "retry_after": 1,
    }
    assert (again.status_code, again.json()["total"]) == (200, 2)


async def test_of_many_at_once_as_many_are_taken_as_may_be(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    await allow(database, organisation, 7)

    answers = await asyncio.gather(*[merchant.get("/products") for _ in range(20)])

    assert Counter(answer.status_code for answer in answers) == {200: 7, 429: 13}


async def test_every_answer_to_a_key_says_what_is_left(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    await allow(database, organisation, 5)
    answers = [
        await merchant.get("/products"),
        await merchant.post("/products", json={}),
        await merchant.get("/products/nothing"),
        await merchant.post("/checkout_session/x/retry", json={}),
        await merchant.get("/products", headers={"organisation": "another"}),
        await merchant.get("/products"),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 422, 403, 403, 429]
    assert [answer.headers["ratelimit"] for answer in answers] == [f'"key";r={left};t=1' for left in (4, 3, 2, 1, 0, 0)]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"key";q=5;w=1'}


async def test_who_has_no_key_is_told_no_rate(limited: FastAPI) -> None:
    async with client_of(limited, "ck_test_unknown") as client:
        answer = await client.get("/products")

    assert answer.status_code == 401
    assert "ratelimit" not in answer.headers


async def test_another_key_is_not_affected(
    limited: FastAPI, merchant: httpx.AsyncClient, database: Database, organisation: UUID, keys: Keys
) -> None:
    stranger = await new_keys(database, await new_organisation(database), PEPPER)
    await allow(database, organisation, 1)
    answered = [(await merchant.get("/products")).status_code for _ in range(2)]
    for key in (keys.operator, stranger.merchant):
        async with client_of(limited, key) as client:
            answered.append((await client.get("/products")).status_code)

    assert answered == [200, 429, 200, 200]


async def test_a_changed_limit_counts_from_the_next_request_on(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    answered = []
    for most in (1, 1, 5, 1):
        await allow(database, organisation, most)
        answered.append((await merchant.get("/products")).status_code)

    assert answered == [200, 429, 200, 429]


class Watched:
    """The database, and how often the door asked it for a transaction of an organisation's and of nobody's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.asked: Counter[str] = Counter()

    def of(self, organisation: UUID) -> Any:
        self.asked["of"] += 1
        return self._database.of(organisation)

    def unbound(self) -> Any:
        self.asked["unbound"] += 1
        return self._database.unbound()


async def test_a_refusal_costs_the_database_one_look_up(
    limited: FastAPI, merchant: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    await allow(database, organisation, 1)
    await merchant.get("/products")
    limited.state.database = watched = Watched(database)

    assert (await merchant.post("/products", json={"name": "Seats"})).status_code == 429
    assert watched.asked == {"unbound": 1}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/problems/validation"])
async def test_what_asks_for_no_key_is_not_limited(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID, path: str
) -> None:
    await allow(database, organisation, 1)
    assert [(await merchant.get("/products")).status_code for _ in range(2)] == [200, 429]

    answers = [await merchant.get(path) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


async def test_events_of_gateways_are_not_limited(
    merchant: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    await allow(database, organisation, 1)
    await merchant.get("/products")

    answered = {(await merchant.post("/webhooks/sandbox", content=b"{}")).status_code for _ in range(3)}

    assert 429 not in answered
    assert len(answered) == 1


async def test_seconds_that_are_over_are_forgotten(clock: Clock) -> None:
    rates = Rates(clock)
    for second in range(50):
        clock.now = second
        await rates.spend(UUID(int=1), 5)
    storage: Any = rates._limiter.storage
    assert len(storage.storage) == 50
    storage.expirations.update(dict.fromkeys(storage.expirations, 0.0))

    await rates.spend(UUID(int=1), 5)
    while len(storage.storage) > 1:
        await asyncio.sleep(0)

    assert len(storage.storage) == len(storage.expirations) == len(storage.locks) == 1


async def test_the_openapi_document_declares_it_on_every_route_that_asks_for_a_key(nobody: httpx.AsyncClient) -> None:
    paths = (await nobody.get("/openapi.json")).json()["paths"]
    asking = {
        (method.lower(), route.path_format)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and any(required(route.dependant))
        for method in route.methods or ()
    }
    declared = {
        (method, path): operation["responses"]["429"]
        for path, item in paths.items()
        for method, operation in item.items()
        if "429" in operation["responses"]
    }

    assert set(declared) == asking
    for response in declared.values():
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(response["headers"])
        assert "application/problem+json" in response["content"]
