"""An operator at a terminal: `checkout ops` as a process of its own, on an organisation of the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from checkout.due import DueRules
from ops.connection import Connection
from store.database import Database
from tests.api.shop import Shop, contract, onboarding
from tests.conftest import ROOT, Stack, new_keys, new_organisation

OURS = "CHECKOUT_"


@dataclass(frozen=True)
class Ran:
    """What a command printed, and the code it ended with."""

    code: int
    out: str
    err: str


@dataclass
class Desk:
    """A shop with sessions that need attention, and the terminal of its operator."""

    shop: Shop
    key: str

    @property
    def connection(self) -> Connection:
        return Connection(str(self.shop.stack.api), SecretStr(self.key))

    async def ops(self, *words: str, columns: int = 80, **environment: str) -> Ran:
        """`checkout ops` with *words*; *environment* says otherwise than the settings of this operator."""
        process = await self.started(*words, columns=columns, **environment)
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def started(self, *words: str, columns: int = 80, **environment: str) -> asyncio.subprocess.Process:
        """The same, as a process that is running."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {"CHECKOUT_API_URL": str(self.shop.stack.api), "CHECKOUT_OPERATOR_KEY": self.key}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "cli.py",
            "ops",
            *words,
            cwd=ROOT,
            env={**inherited, **own, "COLUMNS": str(columns), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def underpaid(self) -> str:
        """A session whose page captured another amount: it can be compensated."""
        session = str((await self.shop.session())["id"])
        page = (await self.shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
        fault = {"call": "page", "fault": "short_amount", "match": {"reference": session}}
        assert (await self.shop.gateway.post("/faults", json=fault)).status_code == 201
        await self.shop.at_the_page(page)
        await self.shop.until(session, lambda shown: shown["attention"] is not None)
        return session

    async def declined(self) -> str:
        """A session whose payment, due today, was declined: it can be retried."""
        today = datetime.now(UTC).date().isoformat()
        body = onboarding(await self.shop.customer("pm_sandbox_card_declined"))
        body["contract"] = {**contract(start_date=today), "start_date": today}
        session = str((await self.shop.session(body))["id"])
        await self.shop.confirmed(session, "charge_when_due")
        await self.shop.until(session, lambda shown: shown["attention"] is not None)
        return session

    async def fine(self) -> str:
        """A session that needs nobody."""
        session = str((await self.shop.session())["id"])
        assert (await self.shop.confirmed(session, "no_payment")).status_code == 200
        return session

    async def events(self, session: str) -> list[str]:
        """The types of what happened to a session, oldest first."""
        moments: list[dict[str, Any]] = (await self.shop.http.get(f"/checkout_session/{session}/timeline")).json()[
            "data"
        ]
        return [moment["type"] for moment in moments]


@asynccontextmanager
async def desk_of(stack: Stack, database: Database) -> AsyncIterator[Desk]:
    pepper = json.loads((stack.home / "secrets.json").read_text())["pepper"]
    keys = await new_keys(database, await new_organisation(database, DueRules(dunning_days=())), pepper)
    merchant = httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": keys.merchant}, timeout=30)
    operator = httpx.AsyncClient(base_url=stack.api, headers={"x-api-key": keys.operator}, timeout=30)
    gateway = httpx.AsyncClient(base_url=stack.gateway, timeout=30)
    async with merchant, operator, gateway:
        yield Desk(Shop(merchant, operator, gateway, stack), keys.operator)


@pytest.fixture
async def desk(stack: Stack, database: Database) -> AsyncIterator[Desk]:
    """One for acting: nobody else's sessions are in its organisation."""
    async with desk_of(stack, database) as desk:
        yield desk


@dataclass(frozen=True)
class Seen:
    """A desk for looking only: a session of each kind."""

    desk: Desk
    underpaid: str
    declined: str
    fine: str


@pytest.fixture(scope="package")
async def seen(stack: Stack, database: Database) -> AsyncIterator[Seen]:
    async with desk_of(stack, database) as desk:
        yield Seen(desk, await desk.underpaid(), await desk.declined(), await desk.fine())
