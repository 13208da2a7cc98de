"""Checkout sessions over HTTP, on the whole stack: real PostgreSQL, Temporal, worker, API and provider."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from checkout.ids import workflow_of
from tests.api.shop import Shop, contract, guest, onboarding

MEMBERS = {
    "id", "checkout_session_status", "payment_status", "contract", "contract_id", "guest_checkout", "customer_id",
    "customer", "business_entity_id", "currency", "estimates", "confirmation", "redirect_url", "payments",
    "payment_schedule", "attention", "cancellation_details", "success_url", "cancel_url", "pending_url",
    "attribution", "custom_data", "idempotency_key", "correlation_id", "created_at", "updated_at",
    "last_activity_at", "confirmed_at", "paid_at", "completed_at", "cancelled_at", "expires_at", "version",
    "test_clock",
}  # fmt: skip


async def test_a_session_opens_with_its_estimate(shop: Shop) -> None:
    answer = await shop.http.post("/checkout_session", json=onboarding(await shop.customer()))

    session = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/checkout_session/{session['id']}"
    assert set(session) == MEMBERS
    assert session["checkout_session_status"] == "open"
    assert session["payment_status"] == "not_started"
    assert session["estimates"]["amount_due"] == "500.00"
    assert session["estimates"]["current_invoice"]["line_items"][0]["name"] == "Onboarding"
    assert await shop.read(session["id"]) == session


async def test_a_summary_estimates_the_same_and_writes_nothing(shop: Shop) -> None:
    customer = await shop.customer()
    body = onboarding(customer)

    summary = (await shop.http.post("/checkout_session/summary", json=body)).json()

    assert (await shop.http.get("/checkout_session", params={"customer_id": customer})).json()["total"] == 0
    assert summary["estimates"]["estimation_id"] == (await shop.session(body))["estimates"]["estimation_id"]


async def test_a_plan_based_session_takes_the_plans_prices(shop: Shop) -> None:
    plan = await shop.plan()
    terms = {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": "2027-01-31"}

    session = await shop.session({"contract": terms, "customer_id": await shop.customer()})

    assert session["estimates"]["amount_due"] == "120.00"
    assert len(session["estimates"]["future_invoices"]) == 11
    assert session["contract"]["plan_id"] == plan


async def test_paid_at_the_page(shop: Shop) -> None:
    session = (await shop.session())["id"]

    confirmed = await shop.confirmed(session, "charge_immediately")
    assert confirmed.status_code == 200
    body = confirmed.json()
    assert (body["checkout_session_status"], body["payment_status"]) == ("processing", "pending")
    assert body["redirect_url"].startswith(shop.stack.gateway)

    paid = await shop.at_the_page(body["redirect_url"])
    assert paid.headers["location"].startswith("https://shop.example/ok")
    done = await shop.until(session, lambda s: s["checkout_session_status"] == "completed")

    assert done["payment_status"] == "paid"
    assert [(p["kind"], p["status"], p["amount"]) for p in done["payments"]] == [("charge", "captured", "500.00")]
    assert await shop.moved(session) == 50000
    contracts = (await shop.http.get(f"/contracts/{done['contract_id']}")).json()
    assert contracts["status"] == "active"
    payments = (await shop.http.get("/payments", params={"checkout_session_id": session})).json()
    assert [(p["key"], p["status"], p["amount"]) for p in payments["data"]] == [
        (done["payments"][0]["key"], "captured", "500.00")
    ]


async def test_a_confirm_with_redirect_sends_the_browser_to_the_page(shop: Shop) -> None:
    session = (await shop.session())["id"]

    answer = await shop.confirmed(session, "charge_immediately", redirect=True)

    assert answer.status_code == 302
    assert answer.headers["location"].startswith(shop.stack.gateway)


async def test_declined_then_left_reopens_and_the_second_confirm_is_paid(shop: Shop) -> None:
    session = (await shop.session())["id"]
    first = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
    await shop.at_the_page(first, "card_declined")
    await shop.at_the_page(first, action="leave")
    reopened = await shop.until(session, lambda s: s["checkout_session_status"] == "open")
    assert reopened["payment_status"] == "failed"
    assert reopened["contract_id"] is None

    second = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
    await shop.at_the_page(second)
    await shop.until(session, lambda s: s["checkout_session_status"] == "completed")

    assert await shop.moved(session) == 50000


async def test_a_bank_transfer_completes_when_it_settles(shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]

    await shop.at_the_page(page, "bank_ok")
    assert (await shop.read(session))["payment_status"] == "pending"

    done = await shop.until(session, lambda s: s["checkout_session_status"] == "completed")
    assert done["payment_status"] == "paid"


async def test_a_guest_becomes_a_customer_when_the_session_is_confirmed(shop: Shop) -> None:
    body = guest(shop.stack.business_entity)
    session = (await shop.session(body))["id"]
    assert (await shop.read(session))["customer_id"] is None

    done = (await shop.confirmed(session, "no_payment")).json()

    customer = (await shop.http.get(f"/customers/{done['customer_id']}")).json()
    assert customer["email"] == body["customer"]["email"]
    assert (done["checkout_session_status"], done["payment_status"]) == ("completed", "no_payment_required")
    assert await shop.ledger(session) == []


async def test_an_undone_guest_is_archived(shop: Shop) -> None:
    body = guest(shop.stack.business_entity)
    session = (await shop.session(body))["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()
    await shop.at_the_page(page["redirect_url"], action="leave")
    await shop.until(session, lambda s: s["checkout_session_status"] == "open")

    customers = (await shop.http.get("/customers", params={"email": body["customer"]["email"]})).json()

    assert [customer["status"] for customer in customers["data"]] == ["archived"]


async def test_charge_when_due_needs_a_saved_method(shop: Shop) -> None:
    session = (await shop.session())["id"]

    refused = await shop.confirmed(session, "charge_when_due")

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/payment-method-required"
    assert (await shop.read(session))["checkout_session_status"] == "open"


async def test_an_expired_method_is_unusable(shop: Shop) -> None:
    session = (await shop.session(onboarding(await shop.customer("pm_sandbox_card_expired"))))["id"]

    refused = await shop.confirmed(session, "charge_when_due")

    assert refused.json()["type"] == "/problems/payment-method-unusable"


async def test_charge_when_due_in_the_future_is_scheduled(shop: Shop) -> None:
    body = onboarding(await shop.customer("pm_sandbox_card_ok"))
    session = (await shop.session(body))["id"]

    done = (await shop.confirmed(session, "charge_when_due")).json()

    assert (done["checkout_session_status"], done["payment_status"]) == ("completed", "pending")
    assert [(i["due_at"], i["amount"], i["status"]) for i in done["payment_schedule"]] == [
        ("2027-01-01T00:00:00Z", "500.00", "scheduled")
    ]
    assert await shop.ledger(session) == []


async def test_what_is_due_today_is_charged_at_once(shop: Shop) -> None:
    today = datetime.now(UTC).date().isoformat()
    body = onboarding(await shop.customer("pm_sandbox_card_ok"))
    body["contract"] = {**contract(start_date=today), "start_date": today}
    session = (await shop.session(body))["id"]

    await shop.confirmed(session, "charge_when_due")
    done = await shop.until(session, lambda s: s["payment_status"] == "paid")

    assert done["payment_schedule"][0]["status"] == "paid"
    assert await shop.moved(session) == 50000


async def test_a_declined_due_payment_asks_for_attention_and_an_operator_retries_it(shop: Shop) -> None:
    today = datetime.now(UTC).date().isoformat()
    body = onboarding(await shop.customer("pm_sandbox_card_declined"))
    body["contract"] = {**contract(start_date=today), "start_date": today}
    session = (await shop.session(body))["id"]
    await shop.confirmed(session, "charge_when_due")
    failed = await shop.until(session, lambda s: s["attention"] is not None)
    assert failed["payment_status"] == "failed"
    assert failed["attention"]["can"] == ["retry"]

    merchant = await shop.http.post(f"/checkout_session/{session}/retry", json={"reason": "please"})
    assert merchant.status_code == 403
    retried = await shop.operator.post(f"/checkout_session/{session}/retry", json={"reason": "the bank was called"})

    assert retried.status_code == 200, retried.text
    declined = await shop.until(session, lambda s: len(s["payments"]) == 2 and s["attention"] is not None)
    assert [p["status"] for p in declined["payments"]] == ["declined", "declined"]


async def test_an_operator_undoes_a_confirmation_that_waits_for_its_customer(shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]

    undone = await shop.operator.post(
        f"/checkout_session/{session}/compensate", json={"reason": "the customer called", "then": "close"}
    )

    assert undone.json()["checkout_session_status"] == "closed"
    await shop.at_the_page(page)
    assert await shop.moved(session) == 0


async def test_an_archived_plan_refuses_new_sessions_and_confirmations(shop: Shop) -> None:
    plan = await shop.plan()
    terms = {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": "2027-01-31"}
    body = {"contract": terms, "customer_id": await shop.customer()}
    session = (await shop.session(body))["id"]
    await shop.http.post(f"/plans/{plan}/archive")

    refused = await shop.confirmed(session, "no_payment")
    opened = await shop.http.post("/checkout_session", json=body)

    assert refused.json()["type"] == opened.json()["type"] == "/problems/plan-not-available"
    assert (await shop.read(session))["checkout_session_status"] == "open"


async def test_a_cancelled_session_says_why_and_takes_nothing_more(shop: Shop) -> None:
    session = (await shop.session())["id"]
    reason = {"reason_type": "other", "reason": "a better offer", "reference_id": "T-1"}

    cancelled = (await shop.http.post(f"/checkout_session/{session}/cancel", json=reason)).json()
    again = await shop.confirmed(session, "no_payment")

    assert cancelled["checkout_session_status"] == "cancelled"
    assert cancelled["cancelled_at"] is not None
    assert cancelled["cancellation_details"] == reason
    assert again.status_code == 409
    problem = again.json()
    assert problem["type"] == "/problems/invalid-status-transition"
    assert (problem["session_status"], problem["allowed"]) == ("cancelled", [])


async def test_cancelling_needs_no_body(shop: Shop) -> None:
    session = (await shop.session())["id"]

    answer = await shop.http.post(f"/checkout_session/{session}/cancel")

    assert answer.status_code == 200, answer.text


async def test_an_update_changes_what_it_names_and_keeps_the_rest(shop: Shop) -> None:
    session = await shop.session(onboarding(await shop.customer(), custom_data={"cart": "c-1"}))
    change = {"contract": contract("750.00"), "reason": "price_update", "note": "new price list"}

    updated = (await shop.http.put(f"/checkout_session/{session['id']}", json=change)).json()

    assert updated["estimates"]["amount_due"] == "750.00"
    assert updated["estimates"]["estimation_id"] != session["estimates"]["estimation_id"]
    assert updated["success_url"] == session["success_url"]
    assert updated["custom_data"]["cart"] == "c-1"
    (entry,) = updated["custom_data"]["update_history"]
    assert entry["updated_fields"] == ["contract"]
    assert entry["metadata"]["reason"] == "price_update"
    assert await shop.read(session["id"]) == updated


async def test_updates_at_once_are_all_kept(shop: Shop) -> None:
    session = (await shop.session())["id"]
    changes = [{"success_url": "https://shop.example/1"}, {"cancel_url": "https://shop.example/2"}]

    answers = await asyncio.gather(*(shop.http.put(f"/checkout_session/{session}", json=c) for c in changes))

    assert [answer.status_code for answer in answers] == [200, 200]
    read = await shop.read(session)
    assert (read["success_url"], read["cancel_url"]) == ("https://shop.example/1", "https://shop.example/2")
    assert len(read["custom_data"]["update_history"]) == 2


async def test_a_confirm_of_an_older_estimate_is_refused_with_both(shop: Shop) -> None:
    session = await shop.session()
    await shop.http.put(f"/checkout_session/{session['id']}", json={"contract": contract("1.00")})
    old = session["estimates"]["estimation_id"]

    refused = await shop.confirmed(session["id"], "no_payment", estimation_id=old)

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/estimate-changed"
    assert refused.json()["estimation_id"] == old
    assert refused.json()["current_estimation_id"] != old


async def test_a_stale_etag_is_refused(shop: Shop) -> None:
    session = (await shop.session())["id"]
    tag = (await shop.http.get(f"/checkout_session/{session}")).headers["etag"]
    change = {"correlation_id": "c-1"}
    first = await shop.http.put(f"/checkout_session/{session}", json=change, headers={"If-Match": tag})

    second = await shop.http.put(f"/checkout_session/{session}", json=change, headers={"If-Match": tag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["type"] == "/problems/stale-session"


async def test_opening_twice_with_one_key_opens_one_session(shop: Shop) -> None:
    key, body = uuid4().hex[:12], onboarding(await shop.customer())

    answers = await asyncio.gather(
        *(shop.http.post("/checkout_session", json=body, headers={"Idempotency-Key": key}) for _ in range(10))
    )
    late = await shop.http.post("/checkout_session", json={**body, "idempotency_key": key})

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers} | {late.content}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers].count("true") == 9
    assert late.headers["idempotency-replayed"] == "true"


async def test_a_key_used_for_another_request_is_refused(shop: Shop) -> None:
    key, body = {"Idempotency-Key": uuid4().hex}, onboarding(await shop.customer())
    session = (await shop.session(body, **key))["id"]
    cancel = f"/checkout_session/{session}/cancel"
    await shop.http.post(cancel, json={"reason": "one"}, headers=key)

    opened = await shop.http.post("/checkout_session", json={**body, "correlation_id": "x"}, headers=key)
    cancelled = await shop.http.post(cancel, json={"reason": "two"}, headers=key)

    assert opened.json()["type"] == cancelled.json()["type"] == "/problems/idempotency-key-reused"


@pytest.mark.parametrize("mode", ["no_payment", "charge_immediately", "charge_when_due"])
async def test_the_same_confirm_gets_the_first_answer_again(shop: Shop, mode: str) -> None:
    session = (await shop.session())["id"]
    key = {"Idempotency-Key": uuid4().hex}
    path, body = f"/checkout_session/{session}/confirm", {"confirmation": mode}

    first = await shop.http.post(path, json=body, headers=key)
    again = await shop.http.post(path, json=body, headers=key)

    assert again.content == first.content
    assert again.status_code == first.status_code
    if mode != "charge_when_due":
        assert again.headers["idempotency-replayed"] == "true"


async def test_a_refused_request_leaves_its_key_free(shop: Shop) -> None:
    key, body = {"Idempotency-Key": uuid4().hex}, onboarding(await shop.customer())
    refused = await shop.http.post("/checkout_session", json={**body, "currency": "EUR"}, headers=key)
    assert refused.json()["type"] == "/problems/currency-mismatch"

    assert (await shop.http.post("/checkout_session", json=body, headers=key)).status_code == 201


REFUSED = {
    "no contract": {"contract": None},
    "no customer": {"customer_id": None},
    "both customer and guest": {"guest_checkout": True},
    "an unknown field": {"status": "completed"},
    "an internal field": {"organisation_id": str(uuid4())},
    "a script as URL": {"success_url": "javascript:alert(1)"},
    "http beyond loopback": {"success_url": "http://shop.example/ok"},
    "a time without a zone": {"expires_at": "2027-01-01T00:00:00"},
    "an expiry too near": {"expires_at": "2026-01-01T00:00:00Z"},
    "an expiry too far": {"expires_at": (datetime.now(UTC) + timedelta(days=31)).isoformat()},
    "an unknown currency": {"currency": "XXX"},
    "an unknown customer": {"customer_id": str(uuid4())},
    "an unknown business entity": {"business_entity_id": str(uuid4())},
    "a card number": {"correlation_id": "4111 1111 1111 1111"},
    "a contract of nothing": {"contract": {"is_plan_based": False, "currency": "USD", "start_date": "2027-01-01"}},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
async def test_bad_input_is_refused_and_nothing_is_written(shop: Shop, change: dict[str, object]) -> None:
    customer = await shop.customer()
    body = {**onboarding(customer), **change}

    refused = await shop.http.post("/checkout_session", json=body)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await shop.http.get("/checkout_session", params={"customer_id": customer})).json()["total"] == 0


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("POST", "/confirm"), ("POST", "/cancel")], ids=lambda p: p
)
async def test_an_unknown_session_is_not_found(shop: Shop, method: str, path: str) -> None:
    body = {"confirmation": "no_payment"} if path == "/confirm" else {}

    answer = await shop.http.request(
        method, f"/checkout_session/{uuid4()}{path}", json=None if method == "GET" else body
    )

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/session-not-found"


async def test_sessions_are_listed_and_filtered(shop: Shop) -> None:
    customer = await shop.customer()
    opened = [(await shop.session(onboarding(customer)))["id"] for _ in range(3)]
    await shop.http.post(f"/checkout_session/{opened[0]}/cancel")
    await asyncio.gather(*(shop.until(session, lambda s: s["version"] >= 1) for session in opened))

    async def listed() -> dict[str, list[str]]:
        found = {}
        for status in ("open", "cancelled"):
            params = {"customer_id": customer, "checkout_session_status": status}
            answer = (await shop.http.get("/checkout_session", params=params)).json()
            found[status] = [session["id"] for session in answer["data"]]
        return found

    async with asyncio.timeout(10):
        while await listed() != {"open": [opened[2], opened[1]], "cancelled": [opened[0]]}:
            await asyncio.sleep(0.05)


async def test_the_view_is_not_older_than_any_answer(shop: Shop) -> None:
    session = (await shop.session())["id"]

    done = (await shop.confirmed(session, "no_payment")).json()

    assert await shop.read(session) == done


async def test_an_event_with_a_forged_signature_is_refused(shop: Shop) -> None:
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1700000000", "webhook-signature": "v1,Zm9yZ2Vk"}

    answer = await shop.http.post("/webhooks/sandbox", content=b'{"id": "evt_1"}', headers=headers)

    assert answer.status_code == 401


async def test_the_timeline_tells_what_happened_in_words(shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
    await shop.at_the_page(page, action="leave")
    await shop.until(session, lambda s: s["checkout_session_status"] == "open")

    moments = (await shop.http.get(f"/checkout_session/{session}/timeline")).json()["data"]

    assert [m["sequence"] for m in moments] == list(range(1, len(moments) + 1))
    assert [m["what"] for m in moments] == [
        "The session was opened",
        "The session was confirmed",
        "The contract was drafted",
        "The payment was asked for",
        "The payment page is open",
        "The payment page was closed, unpaid",
        "The contract was voided",
        "The confirmation was undone, and the session is open again",
    ]
    assert moments[1]["actor"].startswith("merchant ")
    assert moments[-1]["details"]["reason"] == "The payment page was left, refused or not paid in time."
    assert (await shop.http.get(f"/checkout_session/{uuid4()}/timeline")).status_code == 404


async def test_a_removed_method_is_not_charged_but_another_saved_one_is(shop: Shop, temporal: Client) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    session = (await shop.session(onboarding(customer)))["id"]
    await shop.confirmed(session, "charge_when_due")
    removed = (await shop.http.get(f"/customers/{customer}/payment_methods")).json()["data"][0]
    await shop.made(f"/customers/{customer}/payment_methods", {"gateway": "sandbox", "token": "pm_sandbox_wallet_ok"})
    assert (await shop.http.delete(f"/customers/{customer}/payment_methods/{removed['id']}")).status_code == 204

    workflow = workflow_of(UUID(shop.stack.organisation), UUID(session))
    skipper = TimeSkipper(temporal, config=TimeSkippingConfig(enabled=False))
    due = datetime(2027, 1, 1, tzinfo=UTC)
    await skipper.fast_forward(temporal.get_workflow_handle(workflow), due - datetime.now(UTC) + timedelta(minutes=1))
    await shop.until(session, lambda s: s["payment_status"] == "paid")

    charges = [row for row in await shop.ledger(session) if row["call"] == "charge"]
    assert len(charges) == 1
    assert await shop.moved(session) == 50000


async def test_a_session_keeps_the_version_of_the_plan_that_it_was_opened_with(shop: Shop) -> None:
    plan = await shop.plan()
    terms = {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": "2027-01-31"}
    body = {"contract": terms, "customer_id": await shop.customer()}
    before = await shop.session(body)
    changed = (await shop.http.get(f"/plans/{plan}")).json()
    line = {
        "product": {"name": "Seats"},
        "pricing": {"pricing_data": {"pricing_type": "flat_fee", "currency": "USD", "unit_amount": "9.00"}},
    }
    next_version = {"name": "Team", "currency": "USD", "status": "active", "phases": [{"pricings": [line]}]}

    replaced = (await shop.http.put(f"/plans/{plan}", json=next_version)).json()
    done = (await shop.confirmed(before["id"], "no_payment")).json()
    after = await shop.session(body)

    assert (changed["version"], replaced["version"]) == (1, 2)
    contract = (await shop.http.get(f"/contracts/{done['contract_id']}")).json()
    assert (contract["content"]["plan_version"], done["estimates"]["amount_due"]) == (1, "120.00")
    assert (after["contract"]["plan_version"], after["estimates"]["amount_due"]) == (2, "9.00")
    await shop.http.post(f"/plans/{plan}/archive")
    assert (await shop.http.put(f"/plans/{plan}", json=next_version)).status_code == 409


CALLS: dict[tuple[str, str], dict[str, object] | None] = {
    ("GET", ""): None,
    ("GET", "/timeline"): None,
    ("PUT", ""): {"correlation_id": "mallory"},
    ("POST", "/confirm"): {"confirmation": "no_payment"},
    ("POST", "/cancel"): {},
    ("POST", "/retry"): {"reason": "mallory"},
    ("POST", "/compensate"): {"reason": "mallory"},
    ("PATCH", "/payment_schedule/1"): {"action": "cancel", "reason": "mallory"},
}


@pytest.mark.parametrize(("method", "path"), CALLS.keys())
async def test_another_organisations_session_is_not_there(
    shop: Shop, other: httpx.AsyncClient, method: str, path: str
) -> None:
    session = await shop.session()

    theirs = await other.request(method, f"/checkout_session/{session['id']}{path}", json=CALLS[method, path])
    nobodys = await other.request(method, f"/checkout_session/{uuid4()}{path}", json=CALLS[method, path])

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["type"] == nobodys.json()["type"]
    assert await shop.read(session["id"]) == session
    listed = (await other.get("/checkout_session")).json()
    assert listed["total"] == 0


async def test_a_change_sent_again_gets_its_first_answer_whatever_has_happened_since(shop: Shop) -> None:
    plan = await shop.plan()
    session = (await shop.session())["id"]
    terms = {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": "2027-01-31"}
    key = {"Idempotency-Key": uuid4().hex}
    first = await shop.http.put(f"/checkout_session/{session}", json={"contract": terms}, headers=key)
    await shop.http.post(f"/plans/{plan}/archive")
    await shop.http.post(f"/checkout_session/{session}/cancel")

    again = await shop.http.put(f"/checkout_session/{session}", json={"contract": terms}, headers=key)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_guests_business_entity_can_be_changed(shop: Shop) -> None:
    body = {"name": "Northwind Software Ltd", "country_code": "GB", "default_currency": "GBP"}
    entity = (await shop.made("/business_entities", body))["id"]
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]

    changed = (await shop.http.put(f"/checkout_session/{session}", json={"business_entity_id": entity})).json()
    done = (await shop.confirmed(session, "no_payment")).json()

    assert changed["business_entity_id"] == entity
    assert (await shop.http.get(f"/customers/{done['customer_id']}")).json()["business_entity_id"] == entity


async def test_a_history_of_updates_that_is_none_is_replaced(shop: Shop) -> None:
    session = await shop.session(onboarding(await shop.customer(), custom_data={"update_history": 5}))

    changed = await shop.http.put(f"/checkout_session/{session['id']}", json={"correlation_id": "c"})

    assert len(changed.json()["custom_data"]["update_history"]) == 1
