"""Saved payment methods: after a decline the sessions that wait for money hear of it; at a page one is saved where asked."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from gateways.port import SavedMethod
from store import payment_methods
from store.database import Database
from tests.api.interruptions import Operator, Sweep, another_card, due_today, kinds
from tests.api.shop import PATIENCE, Shop, onboarding

SAVED = "payment_method_saved"
TOKEN = "SELECT token FROM payment_methods WHERE customer_id = %s"


def paid(session: dict[str, Any]) -> bool:
    return bool(session["payment_status"] == "paid")


async def waiting_for_money(shop: Shop, customer: str) -> str:
    """A completed session whose only instalment, due today, was declined."""
    session = str((await shop.session(due_today(customer)))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda shown: shown["payment_schedule"][0]["status"] in {"declined", "failed"})
    return session


async def heard(operator: Operator, session: str) -> int:
    """How often the session's workflow was told of a saved method."""
    events = [event async for event in operator.workflow(session).fetch_history_events()]
    told = [event.workflow_execution_signaled_event_attributes.signal_name for event in events]
    return told.count(SAVED)


async def until_heard(operator: Operator, session: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await heard(operator, session):
            await asyncio.sleep(0.05)


async def saved_unheard(shop: Shop, operator: Operator, database: Database, customer: str) -> None:
    """Save a good card as a process does that is killed right after its transaction."""
    another = await shop.customer("pm_sandbox_card_ok")
    async with database.of(operator.organisation) as connection:
        (method,) = await (await connection.execute(TOKEN, (another,))).fetchall()
        card = SavedMethod(method["token"], "card", "visa", "4242", expiry_month=None, expiry_year=None)
        await payment_methods.insert(connection, uuid4(), UUID(customer), "sandbox", card)


async def test_a_declined_session_hears_of_a_saved_method_at_once(shop: Shop, operator: Operator) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await waiting_for_money(shop, customer)

    await another_card(shop, customer, instead=False)

    await until_heard(operator, session)
    assert await heard(operator, session) == 1


async def test_a_session_that_nobody_told_hears_of_a_saved_method_from_the_reconciler(
    shop: Shop, operator: Operator, database: Database, sweep: Sweep
) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await waiting_for_money(shop, customer)
    await saved_unheard(shop, operator, database, customer)
    assert not await heard(operator, session)

    done = await sweep()

    assert done.passed_on
    assert await heard(operator, session)


async def test_a_session_whose_workflow_is_over_goes_on_when_a_method_is_saved(shop: Shop, operator: Operator) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await waiting_for_money(shop, customer)
    await operator.terminate(session)

    await another_card(shop, customer, instead=False)

    await until_heard(operator, session)
    async with asyncio.timeout(PATIENCE):
        while "checkout_session.resumed" not in await kinds(shop, session):
            await asyncio.sleep(0.05)


async def test_a_session_that_was_paid_hears_nothing(shop: Shop, operator: Operator) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    session = str((await shop.session(due_today(customer)))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, paid)

    await another_card(shop, customer, instead=False)

    assert not await heard(operator, session)


async def test_a_declined_payment_is_made_with_a_method_saved_since(shop: Shop, operator: Operator) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await waiting_for_money(shop, customer)

    await another_card(shop, customer, instead=False)
    await shop.until(session, lambda shown: paid(shown) and shown["attention"] is None)

    assert await shop.moved(session) == 50000
    assert await operator.violations(session) == []


async def test_a_method_saved_while_the_workflow_was_gone_pays_once(shop: Shop, operator: Operator) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await waiting_for_money(shop, customer)
    await operator.terminate(session)

    await another_card(shop, customer, instead=False)
    await shop.until(session, paid)

    assert await shop.moved(session) == 50000
    assert await operator.violations(session) == []


async def test_what_a_customer_pays_with_at_the_page_is_charged_when_the_next_payment_is_due(shop: Shop) -> None:
    customer = await shop.customer()
    first = (await shop.session(onboarding(customer)))["id"]
    page = (await shop.confirmed(first, "charge_immediately", save_payment_method=True)).json()["redirect_url"]
    await shop.at_the_page(page, "card_ok")

    async with asyncio.timeout(PATIENCE):
        while not (saved := (await shop.http.get(f"/customers/{customer}/payment_methods")).json()["data"]):
            await asyncio.sleep(0.05)
    next_one = (await shop.session(due_today(customer)))["id"]
    await shop.confirmed(next_one, "charge_when_due")
    await shop.until(next_one, lambda s: s["payment_status"] == "paid")

    (method,) = saved
    assert (method["type"], method["last4"], method["is_default"]) == ("card", "4242", True)


async def test_nothing_can_be_saved_where_nothing_is_paid_at_a_page(shop: Shop) -> None:
    session = (await shop.session())["id"]

    answer = await shop.confirmed(session, "no_payment", save_payment_method=True)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert (await shop.read(session))["checkout_session_status"] == "open"
