"""The test clock: one session's time is moved, by the real server, and what falls due on the way happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import WorkflowExecutionStatus

from store.database import Database
from tests.api.interruptions import Operator, Sweep, kinds, page_of
from tests.api.shop import PATIENCE, Shop, contract, onboarding

MINUTE = timedelta(minutes=1)


async def moved(shop: Shop, session: str, advance: str, **headers: str) -> httpx.Response:
    return await shop.http.post(f"/checkout_session/{session}/test_clock", json={"advance": advance}, headers=headers)


async def there(shop: Shop, session: str, advance: str) -> dict[str, Any]:
    """The session once its clock was moved, however long that takes: as a client that is told to come back."""
    key = {"Idempotency-Key": uuid4().hex}
    async with asyncio.timeout(6 * PATIENCE):
        while "Retry-After" in (answer := await moved(shop, session, advance, **key)).headers:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ahead(session: dict[str, Any]) -> timedelta:
    """How far the session says that its clock is ahead."""
    return datetime.fromisoformat(session["test_clock"]["now"]) - datetime.now(UTC)


def near(span: timedelta, **expected: float) -> bool:
    return abs(span - timedelta(**expected)) < MINUTE


async def due_in_30_days(shop: Shop, card: str = "ok") -> str:
    """A completed session that is to be charged in 30 days, to a card that does what its name says."""
    today = datetime.now(UTC).date()
    body = onboarding(await shop.customer(f"pm_sandbox_card_{card}"))
    terms = {"type": "net_days", "days": 30}
    body["contract"] = {**contract(start_date=str(today), payment_terms=terms), "start_date": str(today)}
    session = str((await shop.session(body))["id"])
    answer = await shop.confirmed(session, "charge_when_due")
    assert answer.status_code == 200, answer.text
    return session


async def test_an_open_session_expires_when_its_clock_passes_the_expiry(shop: Shop, operator: Operator) -> None:
    opened = await shop.session()
    assert opened["test_clock"] is None

    open_still = (await moved(shop, opened["id"], "PT23H")).json()
    closed = (await moved(shop, opened["id"], "PT2H")).json()

    assert open_still["checkout_session_status"] == "open"
    assert near(ahead(open_still), hours=23)
    assert closed["checkout_session_status"] == "closed"
    assert near(ahead(closed), hours=25)
    assert await kinds(shop, opened["id"]) == [
        "checkout_session.opened",
        "checkout_session.clock_moving",
        "checkout_session.clock_moved",
        "checkout_session.clock_moving",
        "checkout_session.closed",
        "checkout_session.clock_moved",
    ]
    await operator.workflow(opened["id"]).result()
    assert await operator.violations(opened["id"]) == []


async def test_a_due_payment_is_charged_once_and_not_before_its_day(shop: Shop, operator: Operator) -> None:
    session = await due_in_30_days(shop)

    before = await there(shop, session, "P29D")
    assert [part["status"] for part in before["payment_schedule"]] == ["scheduled"]
    assert await shop.moved(session) == 0

    after = await there(shop, session, "P2D")
    assert after["payment_status"] == "paid"
    assert [line["effect"] for line in await shop.ledger(session)] == ["captured"]
    assert datetime.fromisoformat(after["paid_at"]) >= datetime.fromisoformat(after["payment_schedule"][0]["due_at"])
    await operator.workflow(session).result()
    assert await operator.violations(session) == []


@pytest.mark.usefixtures("dunning")
async def test_dunning_takes_its_course_on_the_way(shop: Shop, operator: Operator) -> None:
    session = await due_in_30_days(shop, "insufficient_funds")

    failed = await there(shop, session, "P50D")

    assert failed["payment_status"] == "failed"
    assert failed["attention"]["reason"] == "payment_failed"
    assert [line["effect"] for line in await shop.ledger(session)] == ["declined"] * 5
    assert await operator.violations(session) == []


async def test_reads_show_the_moved_clock_and_no_other_session_has_one(shop: Shop) -> None:
    session, other = (await shop.session())["id"], (await shop.session())["id"]

    answered = await there(shop, session, "PT10H")

    assert near(ahead(await shop.read(session)), hours=10)
    listed = {each["id"]: each for each in (await shop.http.get("/checkout_session")).json()["data"]}
    assert near(ahead(listed[session]), hours=10)
    assert listed[other]["test_clock"] is None
    assert answered["test_clock"]["now"] <= (await shop.read(session))["test_clock"]["now"]


async def test_a_repeated_key_moves_the_clock_once(shop: Shop) -> None:
    session, key = (await shop.session())["id"], {"Idempotency-Key": uuid4().hex}

    first = await moved(shop, session, "PT5H", **key)
    again = await moved(shop, session, "PT5H", **key)
    other = await moved(shop, session, "PT6H", **key)

    assert first.status_code == 200, first.text
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert near(ahead(await shop.read(session)), hours=5)


async def test_the_same_request_sent_at_once_moves_the_clock_once(shop: Shop) -> None:
    session, key = (await shop.session())["id"], {"Idempotency-Key": uuid4().hex}

    answers = await asyncio.gather(*(moved(shop, session, "PT5H", **key) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    assert near(ahead(await shop.read(session)), hours=5)


async def test_moves_add_up(shop: Shop) -> None:
    session = await due_in_30_days(shop)

    for _ in range(3):
        await there(shop, session, "P3DT12H")

    assert near(ahead(await shop.read(session)), days=10.5)


async def test_a_page_can_be_paid_while_the_clock_is_on_its_way(shop: Shop, operator: Operator) -> None:
    session = (await shop.session())["id"]
    url = await page_of(shop, session)

    moving = asyncio.create_task(moved(shop, session, "PT20M"))
    await shop.until(session, lambda s: s["test_clock"] is not None)
    second = await moved(shop, session, "PT20M")
    await shop.at_the_page(url)

    paid = await shop.until(session, lambda s: s["payment_status"] == "paid")
    assert (second.status_code, second.json()["type"]) == (409, "/problems/request-in-progress")
    assert second.headers["Retry-After"]
    assert (await moving).status_code == 200
    assert await shop.moved(session) == 50000
    assert paid["checkout_session_status"] in {"processing", "completed"}
    await operator.workflow(session).result()
    assert await operator.violations(session) == []


async def test_what_expires_is_judged_by_the_moved_clock(shop: Shop) -> None:
    session = (await shop.session())["id"]
    await there(shop, session, "PT10H")
    path, machine = f"/checkout_session/{session}", datetime.now(UTC)

    past = await shop.http.put(path, json={"expires_at": (machine + timedelta(hours=9)).isoformat()})
    later = await shop.http.put(path, json={"expires_at": (machine + timedelta(days=30, hours=9)).isoformat()})

    assert past.status_code == 422
    assert later.status_code == 200, later.text


async def test_a_further_run_goes_on_at_the_moved_time(shop: Shop, operator: Operator, sweep: Sweep) -> None:
    session = await due_in_30_days(shop)
    before = await there(shop, session, "P29D")
    await operator.terminate(session)
    await sweep()
    await shop.until(session, lambda s: s["version"] > before["version"])

    paid = await there(shop, session, "P2D")

    assert paid["payment_status"] == "paid"
    assert near(ahead(paid), days=31)
    assert [line["effect"] for line in await shop.ledger(session)] == ["captured"]
    await operator.workflow(session).result()
    assert await operator.violations(session) == []


async def test_a_reset_moves_the_clock_no_further(shop: Shop, operator: Operator) -> None:
    session = await due_in_30_days(shop)
    await there(shop, session, "P3D")
    version = (await shop.read(session))["version"]

    await operator.reset(session)
    await shop.until(session, lambda s: s["version"] > version)

    assert near(ahead(await there(shop, session, "P1D")), days=4)


BAD = [
    "",
    "P",
    "PT",
    "30 days",
    "P-1D",
    "-P1D",
    "P0D",
    "PT0S",
    "P1M",
    "P1Y",
    "P1.5D",
    "P401D",
    "P99999999D",
    "p1d",
    "P1D ",
]


@pytest.mark.parametrize("advance", [*BAD, 30, None, True, {"days": 1}, "P\u0661D"], ids=str)
async def test_what_is_no_span_of_time_is_refused(api: httpx.AsyncClient, advance: Any) -> None:
    answer = await api.post(f"/checkout_session/{uuid4()}/test_clock", json={"advance": advance})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "advance"]


async def test_a_body_says_how_far_and_nothing_else(api: httpx.AsyncClient) -> None:
    for body in ({}, {"advance": "P1D", "to": "2030-01-01T00:00:00Z"}):
        assert (await api.post(f"/checkout_session/{uuid4()}/test_clock", json=body)).status_code == 422


async def test_another_organisations_clock_is_not_there(shop: Shop, other: httpx.AsyncClient) -> None:
    session = (await shop.session())["id"]

    answer = await other.post(f"/checkout_session/{session}/test_clock", json={"advance": "P1D"})

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/session-not-found")
    assert (await shop.read(session))["test_clock"] is None


async def test_a_session_that_is_over_has_no_clock_to_move(shop: Shop, operator: Operator) -> None:
    session = (await shop.session())["id"]
    await shop.http.post(f"/checkout_session/{session}/cancel")
    await operator.workflow(session).result()

    answer = await moved(shop, session, "P1D")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/invalid-status-transition")
    assert answer.json()["session_status"] == "cancelled"
    assert await operator.status(session) is WorkflowExecutionStatus.COMPLETED


@pytest.fixture
async def live(database: Database, organisation: UUID) -> AsyncIterator[None]:
    """The test's organisation takes real money, for as long as the test: the stack has no such gateway."""
    move = "UPDATE organisations SET gateway = %s WHERE id = %s"
    async with database.of(organisation) as connection:
        await connection.execute(move, ("stripe", organisation))
    yield
    async with database.of(organisation) as connection:
        await connection.execute(move, ("sandbox", organisation))


@pytest.mark.usefixtures("live")
async def test_a_live_organisations_clock_is_not_moved(api: httpx.AsyncClient) -> None:
    customer = (await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"]
    session = (await api.post("/checkout_session", json={"contract": contract(), "customer_id": customer})).json()["id"]

    answer = await api.post(f"/checkout_session/{session}/test_clock", json={"advance": "P2D"})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/test-clock-unavailable")
    assert "live" in answer.json()["detail"]
    read = (await api.get(f"/checkout_session/{session}")).json()
    assert (read["checkout_session_status"], read["test_clock"]) == ("open", None)
