"""Calls whose outcome takes long, or whose Temporal is away: 202, 409 and 503, never a wrong "failed"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.app import create_app
from gateways.sandbox import SandboxGateway
from store.database import Database
from tests.api.conftest import client_of
from tests.api.shop import contract
from tests.conftest import PEPPER, Keys, Stack

WAIT = 2.0


@pytest.fixture
async def impatient(
    database: Database, gateway: SandboxGateway, temporal: Client, keys: Keys
) -> AsyncIterator[httpx.AsyncClient]:
    """The organisation's merchant at an API that waits two seconds for an outcome."""
    app = create_app(database=database, gateways={"sandbox": gateway}, temporal=temporal, pepper=PEPPER, wait=WAIT)
    async with client_of(app, keys.merchant) as client:
        yield client


@pytest.fixture
async def failing_gateway(stack: Stack, organisation: UUID) -> AsyncIterator[None]:
    """The provider answers this organisation's pages with 500s."""
    async with httpx.AsyncClient(base_url=stack.gateway) as faults:
        fault = {"call": "open_page", "fault": "500_before", "times": 1000, "match": {"account": str(organisation)}}
        await faults.post("/faults", json=fault)
        yield
        await faults.delete("/faults")


async def opened(client: httpx.AsyncClient) -> str:
    customer = (await client.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"]
    session = await client.post("/checkout_session", json={"contract": contract(), "customer_id": customer})
    assert session.status_code == 201, session.text
    return str(session.json()["id"])


@pytest.mark.usefixtures("failing_gateway")
async def test_a_call_that_is_not_done_in_time_says_so_and_its_key_finds_the_outcome(
    impatient: httpx.AsyncClient, stack: Stack
) -> None:
    session = await opened(impatient)
    path, key = f"/checkout_session/{session}/confirm", {"Idempotency-Key": uuid4().hex}
    body = {"confirmation": "charge_immediately"}

    first = asyncio.create_task(impatient.post(path, json=body, headers=key))
    await asyncio.sleep(0.2)
    second = await impatient.post(path, json=body, headers=key)
    unfinished = await first

    assert second.status_code == 409
    assert second.json()["type"] == "/problems/request-in-progress"
    assert int(second.headers["retry-after"]) > 0
    assert unfinished.status_code == 202
    assert int(unfinished.headers["retry-after"]) > 0
    assert unfinished.json()["checkout_session_status"] == "processing"

    async with httpx.AsyncClient(base_url=stack.gateway) as faults:
        await faults.delete("/faults")
    async with asyncio.timeout(40):
        while (done := await impatient.post(path, json=body, headers=key)).status_code in {202, 409}:
            await asyncio.sleep(0.1)
    assert done.status_code == 200
    assert done.json()["redirect_url"]
    other = await impatient.post(path, json={"confirmation": "no_payment"}, headers=key)
    assert other.json()["type"] == "/problems/idempotency-key-reused"


async def test_while_temporal_is_away_sessions_are_read_and_calls_say_unavailable(
    impatient: httpx.AsyncClient, database: Database, gateway: SandboxGateway, keys: Keys
) -> None:
    session = await opened(impatient)
    done = await impatient.post(f"/checkout_session/{session}/confirm", json={"confirmation": "no_payment"})
    nowhere = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    app = create_app(database=database, gateways={"sandbox": gateway}, temporal=nowhere, pepper=PEPPER, wait=WAIT)

    async with client_of(app, keys.merchant) as away:
        read = await away.get(f"/checkout_session/{session}")
        cancelled = await away.post(f"/checkout_session/{session}/cancel")
        body = {"contract": contract(), "customer_id": done.json()["customer_id"]}
        refused = await away.post("/checkout_session", json=body)

    assert read.json() == done.json()
    assert cancelled.status_code == 503
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/temporarily-unavailable"
    assert int(refused.headers["retry-after"]) > 0
