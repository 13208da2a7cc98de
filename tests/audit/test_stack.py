"""The checker on the whole stack: real purchases in each mode break nothing, and money that nobody asked for is named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from audit.main import Report, audit, sources
from checkout.ids import workflow_of
from settings import settings
from tests.api.shop import Shop, contract, guest, onboarding
from tests.conftest import ROOT, Stack


@pytest.fixture(scope="module")
def ready_file(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "ready.json"
    path.write_text(json.dumps(stack.ready))
    return path


@pytest.fixture(scope="module")
async def shop(stack: Stack, http: httpx.AsyncClient) -> AsyncIterator[Shop]:
    operator = httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": stack.operator_key}, timeout=30)
    gateway = httpx.AsyncClient(base_url=stack.gateway, timeout=30)
    async with operator, gateway:
        yield Shop(http, operator, gateway, stack)


def past_due(customer: str) -> dict[str, Any]:
    """A session body whose two instalments are a day ago and a month ahead."""
    today = datetime.now(UTC).date()
    days = (today - timedelta(days=1), today + timedelta(days=30))
    parts = [{"percent": "50", "date": day.isoformat()} for day in days]
    begins = days[0].isoformat()
    terms = contract(start_date=begins, payment_terms={"type": "instalments", "instalments": parts})
    return onboarding(customer, contract={**terms, "start_date": begins})


async def judged(shop: Shop, ready_file: Path, session: str) -> Report:
    return await audit(
        sources(settings(), ready_file), session=UUID(session), organisation=UUID(shop.stack.organisation)
    )


async def bought(shop: Shop, mode: str, body: dict[str, Any] | None = None) -> str:
    """The id of a session that was confirmed."""
    session = str((await shop.session(body))["id"])
    answer = await shop.confirmed(session, mode)
    assert answer.status_code == 200, answer.text
    return session


async def paid_at_the_page(shop: Shop, instrument: str, body: dict[str, Any] | None = None) -> str:
    session = await bought(shop, "charge_immediately", body)
    await shop.at_the_page((await shop.read(session))["redirect_url"], instrument)
    await shop.until(session, lambda shown: shown["checkout_session_status"] == "completed")
    return session


async def charged_when_due(shop: Shop) -> str:
    session = await bought(shop, "charge_when_due", past_due(await shop.customer("pm_sandbox_card_ok")))
    await shop.until(session, lambda shown: shown["payment_schedule"][0]["status"] == "paid")
    return session


async def left_then_paid(shop: Shop) -> str:
    session = await bought(shop, "charge_immediately")
    await shop.at_the_page((await shop.read(session))["redirect_url"], action="leave")
    await shop.until(session, lambda shown: shown["checkout_session_status"] == "open")
    await shop.confirmed(session, "charge_immediately")
    await shop.at_the_page((await shop.read(session))["redirect_url"])
    await shop.until(session, lambda shown: shown["checkout_session_status"] == "completed")
    return session


async def declined_when_due(shop: Shop) -> str:
    session = await bought(shop, "charge_when_due", past_due(await shop.customer("pm_sandbox_card_declined")))
    await shop.until(session, lambda shown: shown["payment_schedule"][0]["status"] in {"declined", "failed"})
    return session


async def cancelled(shop: Shop) -> str:
    session = str((await shop.session())["id"])
    assert (await shop.http.post(f"/checkout_session/{session}/cancel", json={})).status_code == 200
    return session


async def opened(shop: Shop) -> str:
    return str((await shop.session())["id"])


PURCHASES = {
    "paid at the page": lambda shop: paid_at_the_page(shop, "card_ok"),
    "paid by a transfer that settles later": lambda shop: paid_at_the_page(shop, "bank_ok"),
    "a guest's": lambda shop: paid_at_the_page(shop, "card_ok", guest(shop.stack.business_entity)),
    "left, then paid": left_then_paid,
    "charged when due": charged_when_due,
    "declined when due": declined_when_due,
    "without payment": lambda shop: bought(shop, "no_payment"),
    "cancelled": cancelled,
    "open": opened,
}


@pytest.mark.parametrize("purchase", PURCHASES.values(), ids=PURCHASES)
async def test_a_real_purchase_breaks_no_invariant(shop: Shop, ready_file: Path, purchase: Any) -> None:
    session = await purchase(shop)

    report = await judged(shop, ready_file, session)

    assert report.violations == ()
    assert report.sessions == 1


async def test_a_page_that_waits_is_said_to_be_not_at_rest(shop: Shop, ready_file: Path) -> None:
    session = await bought(shop, "charge_immediately")

    report = await judged(shop, ready_file, session)

    assert report.moving == {UUID(session): "it is being confirmed, and its page's window goes on"}


async def test_a_session_that_was_reset_to_its_beginning_breaks_no_invariant(
    shop: Shop, ready_file: Path, temporal: Client
) -> None:
    session = await charged_when_due(shop)
    workflow = temporal.get_workflow_handle(workflow_of(UUID(shop.stack.organisation), UUID(session)))
    before = await workflow.describe()
    events = [event async for event in workflow.fetch_history_events()]
    first = next(e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=before.id, run_id=before.run_id),
            reason="a test",
            workflow_task_finish_event_id=first,
            request_id=session,
        )
    )
    async with asyncio.timeout(20):
        while sum(row["call"] == "charge" for row in await shop.ledger(session)) < 2:
            await asyncio.sleep(0.05)

    assert (await judged(shop, ready_file, session)).violations == ()


async def test_money_that_only_the_gateway_knows_is_named(
    shop: Shop, organisation: UUID, ready_file: Path, stack: Stack
) -> None:
    session = uuid4()
    secret = json.loads((stack.home / "secrets.json").read_text())["sandbox_secret"]
    charge = {
        "account": str(organisation),
        "reference": str(session),
        "key": f"{session}/1/charge/1/1",
        "amount_minor": 2999,
        "currency": "USD",
        "method": "pm_sandbox_card_ok",
        "description": "",
    }
    answer = await shop.gateway.post("/charge", json=charge, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text

    code, said = await command(ready_file, organisation)

    named = {(each["session"], each["invariant"]) for each in said["violations"]}
    assert named == {(str(session), name) for name in ("M3", "M7", "S6")}
    assert code == 1


async def test_an_organisation_without_sessions_breaks_nothing(ready_file: Path, organisation: UUID) -> None:
    code, said = await command(ready_file, organisation)

    assert (code, said["sessions"], said["violations"]) == (0, 0, [])


async def command(ready_file: Path, organisation: UUID) -> tuple[int | None, dict[str, Any]]:
    """How `checkout audit --json` ends, and what it says."""
    call = [sys.executable, "cli.py", "audit", "--ready-file", str(ready_file), "--organisation", str(organisation)]
    process = await asyncio.create_subprocess_exec(*call, "--json", cwd=ROOT, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    return process.returncode, json.loads(said)
