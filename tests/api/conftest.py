"""The API in the test's own process, over the real database and the real sandbox provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from api.app import create_app
from api.checkouts import _checkouts
from checkout.commands import Reconcile
from checkout.outcomes import Reconciled
from gateways.sandbox import SandboxGateway
from store.database import Database
from tests.api.interruptions import Operator, Sweep
from tests.api.messenger import Deaf, Door, Messenger, Opens
from tests.api.shop import Shop
from tests.conftest import PEPPER, Keys, Stack, dun_after, new_keys, new_organisation
from workflows.reconciliation import ReconciliationWorkflow

NOW: Final = Reconcile(window=timedelta(hours=1), rest=timedelta(0))


@pytest.fixture(scope="session")
async def gateway(stack: Stack) -> AsyncIterator[SandboxGateway]:
    secrets = json.loads((stack.home / "secrets.json").read_text())
    gateway = SandboxGateway(stack.gateway, secrets["sandbox_secret"], secrets["webhook_secret"])
    yield gateway
    await gateway.aclose()


@pytest.fixture(scope="session")
def app(database: Database, gateway: SandboxGateway, temporal: Client) -> FastAPI:
    return create_app(database=database, gateways={"sandbox": gateway}, temporal=temporal, pepper=PEPPER, wait=10)


def client_of(app: FastAPI, key: str | None) -> httpx.AsyncClient:
    headers = {} if key is None else {"x-api-key": key}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api", headers=headers, timeout=30)


@pytest.fixture
async def api(app: FastAPI, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    """The organisation's merchant."""
    async with client_of(app, keys.merchant) as client:
        yield client


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a key."""
    async with client_of(app, None) as client:
        yield client


@pytest.fixture
async def other(app: FastAPI, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """An admin of another organisation."""
    organisation: UUID = await new_organisation(database)
    keys = await new_keys(database, organisation, PEPPER)
    async with client_of(app, keys.admin) as client:
        yield client


@pytest.fixture(scope="session")
async def shop(stack: Stack, http: httpx.AsyncClient, database: Database) -> AsyncIterator[Shop]:
    """The stack's organisation, called over HTTP as a merchant does; without dunning, so that a decline is final."""
    await dun_after(database, stack, [])
    operator = httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": stack.operator_key}, timeout=30)
    gateway = httpx.AsyncClient(base_url=stack.gateway, timeout=30)
    async with operator, gateway:
        yield Shop(http, operator, gateway, stack)


@pytest.fixture
async def dunning(shop: Shop, database: Database) -> AsyncIterator[None]:
    """Sessions that the shop opens meanwhile are charged again 1, 3, 5 and 7 days after a decline."""
    await dun_after(database, shop.stack, [1, 3, 5, 7])
    yield
    await dun_after(database, shop.stack, [])


@pytest.fixture
def sweep(temporal: Client) -> Sweep:
    """A sweep of the reconciler now, of what happened until now."""

    async def sweep() -> Reconciled:
        return await temporal.execute_workflow(
            ReconciliationWorkflow.run, NOW, id=f"reconcile-{uuid4()}", task_queue="checkout"
        )

    return sweep


@pytest.fixture(scope="session")
def messenger(shop: Shop) -> Messenger:
    """Brings events of the stack's organisation to the stack's API."""
    secrets = json.loads((shop.stack.home / "secrets.json").read_text())
    return Messenger(shop.http, secrets["webhook_secret"], shop.stack.organisation)


@pytest.fixture
def operator(shop: Shop, temporal: Client) -> Operator:
    return Operator(shop, temporal)


@pytest.fixture
async def opens(
    database: Database, gateway: SandboxGateway, temporal: Client, messenger: Messenger
) -> AsyncIterator[Opens]:
    """Opens doors to the stack's database and Temporal, or to others."""
    opened: list[httpx.AsyncClient] = []

    def door(*, reaching: Client = temporal, storing: Database = database, wait: float = 10) -> Door:
        app = create_app(database=storing, gateways={"sandbox": gateway}, temporal=reaching, pepper=PEPPER, wait=wait)
        opened.append(client_of(app, None))
        return Door(app, opened[-1], messenger.through(opened[-1]))

    yield door
    for client in opened:
        await client.aclose()


@pytest.fixture
def door(opens: Opens) -> Door:
    return opens()


@pytest.fixture
def deaf(door: Door) -> Deaf:
    sessions = Deaf()
    door.app.dependency_overrides[_checkouts] = lambda: sessions
    return sessions
