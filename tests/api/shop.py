"""A shop on the real stack: makes what a checkout needs, and drives the hosted page as a browser's form would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.conftest import Stack

PATIENCE = 20.0


@dataclass
class Shop:
    """The stack's organisation, called with its merchant key; *operator* with its operator key."""

    http: httpx.AsyncClient
    operator: httpx.AsyncClient
    gateway: httpx.AsyncClient
    stack: Stack

    async def made(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def customer(self, token: str | None = None) -> str:
        """A customer, with a saved payment method where *token* names one."""
        body = {"customer_name": "Acme GmbH", "email": f"billing-{uuid4().hex[:12]}@acme.example"}
        customer = str((await self.made("/customers", body))["id"])
        if token:
            method = {"gateway": "sandbox", "token": token, "set_as_default": True}
            await self.made(f"/customers/{customer}/payment_methods", method)
        return customer

    async def plan(self) -> str:
        """A plan of 10 seats at 12.00 USD a month, prepaid, for a year."""
        product = (await self.made("/products", {"name": "Seats", "unit": "seat"}))["id"]
        pricing = await self.made(
            f"/products/{product}/pricings",
            {
                "name": "Seat, monthly",
                "is_recurring": True,
                "billing_period": {"cadence": "P1M", "offset": "prepaid"},
                "pricing_data": {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "12.00"},
            },
        )
        quantity = {"type": "fixed", "quantity": "10"}
        line = {"product_id": product, "pricing_id": pricing["id"], "quantity": quantity}
        phase = {"name": "Team", "phase_type": "active", "pricings": [line]}
        plan = {"name": "Team", "currency": "USD", "status": "active", "duration": "P1Y", "phases": [phase]}
        return str((await self.made("/plans", plan))["id"])

    async def session(self, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """An open session: by default of a customer, for 500.00 USD once."""
        return await self.made("/checkout_session", body or onboarding(await self.customer()), **headers)

    async def confirmed(self, session: str, mode: str, **more: Any) -> httpx.Response:
        return await self.http.post(f"/checkout_session/{session}/confirm", json={"confirmation": mode, **more})

    async def read(self, session: str) -> dict[str, Any]:
        answer = await self.http.get(f"/checkout_session/{session}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until_listed(self, session: str) -> None:
        """Wait until the session has its row: other reads ask its workflow before."""
        async with asyncio.timeout(PATIENCE):
            while session not in [each["id"] for each in (await self.http.get("/checkout_session")).json()["data"]]:
                await asyncio.sleep(0.02)

    async def until(self, session: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The session once *holds*."""
        async with asyncio.timeout(PATIENCE):
            while not holds(read := await self.read(session)):
                await asyncio.sleep(0.05)
        return read

    async def at_the_page(self, url: str, instrument: str = "card_ok", action: str = "pay") -> httpx.Response:
        """Post the page's form, hidden fields included, without following where it leads."""
        page = await self.gateway.get(url)
        assert page.status_code == 200
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return await self.gateway.post(url, data={**hidden, "instrument": instrument, "action": action})

    async def ledger(self, session: str) -> list[dict[str, Any]]:
        """What truly happened at the gateway for a session."""
        return list((await self.gateway.get("/ledger", params={"reference": session})).json())

    async def moved(self, session: str) -> int:
        """Captured minus refunded, in minor units, by the gateway's ledger."""
        signs = {"captured": 1, "refunded": -1}
        return sum(signs.get(row["effect"], 0) * (row["amount_minor"] or 0) for row in await self.ledger(session))


def onboarding(customer: str, **more: Any) -> dict[str, Any]:
    """A session body: 500.00 USD once, for an existing customer."""
    return {"contract": contract(), "customer_id": customer, **URLS, **more}


def guest(entity: str, **more: Any) -> dict[str, Any]:
    """The same for a guest."""
    person = {"customer_name": "Ada Byron", "email": f"ada-{uuid4().hex[:12]}@example.com"}
    return {"contract": contract(), "guest_checkout": True, "business_entity_id": entity, "customer": person, **more}


def contract(amount: str = "500.00", **phase: Any) -> dict[str, Any]:
    price = {"pricing_type": "flat_fee", "currency": "USD", "unit_amount": amount}
    line = {
        "product": {"name": "Onboarding"},
        "quantity": {"type": "fixed", "quantity": "1"},
        "pricing": {"is_recurring": False, "pricing_data": price},
    }
    only = {"name": "Year", "phase_type": "active", "start_date": "2027-01-01", "pricings": [line], **phase}
    return {
        "is_plan_based": False,
        "currency": "USD",
        "start_date": "2027-01-01",
        "end_date": "2027-12-31",
        "phases": [only],
    }


URLS = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}
