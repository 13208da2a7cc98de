"""What only people can mend: somebody is asked until they have seen to it, whatever becomes of the run that asks; once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from checkout.commands import Reconcile
from gateways.sandbox import SandboxGateway
from store.database import Database
from tests.api.interruptions import Operator, Sweep, late_page, page_of, posted
from tests.api.shop import Shop
from workflows.reconciliation import ReconciliationWorkflow

EVERYTHING = Reconcile(window=timedelta(0), rest=timedelta(0), everything=True)
"""A sweep that sees no run that ended: only what the rows say."""


async def everything(temporal: Client) -> None:
    name = f"reconcile-{uuid4()}"
    await temporal.execute_workflow(ReconciliationWorkflow.run, EVERYTHING, id=name, task_queue="checkout")


async def acknowledged(shop: Shop, session: str) -> dict[str, Any]:
    path = f"/checkout_session/{session}/acknowledge"
    while (answer := await shop.operator.post(path, json={"reason": "seen to"})).status_code == 503:
        assert answer.headers["Retry-After"]
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def insert_charge(database: Database, operator: Operator, session: str, key: str, status: str) -> None:
    """A charge that only our rows know of."""
    async with database.of(operator.organisation) as connection:
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, at, settled_at,
                                  gateway)
            VALUES (%s, %s, %s, 'charge', 50000, 'USD', %s, now(), CASE WHEN %s = 'captured' THEN now() END, 'sandbox')
            """,
            (key, operator.organisation, session, status, status),
        )


async def asking(shop: Shop, operator: Operator, database: Database, sweep: Sweep) -> str:
    """A completed session that asks about a payment which the gateway does not know."""
    session = str((await shop.session())["id"])
    await shop.confirmed(session, "no_payment")
    await insert_charge(database, operator, session, f"{session}/1/charge/1/1", "captured")
    await sweep()
    await shop.until(session, lambda s: s["attention"] is not None)
    return session


@pytest.mark.parametrize("over", ["cancelled", "open"])
async def test_money_that_was_returned_by_hand_is_asked_about_once(
    shop: Shop, operator: Operator, gateway: SandboxGateway, sweep: Sweep, over: str
) -> None:
    session = (await shop.session())["id"]
    key, page = f"{session}/9/page", await late_page(gateway, operator, session, attempt=9)
    if over == "cancelled":
        await shop.http.post(f"/checkout_session/{session}/cancel")
    fault: dict[str, Any] = {"call": "webhook", "fault": "drop", "times": 1, "match": {"reference": session}}
    await shop.gateway.post("/faults", json=fault)
    await shop.at_the_page(page)
    await gateway.refund(f"{key}/by-hand", posted(operator, key))
    await sweep()
    asked = await shop.until(session, lambda s: s["attention"] is not None)
    assert asked["attention"]["reason"] == "nothing_to_refund"
    assert key in asked["attention"]["detail"]
    await sweep()
    assert (await shop.read(session))["version"] == asked["version"]

    seen = await acknowledged(shop, session)
    for _ in range(2):
        await sweep()

    after = await shop.read(session)
    assert (after["version"], after["attention"]) == (seen["version"], None)
    assert await operator.violations(session, besides=key) == []


async def test_money_that_compensate_could_not_return_is_asked_about_once(
    shop: Shop, operator: Operator, gateway: SandboxGateway, sweep: Sweep
) -> None:
    session = (await shop.session())["id"]
    page = await page_of(shop, session)
    fault: dict[str, Any] = {"call": "page", "fault": "short_amount", "times": 1, "match": {"reference": session}}
    assert (await shop.gateway.post("/faults", json=fault)).is_success
    await shop.at_the_page(page)
    await shop.until(session, lambda s: s["attention"] is not None)
    await gateway.refund(f"{session}/by-hand", posted(operator, f"{session}/1/page"))
    wrong = {"reason": "wrong amount", "then": "reopen"}
    await shop.operator.post(f"/checkout_session/{session}/compensate", json=wrong)
    await shop.until(session, lambda s: s["attention"] and s["attention"]["reason"] == "nothing_to_refund")

    seen = await acknowledged(shop, session)
    for _ in range(2):
        await sweep()

    after = await shop.read(session)
    assert (after["version"], after["attention"]) == (seen["version"], None)


async def test_a_terminated_run_that_asked_is_followed_by_one_that_asks(
    shop: Shop, operator: Operator, database: Database, sweep: Sweep
) -> None:
    session = await asking(shop, operator, database, sweep)
    await operator.terminate(session)

    await sweep()

    assert await operator.status(session) is WorkflowExecutionStatus.RUNNING
    assert (await acknowledged(shop, session))["attention"] is None
    await operator.workflow(session).result()


async def test_a_run_that_asked_and_whose_end_no_sweep_saw_is_found_by_its_row(
    shop: Shop, operator: Operator, database: Database, sweep: Sweep, temporal: Client
) -> None:
    session = await asking(shop, operator, database, sweep)
    await operator.terminate(session)

    await everything(temporal)

    assert await operator.status(session) is WorkflowExecutionStatus.RUNNING
    assert (await acknowledged(shop, session))["attention"] is None


async def test_a_session_whose_workflow_was_cancelled_while_it_asked_is_left_alone(
    shop: Shop, operator: Operator, database: Database, sweep: Sweep, temporal: Client
) -> None:
    session = await asking(shop, operator, database, sweep)
    await operator.workflow(session).cancel()
    while await operator.status(session) is WorkflowExecutionStatus.RUNNING:
        await asyncio.sleep(0.05)

    await sweep()
    await everything(temporal)

    assert await operator.status(session) is WorkflowExecutionStatus.CANCELED


async def test_a_charge_that_never_arrived_is_closed_and_found_no_more(
    shop: Shop, operator: Operator, database: Database, sweep: Sweep
) -> None:
    session = (await shop.session())["id"]
    key = f"{session}/9/charge/1/1"
    await shop.http.post(f"/checkout_session/{session}/cancel")
    await insert_charge(database, operator, session, key, "pending")

    await sweep()
    await operator.workflow(session).result()
    over = (await operator.workflow(session).describe()).run_id
    await sweep()

    assert [p["status"] for p in await rows(shop, session)] == ["declined"]
    assert (await operator.workflow(session).describe()).run_id == over
    assert await operator.violations(session) == []


async def rows(shop: Shop, session: str) -> list[dict[str, Any]]:
    answer = await shop.http.get("/payments", params={"checkout_session_id": session})
    return list(answer.json()["data"])
