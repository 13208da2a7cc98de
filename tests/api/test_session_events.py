"""Watching a session: it comes as it stands and each time it changes, each version once, and the stream ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg_pool import PoolTimeout

from api import session_events, watching
from api.main import Server
from store import api_keys
from store.database import Database
from tests.api.messenger import Opens
from tests.api.shop import Shop, onboarding
from tests.api.test_request_log import Away
from tests.conftest import PEPPER, free_base, new_keys

PATIENCE = 30
Event = dict[str, str]


async def events_of(answer: httpx.Response) -> AsyncGenerator[Event]:
    """Each block of the stream, its fields by their names; comments are under `` (the empty name)."""
    block: Event = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            block[name] = value
        else:
            yield block
            block = {}


@asynccontextmanager
async def watched(http: httpx.AsyncClient, session: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a session; the first block, which says when to come back, has been read."""
    async with (
        asyncio.timeout(PATIENCE),
        http.stream("GET", f"/checkout_session/{session}/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        async with aclosing(events_of(answer)) as events:
            assert await anext(events) == {"retry": "2000"}
            yield events


def stands(event: Event) -> str:
    return str(json.loads(event["data"])["checkout_session_status"])


async def test_a_session_is_seen_from_open_to_completed_and_then_the_stream_ends(shop: Shop) -> None:
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(shop.http, session) as events:
        first = await anext(events)
        assert stands(first) == "open"
        page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
        paying = await anext(events)
        assert stands(paying) == "processing"
        await shop.at_the_page(page)
        seen = [first, paying, *[event async for event in events]]

    assert list(dict.fromkeys(map(stands, seen))) == ["open", "processing", "completed"]
    versions = [int(event["id"]) for event in seen]
    assert versions == sorted(set(versions))
    assert {event["event"] for event in seen} == {"session"}
    assert seen[-1]["data"] == (await shop.http.get(f"/checkout_session/{session}")).text
    assert versions[-1] == (await shop.read(session))["version"]


async def test_what_a_client_has_is_not_sent_again(shop: Shop) -> None:
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(shop.http, session) as events:
        last = (await anext(events))["id"]
    async with watched(shop.http, session, **{"Last-Event-ID": last}) as events:
        await shop.http.post(f"/checkout_session/{session}/cancel")
        rest = [event async for event in events]

    assert [stands(event) for event in rest] == ["cancelled"]
    assert int(rest[0]["id"]) > int(last)


async def test_who_has_the_last_there_is_need_not_come_back(shop: Shop) -> None:
    session = str((await shop.session())["id"])
    await shop.http.post(f"/checkout_session/{session}/cancel")
    await shop.until(session, lambda shown: shown["checkout_session_status"] == "cancelled")
    async with watched(shop.http, session) as events:
        seen = [event async for event in events]
    again = await shop.http.get(f"/checkout_session/{session}/events", headers={"Last-Event-ID": seen[-1]["id"]})

    assert [stands(event) for event in seen] == ["cancelled"]
    assert (again.status_code, again.content) == (204, b"")


async def test_while_money_is_owed_a_completed_session_is_watched_on(shop: Shop) -> None:
    body = onboarding(await shop.customer("pm_sandbox_card_ok"))
    session = str((await shop.session(body))["id"])
    await shop.confirmed(session, "charge_when_due")
    completed = await shop.until(session, lambda shown: shown["checkout_session_status"] == "completed")
    async with watched(shop.http, session) as events:
        assert stands(await anext(events)) == "completed"
        charged = {"action": "bring_forward", "reason": "asked for"}
        answer = await shop.http.patch(f"/checkout_session/{session}/payment_schedule/1", json=charged)
        assert answer.status_code == 200, answer.text
        later = [event async for event in events]

    assert completed["payment_status"] == "pending"
    assert json.loads(later[-1]["data"])["payment_status"] == "paid"


async def test_another_organisations_session_can_not_be_watched(shop: Shop, other: httpx.AsyncClient) -> None:
    session = str((await shop.session())["id"])
    theirs = await other.get(f"/checkout_session/{session}/events")
    nobodys = await other.get(f"/checkout_session/{uuid4()}/events")

    assert theirs.status_code == nobodys.status_code == 404
    assert {**theirs.json(), "instance": ""} == {**nobodys.json(), "instance": ""}


@pytest.mark.parametrize("last", ["", "-1", "1.5", "x", "9" * 10, "²"])
async def test_what_is_no_id_of_an_event_is_refused(shop: Shop, last: str) -> None:
    headers = {b"last-event-id": last.encode("latin-1")}
    answer = await shop.http.get(f"/checkout_session/{uuid4()}/events", headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["header", "Last-Event-ID"]


@dataclass(frozen=True)
class Served:
    """An API that can be stopped, and who calls it."""

    app: FastAPI
    http: httpx.AsyncClient
    server: Server
    running: asyncio.Task[None]


@pytest.fixture
async def served(opens: Opens, shop: Shop, database: Database) -> AsyncIterator[Served]:
    """An API of the test's own on a port, and the stack's merchant who calls it under a key of the test's own."""
    app, port = opens().app, free_base()
    keys = await new_keys(database, UUID(shop.stack.organisation), PEPPER)
    server = Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"), app)
    running = asyncio.create_task(server.serve())
    headers = {"x-api-key": keys.merchant}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE) as http:
        async with asyncio.timeout(PATIENCE):
            while not server.started:
                await asyncio.sleep(0.01)
        yield Served(app, http, server, running)
    server.should_exit = True
    await running


async def until_nobody_watches(app: FastAPI) -> None:
    watch: watching.Watch = app.state.watch
    async with asyncio.timeout(PATIENCE):
        while watch._waiting or watch._watching or not (watch._looking is None or watch._looking.done()):
            await asyncio.sleep(0.01)


async def test_a_database_that_goes_away_ends_the_stream(served: Served, shop: Shop, database: Database) -> None:
    app, http = served.app, served.http
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(http, session) as events:
        assert stands(await anext(events)) == "open"
        app.state.watch._database = Away(database, PoolTimeout())
        assert [event async for event in events] == []

    await until_nobody_watches(app)


async def test_a_server_that_stops_ends_its_streams_and_does_not_wait_for_them(served: Served, shop: Shop) -> None:
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(served.http, session) as events:
        await anext(events)
        served.server.should_exit = True
        assert [event async for event in events] == []

    await asyncio.wait_for(served.running, PATIENCE)


async def test_a_client_that_goes_away_leaves_nothing_behind(served: Served, shop: Shop) -> None:
    app, http = served.app, served.http
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    for _ in range(3):
        async with watched(http, session) as events:
            await anext(events)
            assert app.state.watch._watching.total() >= 1

    await until_nobody_watches(app)


async def test_a_key_that_is_revoked_sees_nothing_more(served: Served, shop: Shop, database: Database) -> None:
    app, http = served.app, served.http
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(http, session) as events:
        await anext(events)
        async with database.unbound() as connection:
            found = await api_keys.find(connection, api_keys.hash_of(http.headers["x-api-key"], PEPPER))
            assert found is not None
            await api_keys.revoke(connection, UUID(shop.stack.organisation), found["id"])
        assert [event async for event in events] == []

    await until_nobody_watches(app)


async def test_a_stream_without_changes_says_that_it_lives(
    served: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_events, "HEARTBEAT", 0.05)
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(served.http, session) as events:
        await anext(events)
        assert [await anext(events) for _ in range(2)] == [{"": "ping"}] * 2


async def test_a_key_has_so_many_streams_and_no_more(
    served: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_OF_KEY", 2)
    app, http = served.app, served.http
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    async with watched(http, session), watched(http, session):
        refused = await http.get(f"/checkout_session/{session}/events")
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
    await until_nobody_watches(app)

    async with watched(http, session) as events:
        assert stands(await anext(events)) == "open"


async def test_all_who_watch_cost_one_look(served: Served, shop: Shop, database: Database) -> None:
    app, http = served.app, served.http
    session = str((await shop.session())["id"])
    await shop.until_listed(session)
    counting = Away(database, PoolTimeout())
    counting.back = True
    async with watched(http, session) as one, watched(http, session) as two:
        await anext(one)
        await anext(two)
        async with asyncio.timeout(PATIENCE):
            while len(app.state.watch._waiting) < 2:
                await asyncio.sleep(0.01)
        app.state.watch._database, began = counting, time.monotonic()
        await shop.http.post(f"/checkout_session/{session}/cancel")
        seen: list[Any] = [[event async for event in each] for each in (one, two)]

    assert [list(map(stands, each)) for each in seen] == [["cancelled"], ["cancelled"]]
    assert 1 <= counting.asked <= 1 + (time.monotonic() - began) / watching.EVERY
