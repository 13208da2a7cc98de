"""The Temporal UI as the operators' console: its own pages, lists and buttons, pressed in a browser."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, FrameLocator, Locator, Page, async_playwright, expect
from temporalio.client import Client

from checkout.ids import workflow_of
from store.database import Database
from tests.api.shop import Shop, onboarding
from tests.conftest import Stack, dun_after

HANDBOOK = Path(__file__).parents[2] / "docs" / "operations.md"
QUERIES = re.findall(r"^\| .* \| `(.+)` \|$", HANDBOOK.read_text().partition("## Queries")[2], re.MULTILINE)
SLOW = 15_000
"""Milliseconds that a page may take on a busy machine."""


@pytest.fixture(scope="module")
async def shop(stack: Stack, http: httpx.AsyncClient, database: Database) -> AsyncIterator[Shop]:
    await dun_after(database, stack, [])
    operator = httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": stack.operator_key}, timeout=30)
    gateway = httpx.AsyncClient(base_url=stack.gateway, timeout=30)
    async with operator, gateway:
        yield Shop(http, operator, gateway, stack)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("the browser tests need chromium on the PATH")
    expect.set_options(timeout=SLOW)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def console(browser: Browser, stack: Stack) -> AsyncIterator[Console]:
    tab = await browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(SLOW)
    yield Console(tab, stack)
    await tab.close()


class Console:
    """The Temporal UI in a tab, used as an operator does."""

    def __init__(self, tab: Page, stack: Stack) -> None:
        self.tab = tab
        self._stack = stack
        self._workflows = f"{stack.temporal_ui}/namespaces/default/workflows"

    async def open(self, session: str) -> FrameLocator:
        """The page of a session's workflow, with its current details: the last of the texts shown there."""
        workflow = quote(workflow_of(self._stack.organisation, UUID(session)), safe="")
        await self.tab.goto(f"{self._workflows}/{workflow}")
        await self.tab.get_by_test_id("user-metadata-tab").click()
        return self.tab.frame_locator("iframe >> nth=-1")

    async def send(self, update: str, data: str) -> None:
        """Send an update from the dialog. Leaving the box lays its text out, and moves the button."""
        await self.tab.get_by_role("button", name="More Actions").click()
        await self.tab.get_by_role("menuitem", name="Send an Update").click()
        dialog = self.tab.get_by_role("dialog", name="Send an Update")
        await dialog.get_by_test_id("update-select-button").click()
        await dialog.get_by_role("option", name=re.compile(rf"^\s*{update}\b")).click()
        box = dialog.get_by_role("textbox", name="Data")
        await box.fill(data)
        await box.blur()
        await expect(box.locator(".cm-line")).to_have_count(2 + len(json.loads(data)))
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog).to_be_hidden()

    async def request_cancellation(self) -> None:
        await self.tab.get_by_role("button", name="Request Cancellation").click()
        await self.tab.get_by_role("dialog", name="Cancel Workflow").get_by_role("button", name="Confirm").click()

    async def found(self, query: str) -> Locator:
        """The links to the workflows that a query lists."""
        await self.tab.goto(self._workflows)
        await self.tab.get_by_test_id("toggle-manual-query").click()
        box = self.tab.get_by_test_id("workflow-manual-search-input")
        await box.fill(query)
        await box.press("Enter")
        return self.tab.get_by_role("link", name="checkout/")


async def to_paste(details: FrameLocator, update: str) -> str:
    """The input that the page gives for an update."""
    text = await details.get_by_role("listitem").filter(has_text=f"update {update}").inner_text()
    return text[text.index("{") : text.index("}") + 1]


async def until_listed(temporal: Client, query: str) -> None:
    """Wait until lists show it: they lag a little, and the UI's does not look again by itself."""
    async with asyncio.timeout(20):
        while not (await temporal.count_workflows(query)).count:
            await asyncio.sleep(0.05)


async def overpaid(shop: Shop) -> str:
    """A session whose customer paid, and the gateway took another amount."""
    session = str((await shop.session())["id"])
    fault = {"call": "page", "fault": "short_amount", "match": {"reference": session}}
    assert (await shop.gateway.post("/faults", json=fault)).is_success
    await shop.at_the_page((await shop.confirmed(session, "charge_immediately")).json()["redirect_url"])
    await shop.until(session, lambda read: read["attention"] is not None)
    return session


def due_today(customer: str) -> dict[str, Any]:
    body = onboarding(customer)
    today = datetime.now(UTC).date().isoformat()
    body["contract"] |= {"start_date": today, "payment_terms": {"type": "due_date", "date": today}}
    body["contract"]["phases"][0]["start_date"] = today
    return body


@pytest.mark.parametrize("query", QUERIES)
async def test_the_server_takes_each_query_of_the_handbook(temporal: Client, query: str) -> None:
    await temporal.count_workflows(query)


async def test_a_session_that_needs_attention_is_found_and_compensated_as_its_page_says(
    console: Console, shop: Shop, temporal: Client
) -> None:
    in_order, session = str((await shop.session())["id"]), await overpaid(shop)
    await until_listed(
        temporal, f'{QUERIES[0]} AND WorkflowId = "{workflow_of(shop.stack.organisation, UUID(session))}"'
    )

    found = await console.found(QUERIES[0])
    await expect(found.filter(has_text=session)).to_be_visible()
    await expect(found.filter(has_text=in_order)).to_have_count(0)
    details = await console.open(session)
    await expect(details.get_by_text("The gateway took another amount than was confirmed.")).to_be_visible()
    await console.send("compensate", await to_paste(details, "compensate"))

    read = await shop.until(session, lambda read: read["checkout_session_status"] == "open")
    assert (read["payment_status"], read["attention"], await shop.moved(session)) == ("failed", None, 0)
    timeline = (await shop.http.get(f"/checkout_session/{session}/timeline")).json()["data"]
    assert [m["actor"] for m in timeline if m["type"] == "checkout_session.compensating"] == ["your name"]


async def test_a_declined_due_payment_is_charged_again_as_its_page_says(console: Console, shop: Shop) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = str((await shop.session(due_today(customer)))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda read: read["attention"] is not None)
    details = await console.open(session)
    await expect(details.get_by_text("A due payment was refused.")).to_be_visible()
    await console.send("retry", await to_paste(details, "retry"))

    again = {"attempts": 2, "status": "failed"}
    await shop.until(session, lambda read: again.items() <= read["payment_schedule"][0].items())
    assert [line["effect"] for line in await shop.ledger(session)] == ["declined", "declined"]


async def test_request_cancellation_undoes_a_confirmation_before_it_ends(console: Console, shop: Shop) -> None:
    session = str((await shop.session())["id"])
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]

    details = await console.open(session)
    await expect(details.get_by_text("still to come 500.00 USD")).to_be_visible()
    await console.request_cancellation()

    read = await shop.until(session, lambda read: read["checkout_session_status"] == "closed")
    assert (read["payment_status"], read["contract_id"]) == ("not_started", None)
    assert not (await shop.gateway.post(page, data={"instrument": "card_ok", "action": "pay"})).is_success
    assert await shop.moved(session) == 0
