"""What operators may not do: every call that makes no sense is refused in words, and nothing happens by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from checkout.ids import page_key
from tests.api.shop import PATIENCE, Shop, contract, onboarding

BECAUSE = {"reason": "a test"}
CALLS = ("retry", "compensate")


async def told(client: httpx.AsyncClient, session: str, call: str, body: Any = None, **headers: str) -> httpx.Response:
    said = BECAUSE if body is None else body
    return await client.post(f"/checkout_session/{session}/{call}", json=said, headers=headers)


async def opened(shop: Shop) -> str:
    return str((await shop.session())["id"])


async def cancelled(shop: Shop) -> str:
    session = await opened(shop)
    await shop.http.post(f"/checkout_session/{session}/cancel")
    return session


async def completed(shop: Shop) -> str:
    session = await opened(shop)
    assert (await shop.confirmed(session, "no_payment")).status_code == 200
    return session


async def waiting(shop: Shop) -> str:
    """Being confirmed: its page waits for the customer, and nothing fails."""
    session = await opened(shop)
    assert (await shop.confirmed(session, "charge_immediately")).status_code == 200
    return session


async def closed(shop: Shop) -> str:
    session = await waiting(shop)
    answer = await told(shop.operator, session, "compensate", {**BECAUSE, "then": "close"})
    assert answer.json()["checkout_session_status"] == "closed"
    return session


@asynccontextmanager
async def rejected(shop: Shop) -> AsyncIterator[str]:
    """A session that asks for attention: the provider rejects its page, since the page's key was closed before."""
    session = await opened(shop)
    secret = json.loads((shop.stack.home / "secrets.json").read_text())["sandbox_secret"]
    tombstone = {"account": shop.stack.organisation, "key": page_key(UUID(session), 1)}
    await shop.gateway.post("/close_page", json=tombstone, headers={"Authorization": f"Bearer {secret}"})
    confirming = asyncio.create_task(shop.confirmed(session, "charge_immediately"))
    shown = await shop.until(session, lambda shown: shown["attention"] is not None)
    assert shown["attention"]["can"] == ["retry", "compensate"]
    yield session
    await told(shop.operator, session, "compensate")
    await confirming


@pytest.fixture(scope="module")
async def parked(shop: Shop) -> AsyncIterator[str]:
    """A session that asks for attention, for tests that leave it as it is."""
    async with rejected(shop) as session:
        yield session


@pytest.fixture
async def failing(shop: Shop) -> AsyncIterator[str]:
    """A session that asks for attention, for one test."""
    async with rejected(shop) as session:
        yield session


async def refused(shop: Shop, session: str, call: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any]:
    """The problem that *call* is refused with; neither the session nor the gateway has heard of it."""
    before = await shop.read(session), await effects(shop, session)

    answer = await call()

    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert (await shop.read(session), await effects(shop, session)) == before
    return dict(answer.json())


async def effects(shop: Shop, session: str) -> list[dict[str, Any]]:
    """The ledger's lines of a session, without those of mere questions."""
    return [line for line in await shop.ledger(session) if line["effect"] != "none"]


MERCHANTS_CALLS = ["confirm", "update", "cancel"]
SENSELESS = {
    "retry an open session": ("retry", opened, MERCHANTS_CALLS),
    "retry a session whose page waits": ("retry", waiting, ["compensate"]),
    "retry a completed session": ("retry", completed, []),
    "retry a cancelled session": ("retry", cancelled, []),
    "retry a closed session": ("retry", closed, []),
    "compensate an open session": ("compensate", opened, MERCHANTS_CALLS),
    "compensate a completed session": ("compensate", completed, []),
    "compensate a cancelled session": ("compensate", cancelled, []),
    "compensate a closed session": ("compensate", closed, []),
}


@pytest.mark.parametrize(("call", "made", "allowed"), SENSELESS.values(), ids=SENSELESS)
async def test_what_makes_no_sense_is_refused_and_says_what_is_allowed(
    shop: Shop, call: str, made: Callable[[Shop], Awaitable[str]], allowed: list[str]
) -> None:
    session = await made(shop)

    problem = await refused(shop, session, lambda: told(shop.operator, session, call))

    assert (problem["status"], problem["type"]) == (409, "/problems/invalid-status-transition")
    assert problem["session_status"] == (await shop.read(session))["checkout_session_status"]
    assert problem["allowed"] == allowed


@pytest.mark.parametrize("call", CALLS)
async def test_a_merchants_key_does_nothing_to_a_session_that_asks_for_attention(
    shop: Shop, parked: str, call: str
) -> None:
    problem = await refused(shop, parked, lambda: told(shop.http, parked, call))

    assert (problem["status"], problem["type"]) == (403, "/problems/forbidden")


@pytest.mark.parametrize("call", CALLS)
async def test_a_session_that_does_not_exist_is_not_found(shop: Shop, call: str) -> None:
    answer = await told(shop.operator, str(uuid4()), call)

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/session-not-found")


