"""The adapters under the contract suite, each with a provider behind it that keeps its side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from checkout.ids import kind_of
from checkout.money import Money
from checkout.outcomes import ChargeAnswer, CloseAnswer, LookUpAnswer, RefundAnswer
from gateways.port import Account, PageLine, PageRequest, PaymentGateway, Posted
from gateways.sandbox import SandboxGateway
from tests.sandbox.provider import SECRET, WEBHOOK_SECRET, Provider, running

PRICE = Money(minor=129900, currency="USD")


@dataclass
class Contract:
    """One purchase through an adapter, and what the customer and the wire can do meanwhile."""

    gateway: PaymentGateway
    provider: Provider
    account: UUID = field(default_factory=uuid4)
    reference: UUID = field(default_factory=uuid4)

    @property
    def key(self) -> str:
        return f"{self.reference}/1/step"

    def request(self, amount: Money = PRICE) -> PageRequest:
        return PageRequest(
            account=Account(self.account),
            reference=self.reference,
            amount=amount,
            merchant="Northwind Software Ltd",
            description="Team plan",
            lines=[PageLine("Seats", "25", amount)],
            success_url="https://shop.example/ok",
            cancel_url=None,
            pending_url=None,
            preferred="card",
            first_at=datetime(2026, 1, 1, tzinfo=UTC),
            expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        )

    async def charge(self, method: str = "card_ok", key: str | None = None, amount: Money = PRICE) -> ChargeAnswer:
        token = f"pm_sandbox_{method}"
        account = Account(self.account)
        return await self.gateway.charge(key or self.key, account, self.reference, token, amount, "Team plan")

    def posted(self, key: str | None = None) -> Posted:
        """A key of the purchase's, as our rows know it."""
        key = key or self.key
        return Posted(key, Account(self.account), kind_of(key), PRICE, datetime.now(UTC))

    async def look_up(self, key: str | None = None) -> LookUpAnswer:
        return await self.gateway.look_up(self.posted(key))

    async def close_page(self, key: str | None = None) -> CloseAnswer:
        return await self.gateway.close_page(self.posted(key))

    async def refund(self, key: str = "back", amount: Money | None = None) -> RefundAnswer:
        """Return what was captured under the purchase's key."""
        return await self.gateway.refund(key, self.posted(), amount)

    async def opened(self) -> str:
        """The address of an open page."""
        return (await self.gateway.open_page(self.key, self.request())).url

    async def customer(self, page: str, action: str, instrument: str = "card_ok") -> None:
        """The customer acts at the page."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(page, data={"action": action, "instrument": instrument})
            assert answer.status_code < 400

    def fault(self, call: str, fault: str) -> None:
        self.provider.arm(call=call, fault=fault, match={"account": str(self.account)})

    def captured(self) -> int:
        """Minor units that truly moved to the merchant, less what went back."""
        sign = {"captured": 1, "refunded": -1}
        entries = self.provider.ledger(account=self.account)
        return sum(sign.get(entry["effect"], 0) * (entry["amount_minor"] or 0) for entry in entries)


def _sandbox(provider: Provider) -> SandboxGateway:
    return SandboxGateway(provider.url, SECRET, WEBHOOK_SECRET)


ADAPTERS: dict[str, Callable[[Provider], SandboxGateway]] = {"sandbox": _sandbox}


@pytest.fixture(scope="session")
def running_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(params=ADAPTERS)
async def contract(request: Any, running_provider: Provider) -> AsyncIterator[Contract]:
    """A purchase through each adapter in turn; the provider is healed after it."""
    gateway = ADAPTERS[request.param](running_provider)
    yield Contract(gateway, running_provider)
    running_provider.http.delete("/faults")
    await gateway.aclose()


@pytest.fixture(params=ADAPTERS)
async def mortal(request: Any, tmp_path: Path) -> AsyncIterator[Contract]:
    """A purchase whose provider may be killed and started again."""
    with running(tmp_path) as provider:
        gateway = ADAPTERS[request.param](provider)
        yield Contract(gateway, provider)
        await gateway.aclose()
