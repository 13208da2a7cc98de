"""Sessions whose workflow was terminated or reset by somebody, and money that arrives late: nothing is lost or doubled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from checkout.ids import session_of
from gateways.port import Account
from gateways.sandbox import SandboxGateway
from store.database import Database
from tests.api.interruptions import (
    PRICE,
    Operator,
    Sweep,
    another_card,
    completed,
    declined_when_due,
    due_today,
    kinds,
    late_page,
    page_of,
)
from tests.api.shop import Shop, guest, onboarding


async def test_an_open_session_whose_workflow_was_terminated_goes_on(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    session = (await shop.session())["id"]
    await operator.terminate(session)

    await sweep()
    await shop.until(session, lambda s: s["version"] > 1)
    while (answer := await shop.confirmed(session, "no_payment")).status_code == 503:
        assert answer.headers["Retry-After"]

    assert answer.status_code == 200, answer.text
    assert answer.json()["checkout_session_status"] == "completed"
    assert await operator.violations(session) == []


async def test_a_session_whose_workflow_was_terminated_before_it_had_a_row_begins_again(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session())["id"]
    await operator.terminate(session)
    async with database.of(operator.organisation) as connection:
        await connection.execute("DELETE FROM session_events WHERE session_id = %s", (session,))
        await connection.execute("DELETE FROM checkout_sessions WHERE id = %s", (session,))

    await sweep()
    await shop.until_listed(session)
    answer = await shop.confirmed(session, "no_payment")

    assert answer.status_code == 200, answer.text
    assert answer.json()["checkout_session_status"] == "completed"
    assert await operator.violations(session) == []


async def test_a_page_paid_after_its_workflow_was_terminated_completes_the_session_once(
    shop: Shop, operator: Operator
) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    page = await page_of(shop, session)
    await operator.terminate(session)

    await shop.at_the_page(page)
    done = await shop.until(session, completed)

    assert done["payment_status"] == "paid"
    assert await shop.moved(session) == PRICE.minor
    assert "checkout_session.resumed" in await kinds(shop, session)
    assert (await kinds(shop, session)).count("contract.created") == 1
    assert await operator.violations(session) == []


async def test_a_terminated_confirmation_goes_on_although_no_webhook_ever_comes(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    await shop.gateway.post("/faults", json={"call": "webhook", "fault": "drop", "times": 1})
    session = (await shop.session())["id"]
    page = await page_of(shop, session)
    await operator.terminate(session)
    await shop.at_the_page(page)

    await sweep()
    await shop.until(session, completed)

    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


async def test_a_terminated_confirmation_is_undone_when_its_customer_leaves(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    page = await page_of(shop, session)
    await operator.terminate(session)
    await sweep()

    await shop.at_the_page(page, action="leave")
    await shop.until(session, lambda s: s["checkout_session_status"] == "open" and s["contract_id"] is None)

    assert await shop.moved(session) == 0
    assert (await page_of(shop, session)) != page
    assert await operator.violations(session) == []


async def test_a_second_capture_under_the_attempt_that_stands_is_returned(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway
) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    session = (await shop.session(due_today(customer)))["id"]
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda s: s["payment_status"] == "paid")

    again = f"{session}/1/charge/1/2"
    await gateway.charge(again, Account(operator.organisation), UUID(session), "pm_sandbox_card_ok", PRICE, "")
    await sweep()
    stands = await shop.until(session, lambda s: any(p["status"] == "refunded" for p in s["payments"]))

    assert stands["payment_status"] == "paid"
    assert await shop.moved(session) == PRICE.minor
    assert set(await operator.violations(session, besides=again)) <= {
        "M1: attempt 1, instalment 1: captured under 2 keys"
    }


async def test_a_due_payment_is_collected_although_its_workflow_was_terminated(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await declined_when_due(shop, customer)
    await operator.terminate(session)

    await sweep()
    await another_card(shop, customer)
    paid = await shop.until(session, lambda s: s["payment_status"] == "paid")

    assert paid["attention"] is None
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


async def test_a_reset_of_a_completed_session_charges_nobody_again(shop: Shop, operator: Operator) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    page = await page_of(shop, session)
    await shop.at_the_page(page)
    before = await shop.until(session, completed)

    await operator.reset(session)
    after = await shop.until(session, lambda s: completed(s) and s["version"] > before["version"] + 3)

    assert after["contract_id"] == before["contract_id"]
    assert await shop.moved(session) == PRICE.minor
    assert sum(row["effect"] == "captured" for row in await shop.ledger(session)) == 1
    assert "checkout_session.rewound" in await kinds(shop, session)
    assert await operator.violations(session) == []


async def test_a_reset_to_before_the_confirm_gives_back_what_came_after(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)

    await operator.reset(session, forgetting_updates=True)
    await sweep()
    again = await shop.until(session, lambda s: s["checkout_session_status"] == "open" and bool(s["payments"]))
    await shop.until(session, lambda s: s["payments"][-1]["status"] == "refunded")

    assert again["contract_id"] is None
    assert await shop.moved(session) == 0
    assert await operator.violations(session) == []

    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


@pytest.mark.parametrize("webhook", ["arrives", "drop"])
async def test_money_that_arrives_for_a_cancelled_session_goes_back_once(
    shop: Shop, operator: Operator, gateway: SandboxGateway, sweep: Sweep, webhook: str
) -> None:
    session = (await shop.session())["id"]
    page = await late_page(gateway, operator, session)
    await shop.http.post(f"/checkout_session/{session}/cancel")
    if webhook == "drop":
        fault: dict[str, Any] = {"call": "webhook", "fault": "drop", "times": 1, "match": {"reference": session}}
        await shop.gateway.post("/faults", json=fault)

    await shop.at_the_page(page)
    if webhook == "drop":
        await sweep()
    done = await shop.until(session, lambda s: len(s["payments"]) == 2)

    assert [(p["kind"], p["status"]) for p in done["payments"]] == [("charge", "captured"), ("refund", "refunded")]
    assert done["checkout_session_status"] == "cancelled"
    assert await shop.moved(session) == 0
    assert (await kinds(shop, session))[-2:] == ["payment.late", "payment.refunded"]
    assert sum(row["effect"] == "refunded" for row in await shop.ledger(session)) == 1

    await sweep()
    assert (await kinds(shop, session)).count("payment.late") == 1


async def test_a_late_refund_that_fails_is_tried_until_it_succeeds(
    shop: Shop, operator: Operator, gateway: SandboxGateway
) -> None:
    session = (await shop.session())["id"]
    page = await late_page(gateway, operator, session)
    await shop.http.post(f"/checkout_session/{session}/cancel")
    fault: dict[str, Any] = {"call": "refund", "fault": "lost_reply", "times": 1, "match": {"reference": session}}
    await shop.gateway.post("/faults", json=fault)

    await shop.at_the_page(page)
    await shop.until(session, lambda s: len(s["payments"]) == 2 and s["payments"][1]["status"] == "refunded")

    assert await shop.moved(session) == 0
    assert sum(row["effect"] == "refunded" for row in await shop.ledger(session)) == 1


async def test_an_event_for_a_session_not_known_yet_waits_for_it(
    shop: Shop, operator: Operator, gateway: SandboxGateway, sweep: Sweep, database: Database
) -> None:
    key = f"early-{uuid4().hex[:12]}"
    session = str(session_of(operator.organisation, key))
    page = await late_page(gateway, operator, session)
    await shop.at_the_page(page)
    made = await shop.session(None, **{"Idempotency-Key": key})
    assert made["id"] == session

    await sweep()
    await shop.until(session, lambda s: len(s["payments"]) == 2)

    assert await shop.moved(session) == 0
    async with database.unbound() as connection:
        cursor = await connection.execute(
            "SELECT 1 FROM gateway_events WHERE session_id = %s AND passed_on_at IS NULL", (session,)
        )
        assert await cursor.fetchone() is None


async def test_a_captured_payment_whose_row_is_gone_gets_it_back(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session())["id"]
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)
    async with database.of(operator.organisation) as connection:
        await connection.execute("DELETE FROM payments WHERE session_id = %s", (session,))

    found = await sweep()

    assert found.mended >= 1
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


async def test_a_row_without_money_at_the_gateway_asks_somebody(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session())["id"]
    await shop.confirmed(session, "no_payment")
    async with database.of(operator.organisation) as connection:
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, at, settled_at,
                                  gateway)
            VALUES (%s, %s, %s, 'charge', 50000, 'USD', 'captured', now(), now(), 'sandbox')
            """,
            (f"{session}/1/charge/1/1", operator.organisation, session),
        )

    await sweep()
    asked = await shop.until(session, lambda s: s["attention"] is not None)

    assert asked["attention"]["reason"] == "payment_missing"
    assert asked["attention"]["can"] == ["acknowledge"]
    version = asked["version"]
    await sweep()
    assert (await shop.read(session))["version"] == version

    path = f"/checkout_session/{session}/acknowledge"
    assert (await shop.operator.post(path, json={})).status_code == 422
    assert (await shop.http.post(path, json={"reason": "found it"})).status_code == 403
    seen = await shop.operator.post(path, json={"reason": "a row that somebody had written by hand"})
    assert seen.status_code == 200, seen.text
    assert seen.json()["attention"] is None
    await sweep()
    assert (await shop.read(session))["version"] == seen.json()["version"]
    again = await shop.operator.post(path, json={"reason": "once more"})
    assert (again.status_code, again.json()["allowed"]) == (409, [])
    assert await operator.status(session) is WorkflowExecutionStatus.COMPLETED


