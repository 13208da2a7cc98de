"""Events in: stored before they are acknowledged, kept once, and passed on when somebody can hear them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.checkouts import _checkouts
from gateways.port import GatewayEvent
from gateways.sandbox import SandboxGateway
from store import gateway_events
from store.database import Database
from tests.api.interruptions import Operator, Sweep, completed, late_page, page_of
from tests.api.messenger import PATIENCE, Deaf, Door, Messenger, Opens, kept, silent, until_passed_on
from tests.api.shop import Shop


async def test_an_event_is_acknowledged_once_it_is_stored_and_before_anybody_has_heard_it(
    door: Door, deaf: Deaf, database: Database
) -> None:
    said = door.messenger.event("page.paid", uuid4(), "a-key")
    acknowledged = asyncio.Event()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": said.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
            assert await kept(database, said)
        elif not message.get("more_body"):
            acknowledged.set()

    headers = [(name.encode(), value.encode()) for name, value in said.headers.items()]
    path = "/webhooks/sandbox"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "root_path": "", "scheme": "http", "server": ("api", 80), "headers": headers}  # fmt: skip
    request: Any = asyncio.ensure_future(door.app(scope, receive, send))  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE):
        await acknowledged.wait()

    assert not request.done()
    row = await kept(database, said)
    assert row
    assert row["passed_on_at"] is None
    deaf.listening.set()
    await request
    await until_passed_on(database, said)


async def test_an_event_that_comes_ten_times_at_once_is_passed_on_once(door: Door, deaf: Deaf) -> None:
    deaf.listening.set()
    said = door.messenger.event("page.paid", uuid4(), "a-key")

    answers = await asyncio.gather(*(door.messenger.bring(said) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    assert deaf.hints == 1
    assert await door.counted() == {"accepted": 1, "duplicate": 9, "told": 1}


async def test_an_event_that_came_while_temporal_was_away_is_acknowledged_and_passed_on_later(
    opens: Opens, shop: Shop, operator: Operator, gateway: SandboxGateway, sweep: Sweep, database: Database
) -> None:
    nowhere = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    door = opens(reaching=nowhere, wait=0.2)
    session = (await shop.session())["id"]
    await silent(shop, session)
    page = await late_page(gateway, operator, session)
    await shop.http.post(f"/checkout_session/{session}/cancel")
    await shop.at_the_page(page)
    said = door.messenger.event("page.paid", session, f"{session}/1/page")

    await door.messenger.brought(said)

    assert await door.counted() == {"accepted": 1, "put_off": 1}
    row = await kept(database, said)
    assert row
    assert row["passed_on_at"] is None
    assert (await sweep()).passed_on >= 1
    await until_passed_on(database, said)
    await shop.until(session, lambda s: [p["status"] for p in s["payments"]] == ["captured", "refunded"])
    assert await shop.moved(session) == 0


async def test_an_event_is_passed_on_although_the_process_that_stored_it_died(
    shop: Shop, messenger: Messenger, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session())["id"]
    await silent(shop, session)
    await shop.at_the_page(await page_of(shop, session))
    said = messenger.event("page.paid", session, f"{session}/1/page")
    event = GatewayEvent(said.id, "page.paid", UUID(messenger.organisation), UUID(session), f"{session}/1/page", True)
    async with database.unbound() as connection:
        await gateway_events.keep(connection, "sandbox", event)

    await messenger.brought(said)
    assert (await sweep()).passed_on >= 1

    await until_passed_on(database, said)
    await shop.until(session, completed)


async def test_an_event_that_cannot_be_stored_is_asked_for_again_and_passed_on_to_nobody(opens: Opens) -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/nowhere") as away:
        door = opens(storing=away)
        sessions = Deaf()
        door.app.dependency_overrides[_checkouts] = lambda: sessions

        answer = await door.messenger.bring(door.messenger.event("page.paid", uuid4(), "a-key"))

        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/temporarily-unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        assert sessions.hints == 0
        assert await door.counted() == {"not_stored": 1}


async def test_what_is_known_by_its_id_stays_as_it_came_first(door: Door, deaf: Deaf, database: Database) -> None:
    deaf.listening.set()
    session = uuid4()
    first = door.messenger.event("page.left", session, "a-key")
    content = json.loads(first.body)
    other = door.messenger.signed({**content, "type": "page.paid", "reference": str(uuid4())})
    reworded = door.messenger.signed({**content, "timestamp": "2027-01-01T00:00:00Z"})

    await door.messenger.brought(first, other, reworded)

    row = await kept(database, first)
    assert row
    assert (row["type"], row["session_id"], row["captured"]) == ("page.left", session, False)
    assert await door.counted() == {"accepted": 1, "contradictory": 1, "duplicate": 1, "told": 1}


async def test_an_event_of_a_type_that_nobody_knows_is_kept_and_ignored(
    door: Door, deaf: Deaf, database: Database
) -> None:
    unknown = door.messenger.event("customer.moved", uuid4(), "a-key")
    about_nobody = door.messenger.signed({"id": f"evt_{uuid4().hex}", "type": "page.paid", "account": None,
                                          "reference": None})  # fmt: skip

    await door.messenger.brought(unknown, about_nobody)

    assert deaf.hints == 0
    assert await door.counted() == {"ignored": 2}
    async with database.unbound() as connection:
        now = datetime.now(UTC)
        line = await gateway_events.next_in_line(connection, now - timedelta(minutes=1), now)
    for said in (unknown, about_nobody):
        assert await kept(database, said)
        assert said.id not in [row["id"] for row in line]
