"""Somebody who brings a gateway's events, signed as it signs them, however often; and the door that they come through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks import Webhook

from api.checkouts import Checkouts
from checkout.commands import PaymentReported
from store.database import Database
from tests.api.shop import Shop

PATIENCE = 20


@dataclass(frozen=True)
class Said:
    """An event as it travels: what stands in its headers, and its raw body."""

    id: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Messenger:
    """Signs with *secret*, about sessions of *organisation*; *http* leads to the API."""

    http: httpx.AsyncClient
    secret: str
    organisation: str

    def through(self, http: httpx.AsyncClient) -> Messenger:
        """The same, by another way."""
        return replace(self, http=http)

    def event(self, kind: str, session: object, key: str | None = None, **more: Any) -> Said:
        """An event about a session, signed now."""
        facts = {"type": kind, "account": self.organisation, "reference": str(session), "key": key}
        return self.signed({"id": f"evt_{uuid4().hex}", **facts, **more})

    def signed(self, content: dict[str, Any] | str, at: datetime | None = None) -> Said:
        """Any content, signed as of *at*."""
        at = at or datetime.now(UTC)
        body = content if isinstance(content, str) else json.dumps(content)
        id_ = str(content["id"]) if isinstance(content, dict) and content["id"] else "evt_1"
        name = id_ if id_.isascii() and id_.isprintable() else "evt_1"
        signature = Webhook(self.secret).sign(name, at, body)
        stamp = str(int(at.timestamp()))
        headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}
        return Said(id_, body.encode(), headers)

    async def bring(self, said: Said, gateway: str = "sandbox") -> httpx.Response:
        return await self.http.post(f"/webhooks/{gateway}", content=said.body, headers=said.headers)

    async def brought(self, *events: Said) -> None:
        """Bring *events* one after the other; each is acknowledged."""
        for said in events:
            answer = await self.bring(said)
            assert answer.status_code == 200, answer.text


@dataclass
class Door:
    """An API of the test's own, through which its *messenger* comes."""

    app: FastAPI
    http: httpx.AsyncClient
    messenger: Messenger

    async def counted(self) -> dict[str, float]:
        """What it counted, by outcome: of what came, and of what was passed on."""
        families = text_string_to_metric_families((await self.http.get("/metrics")).text)
        samples = [sample for family in families for sample in family.samples if sample.value]
        return {sample.labels["outcome"]: sample.value for sample in samples}


Opens = Callable[..., Door]


class Deaf(Checkouts):
    """Sessions of which none hears before it is *listening*; how many hints came."""

    def __init__(self) -> None:
        self.listening = asyncio.Event()
        self.hints = 0

    async def hint(self, organisation: UUID, session: UUID, reported: PaymentReported) -> bool:
        del organisation, session, reported
        self.hints += 1
        await self.listening.wait()
        return True


async def kept(database: Database, said: Said) -> dict[str, Any] | None:
    """The event as it is stored."""
    async with database.unbound() as connection:
        cursor = await connection.execute("SELECT * FROM gateway_events WHERE id = %s", (said.id,))
        return await cursor.fetchone()


async def silent(shop: Shop, session: str) -> None:
    """From now on the gateway itself says nothing about the session."""
    fault = {"call": "webhook", "fault": "drop", "times": None, "match": {"reference": session}}
    answer = await shop.gateway.post("/faults", json=fault)
    assert answer.status_code == 201, answer.text


async def until_passed_on(database: Database, said: Said) -> None:
    async with asyncio.timeout(PATIENCE):
        while (row := await kept(database, said)) is None or row["passed_on_at"] is None:
            await asyncio.sleep(0.02)
