"""Purchases of an organisation that takes its money at Stripe, from the request to the rows: at the double of Stripe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client

from api.app import create_app
from checkout.ids import page_key
from store import organisations
from store.database import Database
from tests.api.conftest import NOW, client_of
from tests.api.shop import Shop, contract, onboarding
from tests.conftest import PEPPER, Keys, Stack
from tests.gateways.stripe_world import StripeDouble, stripe_double
from worker import worker
from workflows.reconciliation import ReconciliationWorkflow


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeDouble]:
    with stripe_double(tmp_path_factory.mktemp("double")) as double:
        yield double


@dataclass
class StripeShop:
    """A merchant whose organisation takes its money at Stripe, with a worker and an API of its own."""

    shop: Shop
    double: StripeDouble
    organisation: UUID
    queue: str
    temporal: Client

    async def confirmed(self, customer: str, mode: str, **more: Any) -> dict[str, Any]:
        session = await self.shop.session(onboarding(customer))
        answer = await self.shop.confirmed(session["id"], mode, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def pay(self, page: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as browser:
            paid = await browser.post(page, data={"action": "pay", "instrument": "card_ok"})
            assert paid.status_code == 200

    async def told(self, session: str) -> None:
        """Stripe's event of the paid page arrives."""
        about = {"account": self.organisation, "reference": session, "key": page_key(UUID(session), 1)}
        headers, body = self.double.signed(about)
        answer = await self.shop.http.post("/webhooks/stripe", content=body, headers=headers)
        assert answer.status_code == 200

    async def swept(self) -> None:
        await self.temporal.execute_workflow(
            ReconciliationWorkflow.run, NOW, id=f"reconcile-{uuid4()}", task_queue=self.queue
        )

    def moved(self, session: str) -> int:
        """Captured minus refunded, by what truly happened at Stripe."""
        signs = {"captured": 1, "refunded": -1}
        entries = self.double.ledger(account=self.organisation, reference=session)
        return sum(signs.get(entry["effect"], 0) * entry["amount_minor"] for entry in entries)


@pytest.fixture
async def stripe_shop(
    database: Database, temporal: Client, organisation: UUID, keys: Keys, double: StripeDouble, stack: Stack
) -> AsyncIterator[StripeShop]:
    async with database.of(organisation) as connection:
        assert await organisations.choose_gateway(connection, organisation, "stripe", None)
    queue = f"stripe-{organisation}"
    async with aclosing(double.gateway()) as gateway:
        gateway.uncertainty = timedelta(seconds=1)  # tests are impatient
        gateways = {gateway.name: gateway}
        app = create_app(
            database=database, gateways=gateways, temporal=temporal, pepper=PEPPER, wait=20, task_queue=queue
        )
        merchant, operator = client_of(app, keys.merchant), client_of(app, keys.operator)
        async with merchant, operator, worker(temporal, queue, database, gateways):
            yield StripeShop(Shop(merchant, operator, merchant, stack), double, organisation, queue, temporal)
    double.heal()


def due_today() -> dict[str, Any]:
    """A contract of 500.00 USD that is due on the day it is made."""
    today = datetime.now(UTC).date().isoformat()
    due = contract(start_date=today, payment_terms={"type": "due_date", "date": today})
    return due | {"start_date": today}


def is_paid(session: dict[str, Any]) -> bool:
    return (session["checkout_session_status"], session["payment_status"]) == ("completed", "paid")


async def test_a_page_that_is_paid_completes_its_session_and_what_paid_it_is_saved(stripe_shop: StripeShop) -> None:
    shop, customer = stripe_shop.shop, await stripe_shop.shop.customer()
    session = await stripe_shop.confirmed(customer, "charge_immediately", save_payment_method=True)
    await stripe_shop.pay(session["redirect_url"])
    await stripe_shop.told(session["id"])

    paid = await shop.until(session["id"], is_paid)

    (payment,) = paid["payments"]
    assert (payment["status"], payment["amount"]) == ("captured", "500.00")
    assert payment["reference"].startswith("pi_")
    assert stripe_shop.moved(session["id"]) == 50000
    async with asyncio.timeout(20):
        while not (saved := (await shop.http.get(f"/customers/{customer}/payment_methods")).json()["data"]):
            await asyncio.sleep(0.1)
    assert (saved[0]["gateway"], saved[0]["last4"]) == ("stripe", "4242")


@pytest.mark.parametrize("fault", ["lost_reply", "500_after", "409_in_progress"])
async def test_a_due_payment_whose_answer_is_lost_is_charged_once(stripe_shop: StripeShop, fault: str) -> None:
    shop, customer = stripe_shop.shop, await stripe_shop.shop.customer()
    method = {"gateway": "stripe", "token": "pm_card_visa", "set_as_default": True}
    await shop.made(f"/customers/{customer}/payment_methods", method)
    stripe_shop.double.fault("charge", fault, stripe_shop.organisation)
    session = await shop.session({"contract": due_today(), "customer_id": customer})
    await shop.confirmed(session["id"], "charge_when_due")

    await shop.until(session["id"], is_paid)

    assert stripe_shop.moved(session["id"]) == 50000


async def test_a_page_that_was_paid_unheard_is_paid_back_when_its_session_is_undone(stripe_shop: StripeShop) -> None:
    shop, customer = stripe_shop.shop, await stripe_shop.shop.customer()
    session = await stripe_shop.confirmed(customer, "charge_immediately")
    stripe_shop.double.fault("close_page", "paid_first", stripe_shop.organisation)

    undo = {"reason": "the customer called", "then": "close"}
    await shop.operator.post(f"/checkout_session/{session['id']}/compensate", json=undo)

    await shop.until(session["id"], lambda read: read["checkout_session_status"] == "closed")
    assert stripe_shop.moved(session["id"]) == 0


async def test_the_reconciler_finds_a_capture_whose_row_does_not_have_it(
    stripe_shop: StripeShop, database: Database
) -> None:
    session = await stripe_shop.confirmed(await stripe_shop.shop.customer(), "charge_immediately")
    await stripe_shop.pay(session["redirect_url"])
    await stripe_shop.told(session["id"])
    await stripe_shop.shop.until(session["id"], is_paid)
    key = page_key(UUID(session["id"]), 1)
    async with database.of(stripe_shop.organisation) as connection:
        await connection.execute("UPDATE payments SET status = 'pending', reference = NULL WHERE key = %s", (key,))

    await stripe_shop.swept()

    async with database.of(stripe_shop.organisation) as connection:
        cursor = await connection.execute("SELECT status, reference FROM payments WHERE key = %s", (key,))
        row = await cursor.fetchone()
    assert row is not None
    assert (row["status"], row["reference"][:3]) == ("captured", "pi_")
