"""Money that came late is returned, also where whoever was returning it was stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from gateways.port import Account
from gateways.sandbox import SandboxGateway
from tests.api.interruptions import PRICE, Operator, Sweep, due_today, kinds
from tests.api.shop import Shop


@pytest.fixture
async def healed(shop: Shop) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Ends all faults of the gateway: when it is called, and after the test."""

    async def heal() -> None:
        await shop.gateway.delete("/faults")

    yield heal
    await heal()


async def test_money_beside_what_was_paid_goes_back_although_the_run_that_returned_it_was_terminated(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway, healed: Callable[[], Awaitable[object]]
) -> None:
    session = (await shop.session(due_today(await shop.customer("pm_sandbox_card_ok"))))["id"]
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda s: s["payment_status"] == "paid")
    await operator.workflow(session).result()
    failing = {"call": "refund", "fault": "500_before", "times": None, "match": {"reference": session}}
    await shop.gateway.post("/faults", json=failing)
    again = f"{session}/1/charge/1/2"
    await gateway.charge(again, Account(operator.organisation), UUID(session), "pm_sandbox_card_ok", PRICE, "")
    await shop.until(session, lambda s: [p["status"] for p in s["payments"]] == ["captured", "captured", "unknown"])

    await operator.terminate(session)
    await healed()
    assert (await sweep()).set_right >= 1
    back = await shop.until(session, lambda s: s["payments"][-1]["status"] == "refunded")
    await operator.workflow(session).result()

    assert (back["checkout_session_status"], back["payment_status"]) == ("completed", "paid")
    assert await shop.moved(session) == PRICE.minor
    assert (await kinds(shop, session)).count("payment.late") == 1
    version = (await shop.read(session))["version"]
    await sweep()
    assert (await shop.read(session))["version"] == version
    assert await operator.status(session) is WorkflowExecutionStatus.COMPLETED
