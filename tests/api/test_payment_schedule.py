"""Changing due payments over HTTP: what is refused before the session is asked, and what comes of what it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from checkout.due import DueRules
from store.database import Database
from tests.api.conftest import client_of
from tests.api.interruptions import due_today
from tests.api.shop import Shop
from tests.conftest import PEPPER, new_keys, new_organisation

BECAUSE = {"reason": "a test"}
TODAY = datetime.now(UTC).date()


def day(days: int) -> str:
    """The day that is *days* from today."""
    return str(TODAY + timedelta(days=days))


def in_thirds(customer: str) -> dict[str, Any]:
    """A session body: 500.00 USD in three instalments, due in 30, 60 and 90 days."""
    body = due_today(customer)
    parts = [{"amount": share, "date": day(days)} for share, days in (("200", 30), ("200", 60), ("100", 90))]
    body["contract"]["phases"][0]["payment_terms"] = {"type": "instalments", "instalments": parts}
    body["contract"]["end_date"] = day(365)
    return body


async def scheduled(shop: Shop, customer: str | None = None) -> str:
    session = str((await shop.session(in_thirds(customer or await shop.customer("pm_sandbox_card_ok"))))["id"])
    confirmed = await shop.confirmed(session, "charge_when_due")
    assert confirmed.status_code == 200, confirmed.text
    return session


async def asked(http: httpx.AsyncClient, session: str, n: object, body: Any = None, **headers: str) -> httpx.Response:
    return await http.patch(f"/checkout_session/{session}/payment_schedule/{n}", json=body, headers=headers)


async def changed(shop: Shop, session: str, n: int, action: str, **more: Any) -> dict[str, Any]:
    """The session after a change that it takes."""
    answer = await asked(shop.http, session, n, {"action": action, **BECAUSE, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def statuses(session: dict[str, Any]) -> list[str]:
    return [part["status"] for part in session["payment_schedule"]]


@pytest.fixture(scope="module")
async def customer(shop: Shop) -> str:
    return await shop.customer("pm_sandbox_card_ok")


@pytest.fixture(scope="module")
async def unchanged(shop: Shop, customer: str) -> str:
    """A session with three scheduled instalments, for tests that leave it as it is."""
    return await scheduled(shop, customer)


async def refused(shop: Shop, session: str, n: object, body: Any) -> dict[str, Any]:
    """The problem that a change is refused with; the session has not heard of it."""
    before = await shop.read(session)

    answer = await asked(shop.http, session, n, body)

    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert await shop.read(session) == before
    return dict(answer.json())


async def test_an_instalment_shows_when_it_is_due_and_how_it_stands(shop: Shop, unchanged: str) -> None:
    parts = (await shop.read(unchanged))["payment_schedule"]

    assert [part["n"] for part in parts] == [1, 2, 3]
    assert {name: value for name, value in parts[0].items() if name != "payment_method_id"} == {
        "n": 1,
        "due_on": day(30),
        "due_at": f"{day(30)}T00:00:00Z",
        "amount": "200.00",
        "currency": "USD",
        "status": "scheduled",
        "attempts": 0,
        "late": False,
        "next_attempt_at": None,
        "decline_code": None,
        "action_url": None,
        "action_until": None,
    }


BADLY_SAID: dict[str, tuple[dict[str, Any] | list[Any], list[str]]] = {
    "no object": ([{"action": "pause", **BECAUSE}], ["body"]),
    "no action": (BECAUSE, ["body", "action"]),
    "an unknown action": ({"action": "refund", **BECAUSE}, ["body", "action"]),
    "no reason": ({"action": "pause"}, ["body", "reason"]),
    "an empty reason": ({"action": "pause", "reason": ""}, ["body", "reason"]),
    "a blank reason": ({"action": "pause", "reason": " \n "}, ["body", "reason"]),
    "a reason of 501 characters": ({"action": "pause", "reason": "x" * 501}, ["body", "reason"]),
    "a reason that is no text": ({"action": "pause", "reason": 5}, ["body", "reason"]),
    "an unknown field": ({"action": "pause", **BECAUSE, "amount": "1.00"}, ["body", "amount"]),
    "an internal field": ({"action": "pause", **BECAUSE, "actor": "somebody else"}, ["body", "actor"]),
    "a move to nowhere": ({"action": "move", **BECAUSE}, ["body", "date"]),
    "a move to null": ({"action": "move", "date": None, **BECAUSE}, ["body", "date"]),
    "a move to a time": ({"action": "move", "date": f"{day(1)}T12:00:00Z", **BECAUSE}, ["body", "date"]),
    "a move to no day": ({"action": "move", "date": "2027-02-30", **BECAUSE}, ["body", "date"]),
    "a move to another method": (
        {"action": "move", "date": day(1), "payment_method_id": str(uuid4()), **BECAUSE},
        ["body", "payment_method_id"],
    ),
    "a pause until a day": ({"action": "pause", "date": day(1), **BECAUSE}, ["body", "date"]),
    "a resumption on a day": ({"action": "resume", "date": day(1), **BECAUSE}, ["body", "date"]),
    "a cancellation on a day": ({"action": "cancel", "date": day(1), **BECAUSE}, ["body", "date"]),
    "a change to no method": ({"action": "change_method", **BECAUSE}, ["body", "payment_method_id"]),
    "a method that is no id": (
        {"action": "change_method", "payment_method_id": "the other one", **BECAUSE},
        ["body", "payment_method_id"],
    ),
    "a move before the contract": ({"action": "move", "date": day(-1), **BECAUSE}, ["body", "date"]),
    "a move by more than five years": ({"action": "move", "date": day(1828), **BECAUSE}, ["body", "date"]),
}


@pytest.mark.parametrize(("body", "place"), BADLY_SAID.values(), ids=BADLY_SAID)
async def test_what_is_badly_said_is_refused_and_names_the_place(
    shop: Shop, unchanged: str, body: Any, place: list[str]
) -> None:
    problem = await refused(shop, unchanged, 1, body)

    assert (problem["status"], problem["type"]) == (422, "/problems/validation")
    assert [error["loc"] for error in problem["errors"]] == [place]


@pytest.mark.parametrize("n", ["0", "-1", "1.0", "01", "one", "%2B1", "1_0", "9" * 30])
async def test_a_number_that_counts_nothing_is_refused(shop: Shop, unchanged: str, n: str) -> None:
    problem = await refused(shop, unchanged, n, {"action": "pause", **BECAUSE})

    assert (problem["status"], problem["type"]) == (422, "/problems/validation")
    assert problem["errors"][0]["loc"] == ["path", "n"]


async def test_an_instalment_that_does_not_exist_is_not_found(shop: Shop, unchanged: str) -> None:
    opened = str((await shop.session())["id"])

    for session, n in ((unchanged, 4), (opened, 1)):
        problem = await refused(shop, session, n, {"action": "pause", **BECAUSE})
        assert (problem["status"], problem["type"]) == (404, "/problems/not-found")


async def anothers(shop: Shop, _: str) -> str:
    methods = await shop.http.get(f"/customers/{await shop.customer('pm_sandbox_card_ok')}/payment_methods")
    return str(methods.json()["data"][0]["id"])


async def unknown(_: Shop, __: str) -> str:
    return str(uuid4())


async def expired(shop: Shop, customer: str) -> str:
    return await attached(shop, customer, "pm_sandbox_card_expired")


async def removed(shop: Shop, customer: str) -> str:
    method = await attached(shop, customer, "pm_sandbox_card_ok")
    await shop.http.delete(f"/customers/{customer}/payment_methods/{method}")
    return method


async def attached(shop: Shop, customer: str, token: str) -> str:
    path = f"/customers/{customer}/payment_methods"
    return str((await shop.made(path, {"gateway": "sandbox", "token": token}))["id"])


@pytest.mark.parametrize("method", [anothers, unknown, expired, removed])
async def test_a_method_that_can_not_be_charged_is_refused(
    shop: Shop, unchanged: str, customer: str, method: Callable[[Shop, str], Awaitable[str]]
) -> None:
    body = {"action": "change_method", "payment_method_id": await method(shop, customer), **BECAUSE}

    problem = await refused(shop, unchanged, 1, body)

    assert (problem["status"], problem["type"]) == (422, "/problems/payment-method-unusable")


async def test_nobody_changes_what_another_organisation_is_owed(
    shop: Shop, other: httpx.AsyncClient, nobody: httpx.AsyncClient, unchanged: str
) -> None:
    body, before = {"action": "cancel", **BECAUSE}, await shop.read(unchanged)

    theirs = await asked(other, unchanged, 1, body)
    nowhere = await asked(other, str(uuid4()), 1, body)

    assert theirs.status_code == nowhere.status_code == 404
    assert theirs.json()["type"] == nowhere.json()["type"] == "/problems/session-not-found"
    assert (await asked(nobody, unchanged, 1, body)).status_code == 401
    assert await shop.read(unchanged) == before


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
async def test_a_malformed_key_is_refused(shop: Shop, unchanged: str, key: str) -> None:
    path = f"/checkout_session/{unchanged}/payment_schedule/1"

    answer = await shop.http.patch(
        path, json={"action": "pause", **BECAUSE}, headers={b"idempotency-key": key.encode("latin-1")}
    )

    assert answer.status_code == 422


async def test_a_paused_instalment_waits_until_it_is_resumed(shop: Shop) -> None:
    session = await scheduled(shop)

    paused = await changed(shop, session, 2, "pause")
    resumed = await changed(shop, session, 2, "resume")

    assert statuses(paused) == ["scheduled", "paused", "scheduled"]
    assert statuses(resumed) == ["scheduled"] * 3
    assert (await shop.read(session)) == resumed


@pytest.fixture
async def in_kathmandu(shop: Shop, app: FastAPI, database: Database) -> AsyncIterator[Shop]:
    """A shop of an organisation whose days begin at a quarter past six in the evening, UTC."""
    organisation = await new_organisation(database, DueRules(time_zone="Asia/Kathmandu"))
    keys = await new_keys(database, organisation, PEPPER)
    async with client_of(app, keys.merchant) as merchant, client_of(app, keys.operator) as operator:
        yield Shop(merchant, operator, shop.gateway, shop.stack)


async def test_a_moved_instalment_is_due_when_its_new_day_begins_where_the_organisation_is(in_kathmandu: Shop) -> None:
    session, to = await scheduled(in_kathmandu), TODAY + timedelta(days=200)

    moved = await changed(in_kathmandu, session, 1, "move", date=str(to))

    due = moved["payment_schedule"][0]
    assert (due["status"], due["due_on"]) == ("scheduled", str(to))
    assert due["due_at"] == f"{to - timedelta(days=1)}T18:15:00Z"


async def test_when_every_instalment_is_cancelled_nothing_is_to_be_paid(shop: Shop) -> None:
    session = await scheduled(shop)

    for n in (1, 2, 3):
        left = await changed(shop, session, n, "cancel")

    assert statuses(left) == ["cancelled"] * 3
    assert left["payment_status"] == "no_payment_required"
    assert await shop.ledger(session) == []


async def test_what_is_brought_forward_is_paid_at_once_and_the_rest_can_be_cancelled(shop: Shop) -> None:
    session = await scheduled(shop)

    await changed(shop, session, 1, "bring_forward")
    await shop.until(session, lambda shown: statuses(shown)[0] == "paid")
    for n in (2, 3):
        left = await changed(shop, session, n, "cancel")

    assert statuses(left) == ["paid", "cancelled", "cancelled"]
    assert left["payment_status"] == "paid"
    assert await shop.moved(session) == 20000


async def test_another_method_is_charged_once_it_is_chosen(shop: Shop) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await scheduled(shop, customer)
    method = await attached(shop, customer, "pm_sandbox_bank_ok")

    chosen = await changed(shop, session, 1, "change_method", payment_method_id=method)
    await changed(shop, session, 1, "bring_forward")
    paid = await shop.until(session, lambda shown: statuses(shown)[0] == "paid")

    assert chosen["payment_schedule"][0]["payment_method_id"] == method
    assert statuses(paid) == ["paid", "scheduled", "scheduled"]


async def test_an_instalment_that_was_paid_can_not_be_moved(shop: Shop) -> None:
    session = await scheduled(shop)
    await changed(shop, session, 1, "bring_forward")
    await shop.until(session, lambda shown: statuses(shown)[0] == "paid")

    problem = await refused(shop, session, 1, {"action": "move", "date": day(40), **BECAUSE})

    assert (problem["status"], problem["type"]) == (409, "/problems/invalid-status-transition")


async def test_a_change_sent_again_is_answered_as_before_and_made_once(shop: Shop) -> None:
    session, key = await scheduled(shop), {"Idempotency-Key": uuid4().hex}
    body = {"action": "move", "date": day(45), **BECAUSE}

    first = await asked(shop.http, session, 1, body, **key)
    await changed(shop, session, 1, "cancel")
    again = await asked(shop.http, session, 1, body, **key)
    another = await asked(shop.http, session, 2, body, **key)

    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert (another.status_code, another.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_change_of_an_older_version_is_refused(shop: Shop) -> None:
    session = await scheduled(shop)
    body = {"action": "pause", **BECAUSE}

    stale = await asked(shop.http, session, 1, body, **{"If-Match": '"1"'})
    current = await asked(shop.http, session, 1, body, **{"If-Match": f'"{(await shop.read(session))["version"]}"'})

    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale-session")
    assert current.status_code == 200


async def test_an_operator_may_do_what_a_merchant_may_and_is_named(shop: Shop) -> None:
    session = await scheduled(shop)

    answer = await asked(shop.operator, session, 3, {"action": "pause", **BECAUSE})
    moments = (await shop.http.get(f"/checkout_session/{session}/timeline")).json()["data"]

    assert answer.status_code == 200, answer.text
    assert moments[-1]["actor"].startswith("operator ")
    assert moments[-1]["details"]["reason"] == BECAUSE["reason"]
