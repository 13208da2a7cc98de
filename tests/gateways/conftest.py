"""The adapters under the contract suite, each with a provider behind it that keeps its side."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from checkout.ids import kind_of
from checkout.money import Money
from checkout.outcomes import ChargeAnswer, CloseAnswer, LookUpAnswer, RefundAnswer
from gateways.port import Account, PageLine, PageRequest, PaymentGateway, Posted
from tests.gateways.sandbox_world import sandbox
from tests.gateways.stripe_world import stripe_double, stripe_itself
from tests.gateways.worlds import World

PRICE: Final = Money(minor=129900, currency="USD")

ADAPTERS: Final[dict[str, Callable[[Path], AbstractContextManager[World]]]] = {
    "sandbox": sandbox,
    "stripe": stripe_double,
} | ({"stripe itself": stripe_itself} if os.environ.get("STRIPE_TEST_KEY") else {})
"""Each adapter with a provider that it is tried against; Stripe itself where there is a key to its test mode."""

MORTAL: Final = [name for name in ADAPTERS if name != "stripe itself"]
"""Those whose provider may be killed."""


@dataclass
class Contract:
    """One purchase through an adapter, and what the customer and the wire can do meanwhile."""

    gateway: PaymentGateway
    world: World
    account: UUID = field(default_factory=uuid4)
    reference: UUID = field(default_factory=uuid4)
    first_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of a charge."""
        return f"{self.reference}/1/charge/1/1"

    @property
    def page_key(self) -> str:
        return f"{self.reference}/1/page"

    @property
    def whose(self) -> Account:
        return Account(self.account)

    def needs(self, *what: str) -> None:
        """Skip where the provider can't be made to do it."""
        if missing := sorted(self.world.lacks & {*what}):
            pytest.skip(f"this provider can't be told: {', '.join(missing)}")

    def request(self, amount: Money = PRICE, **changes: Any) -> PageRequest:
        asked = {
            "account": self.whose,
            "reference": self.reference,
            "amount": amount,
            "merchant": "Northwind Software Ltd",
            "description": "Team plan",
            "lines": [PageLine("Seats", "25", amount)],
            "success_url": "https://shop.example/ok",
            "cancel_url": None,
            "pending_url": None,
            "preferred": "card",
            "first_at": self.first_at,
            "expires_at": self.first_at + timedelta(days=2),
        }
        return PageRequest(**{**asked, **changes})

    async def token(self, method: str) -> str:
        """What charges a method, the same each time; skip where the provider has no such method."""
        if method not in self.tokens:
            token = await self.world.token(self.gateway, self.whose, method)
            if token is None:
                pytest.skip(f"this provider has no {method}")
            self.tokens[method] = token
        return self.tokens[method]

    async def charge(self, method: str = "card_ok", key: str | None = None, amount: Money = PRICE) -> ChargeAnswer:
        token = await self.token(method)
        return await self.gateway.charge(key or self.key, self.whose, self.reference, token, amount, "Team plan")

    def posted(self, key: str | None = None, reference: str | None = None) -> Posted:
        """A key of the purchase's, as our rows know it."""
        key = key or self.key
        return Posted(key, self.whose, kind_of(key), PRICE, self.first_at, reference)

    async def look_up(self, key: str | None = None) -> LookUpAnswer:
        return await self.gateway.look_up(self.posted(key))

    async def look_up_page(self) -> LookUpAnswer:
        return await self.look_up(self.page_key)

    async def close_page(self, key: str | None = None) -> CloseAnswer:
        return await self.gateway.close_page(self.posted(key or self.page_key))

    async def refund(self, of: str | None = None, amount: Money | None = None, again: str = "") -> RefundAnswer:
        """Return what was captured under a key, the purchase's charge unless another is named."""
        posted = self.posted(of)
        return await self.gateway.refund(f"{posted.key}/refund{again}", posted, amount)

    async def opened(self) -> str:
        """The address of an open page."""
        return (await self.gateway.open_page(self.page_key, self.request())).url

    async def customer(self, page: str, action: str, instrument: str = "card_ok") -> None:
        """The customer acts at the page."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(page, data={"action": action, "instrument": instrument})
            assert answer.status_code < 400

    def fault(self, call: str, fault: str) -> None:
        self.world.fault(call, fault, self.account)

    def effects(self, **wanted: Any) -> list[str]:
        """What truly happened for the account, without the calls that had no effect."""
        entries = self.world.ledger(account=self.account, **wanted)
        return [entry["effect"] for entry in entries if entry["effect"] != "none"]

    def captured(self) -> int:
        """Minor units that truly moved to the merchant, less what went back."""
        sign = {"captured": 1, "refunded": -1}
        entries = self.world.ledger(account=self.account)
        return sum(sign.get(entry["effect"], 0) * (entry["amount_minor"] or 0) for entry in entries)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], World]]:
    """The world of each adapter, from the first test on that asks for it."""
    known: dict[str, World] = {}
    with ExitStack() as running:

        def of(name: str) -> World:
            if name not in known:
                known[name] = running.enter_context(ADAPTERS[name](tmp_path_factory.mktemp("world")))
            return known[name]

        yield of


@pytest.fixture(params=ADAPTERS)
async def contract(request: Any, worlds: Callable[[str], World]) -> AsyncIterator[Contract]:
    """A purchase through each adapter in turn; the provider is healed after it."""
    world = worlds(request.param)
    gateway = world.gateway()
    yield Contract(gateway, world)
    world.heal()
    await gateway.aclose()


@pytest.fixture(params=MORTAL)
async def mortal(request: Any, tmp_path: Path) -> AsyncIterator[Contract]:
    """A purchase whose provider may be killed and started again."""
    with ADAPTERS[request.param](tmp_path) as world:
        gateway = world.gateway()
        yield Contract(gateway, world)
        await gateway.aclose()