async def test_a_hint_for_a_session_that_is_over_starts_nothing(shop: Shop, operator: Operator) -> None:
    fault: dict[str, Any] = {"call": "webhook", "fault": "duplicate", "times": 4}
    await shop.gateway.post("/faults", json=fault)
    session = (await shop.session())["id"]
    await shop.at_the_page(await page_of(shop, session))
    done = await shop.until(session, completed)
    await operator.workflow(session).result()

    assert await operator.status(session) is WorkflowExecutionStatus.COMPLETED
    assert (await shop.read(session))["version"] == done["version"]
    assert await operator.violations(session) == []


async def test_a_key_finds_its_answer_although_another_run_goes_on(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    session = (await shop.session())["id"]
    path, body = f"/checkout_session/{session}/confirm", {"confirmation": "charge_immediately"}
    key = {"Idempotency-Key": f"confirm-{uuid4().hex[:12]}"}
    first = await shop.http.post(path, json=body, headers=key)
    await operator.terminate(session)
    await sweep()
    await shop.until(session, lambda s: s["version"] > first.json()["version"])

    again = await shop.http.post(path, json=body, headers=key)
    other = await shop.http.post(path, json={"confirmation": "no_payment"}, headers=key)

    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert len([kind for kind in await kinds(shop, session) if kind == "checkout_session.confirmed"]) == 1


async def test_a_refusal_is_repeated_although_another_run_goes_on(shop: Shop, operator: Operator, sweep: Sweep) -> None:
    plan = await shop.plan()
    today = str(datetime.now(UTC).date())
    terms = {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": today}
    body = onboarding(await shop.customer()) | {"contract": terms}
    session = (await shop.session(body))["id"]
    await shop.http.post(f"/plans/{plan}/archive")
    path, key = f"/checkout_session/{session}/confirm", {"Idempotency-Key": f"refused-{uuid4().hex[:12]}"}
    first = await shop.http.post(path, json={"confirmation": "no_payment"}, headers=key)
    assert first.status_code == 422
    await operator.terminate(session)
    await sweep()

    again = await shop.http.post(path, json={"confirmation": "no_payment"}, headers=key)

    assert again.status_code == 422
    assert again.json() == first.json()


async def test_a_signal_without_input_does_no_harm(shop: Shop, operator: Operator) -> None:
    session = (await shop.session())["id"]
    for signal in ("payment_reported", "found_adrift"):
        await operator.workflow(session).signal(signal)

    while (answer := await shop.confirmed(session, "no_payment")).status_code == 503:
        assert answer.headers["Retry-After"]

    assert answer.status_code == 200, answer.text
    assert await operator.violations(session) == []


async def test_cancel_pressed_after_a_declined_due_payment_ends_it_for_good(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    session = await declined_when_due(shop, await shop.customer("pm_sandbox_card_declined"))
    await operator.workflow(session).cancel()
    ended = await shop.until(session, lambda s: s["attention"] is None)

    assert [part["status"] for part in ended["payment_schedule"]] == ["cancelled"]
    await sweep()
    assert await operator.status(session) is WorkflowExecutionStatus.CANCELED
    assert await operator.violations(session) == []