SAID: dict[str, Any] = {
    "nothing": {},
    "no reason": {"reason": None},
    "an empty reason": {"reason": ""},
    "a reason of 501 characters": {"reason": "x" * 501},
    "a reason that is no text": {"reason": 5},
    "an unknown field": {**BECAUSE, "force": True},
    "an internal field": {**BECAUSE, "actor": "somebody else"},
    "no object": [BECAUSE],
}
BADLY_SAID = [pytest.param(call, body, id=f"{call} with {name}") for call in CALLS for name, body in SAID.items()] + [
    pytest.param("compensate", {**BECAUSE, "then": then}, id=f"compensate, then {then}")
    for then in ("explode", "cancel", None, "")
]


@pytest.mark.parametrize(("call", "body"), BADLY_SAID)
async def test_what_is_badly_said_is_refused_and_names_the_place(
    shop: Shop, parked: str, call: str, body: dict[str, Any]
) -> None:
    problem = await refused(shop, parked, lambda: told(shop.operator, parked, call, body))

    assert (problem["status"], problem["type"]) == (422, "/problems/validation")
    assert problem["errors"]


UNWISE = {"a blank reason": "   ", "a card number": "4111 1111 1111 1111", "NUL": "a\0b"}


@pytest.mark.parametrize("reason", UNWISE.values(), ids=UNWISE)
@pytest.mark.parametrize("call", CALLS)
async def test_a_reason_is_a_text_like_any_other(shop: Shop, parked: str, call: str, reason: str) -> None:
    problem = await refused(shop, parked, lambda: told(shop.operator, parked, call, {"reason": reason}))

    assert problem["status"] in {400, 422}


async def test_the_same_retry_twice_is_one_retry(shop: Shop, failing: str) -> None:
    key = {"Idempotency-Key": uuid4().hex[:12]}

    first = await told(shop.operator, failing, "retry", **key)
    again = await told(shop.operator, failing, "retry", **key)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert await times(shop, failing, "checkout_session.retried") == 1


@pytest.mark.parametrize("call", CALLS)
async def test_a_key_of_another_request_is_refused(shop: Shop, failing: str, call: str) -> None:
    key = {"Idempotency-Key": uuid4().hex[:12]}
    assert (await told(shop.operator, failing, call, **key)).status_code == 200

    another = await told(shop.operator, failing, call, {"reason": "another one"}, **key)

    assert (another.status_code, another.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_retries_at_once_charge_once_for_each_that_was_accepted(shop: Shop) -> None:
    today = datetime.now(UTC).date().isoformat()
    body = onboarding(await shop.customer("pm_sandbox_card_declined"))
    body["contract"] = {**contract(start_date=today), "start_date": today}
    session = str((await shop.session(body))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda shown: shown["attention"] is not None)

    answers = await asyncio.gather(*(told(shop.operator, session, "retry") for _ in range(3)))
    accepted = sum(answer.status_code == 200 for answer in answers)
    await shop.until(session, lambda s: len(s["payments"]) == 1 + accepted and s["attention"] is not None)

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert accepted
    assert len([row for row in await shop.ledger(session) if row["effect"] == "declined"]) == 1 + accepted


@pytest.fixture
async def compensating(shop: Shop) -> AsyncIterator[tuple[str, asyncio.Task[httpx.Response]]]:
    """A session whose compensation takes its time: the provider is too busy to close the page."""
    session = await waiting(shop)
    busy = {"call": "close_page", "fault": "429", "times": 2, "match": {"reference": session}}
    assert (await shop.gateway.post("/faults", json=busy)).status_code == 201
    first = asyncio.create_task(told(shop.operator, session, "compensate"))
    async with asyncio.timeout(PATIENCE):
        while not await times(shop, session, "checkout_session.compensating"):
            await asyncio.sleep(0.02)
    yield session, first
    await first
    await shop.gateway.delete("/faults")


async def test_a_compensation_is_refused_while_another_runs(
    shop: Shop, compensating: tuple[str, asyncio.Task[httpx.Response]]
) -> None:
    session, first = compensating

    second = await told(shop.operator, session, "compensate", {"reason": "once more"})

    assert not first.done()
    assert (second.status_code, second.json()["type"]) == (409, "/problems/invalid-status-transition")
    assert second.json()["session_status"] == "processing"
    assert (await first).json()["checkout_session_status"] == "open"
    assert await times(shop, session, "checkout_session.compensating") == 1


async def test_while_a_compensation_runs_nothing_is_said_to_be_allowed(
    shop: Shop, compensating: tuple[str, asyncio.Task[httpx.Response]]
) -> None:
    session, _ = compensating

    second = await told(shop.operator, session, "compensate", {"reason": "once more"})

    assert (second.status_code, second.json()["allowed"]) == (409, [])


async def test_a_compensation_after_another_is_refused(shop: Shop) -> None:
    session = await waiting(shop)
    key = {"Idempotency-Key": uuid4().hex[:12]}
    first = await told(shop.operator, session, "compensate", **key)
    assert first.json()["checkout_session_status"] == "open"

    problem = await refused(shop, session, lambda: told(shop.operator, session, "compensate"))
    again = await told(shop.operator, session, "compensate", **key)

    assert (problem["status"], problem["allowed"]) == (409, MERCHANTS_CALLS)
    assert (again.status_code, again.content) == (200, first.content)


async def times(shop: Shop, session: str, event: str) -> int:
    """How often an event is on the session's timeline."""
    moments = (await shop.http.get(f"/checkout_session/{session}/timeline")).json()["data"]
    return sum(moment["type"] == event for moment in moments)
