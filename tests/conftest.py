"""One real stack for every test: PostgreSQL, Temporal, sandbox provider, worker and API, shared by the session."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import hypothesis  # noqa: F401 - its plugin would import it when the report is written
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from checkout.due import DueRules
from store import api_keys, business_entities, organisations
from store.database import Database

ROOT = Path(__file__).parents[1]
PATIENCE = 60
PEPPER = "a pepper of the tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="record the histories of the saga's tests anew")
    parser.addoption("--pictures", action="store_true", help="take the pictures of the pages in docs/images anew")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect what the sessions' workflows left behind now: CPython 3.11 miscounts its stack when coroutines are
    collected while it parses source, as the modules that a report imports are ("AST constructor recursion depth").
    """
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those that need nothing, then those on the stack, then those that kill and browse."""
    order = {"checkout": 0, "sandbox": 1, "gateways": 1, "store": 1, "reconciler": 1, "workflows": 2, "api": 2}
    items.sort(key=lambda item: order.get(Path(item.path).relative_to(ROOT / "tests").parts[0], 3))


PROCESS: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the processes that share the tests this one is, from 0: each looks for ports in a range of its own."""


def free_base() -> int:
    """A port from which twenty in a row are free now; looked for from another one on by each process of the machine, so
    that two who look at the same time do not find the same.
    """
    first, own = 20000 + 4000 * (PROCESS % 3), 20 * (os.getpid() % 200)
    for base in (first + (own + step) % 4000 for step in range(0, 4000, 20)):
        try:
            for port in range(base, base + 20):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise RuntimeError("no twenty free ports in a row")


@dataclass(frozen=True)
class Stack:
    """A running `checkout up`: its ready file's content, and its process."""

    ready: dict[str, Any]
    home: Path
    process: subprocess.Popen[bytes]

    def __getattr__(self, name: str) -> Any:
        return self.ready[name]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, started as a user starts it."""
    home = tmp_path_factory.mktemp("stack")
    ready = home / "ready.json"
    command = [sys.executable, "cli.py", "up", "--port-base", str(free_base()), "--ready-file", str(ready)]
    environment = {**os.environ, "CHECKOUT_HOME": str(home / "state")}
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + PATIENCE
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the stack did not start:\n{(home / 'up.log').read_text()}")
            time.sleep(0.05)
        yield Stack(json.loads(ready.read_text()), home / "state", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.fixture(scope="session")
def database_url(stack: Stack) -> str:
    return str(stack.database)


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        yield database


@pytest.fixture(scope="session")
async def temporal(stack: Stack) -> Client:
    return await Client.connect(stack.temporal, data_converter=pydantic_data_converter, identity="tests")


@pytest.fixture
async def organisation(database: Database) -> UUID:
    """An organisation of the test's own."""
    return await new_organisation(database)


async def dun_after(database: Database, stack: Stack, days: list[int]) -> None:
    """Have the stack's organisation dun that many days after a decline."""
    async with database.unbound() as connection:
        await connection.execute("UPDATE organisations SET dunning_days = %s WHERE id = %s", (days, stack.organisation))


async def new_organisation(database: Database, rules: DueRules | None = None) -> UUID:
    organisation = uuid4()
    async with database.unbound() as connection:
        await organisations.ensure(connection, organisation, "Northwind Software Ltd", rules)
    return organisation


@dataclass(frozen=True)
class Keys:
    """An organisation's keys, one of each scope."""

    merchant: str
    operator: str
    admin: str


async def new_keys(database: Database, organisation: UUID, pepper: str) -> Keys:
    keys = {scope: f"ck_test_{uuid4().hex}{uuid4().hex}" for scope in api_keys.SCOPES}
    async with database.unbound() as connection:
        for scope, key in keys.items():
            await api_keys.store_key(connection, organisation, key, scope, pepper)
    return Keys(**keys)


@pytest.fixture
async def keys(database: Database, organisation: UUID) -> Keys:
    """The organisation's keys, for the API that runs in the test's own process."""
    return await new_keys(database, organisation, PEPPER)


@pytest.fixture
async def business_entity(database: Database, organisation: UUID) -> UUID:
    entity = uuid4()
    async with database.of(organisation) as connection:
        await business_entities.ensure(connection, entity, "Northwind Software Ltd", "GB", "GBP")
    return entity


@pytest.fixture(scope="session")
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The real API over HTTP, called with the stack's merchant key."""
    headers = {"x-api-key": stack.api_key}
    async with httpx.AsyncClient(base_url=stack.api, headers=headers, timeout=30) as client:
        yield client
