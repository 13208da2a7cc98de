"""A provider, somebody who listens to it, and a shop that uses it by plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser

from tests.browsing import chromium, open_shop
from tests.sandbox.provider import SECRET, Listener, Provider, listening, running


@dataclass
class Shop:
    """One purchase of one merchant: everything it asks of the provider is about the same reference."""

    provider: Provider
    account: str = field(default_factory=lambda: str(uuid4()))
    reference: str = field(default_factory=lambda: str(uuid4()))

    def call(self, name: str, faults: str = "", **body: Any) -> httpx.Response:
        """Call it; *faults* are those that the call brings along."""
        headers = {**self.headers, "X-Sandbox-Fault": faults}
        return self.provider.http.post(f"/{name}", json={"account": self.account, **body}, headers=headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {SECRET}"}

    @property
    def key(self) -> str:
        return f"{self.reference}/1/page"

    def page(self, **changes: Any) -> str:
        """Open a page of 1,299.00 USD and give its address."""
        body = {
            "key": self.key,
            "reference": self.reference,
            "amount_minor": 129900,
            "currency": "USD",
            "merchant": "Northwind Software Ltd",
            "description": "Team plan",
            "lines": [{"name": "Seats", "quantity": "25", "amount_minor": 129900}],
            "success_url": "http://127.0.0.1:9/ok?from=shop#top",
            "cancel_url": "http://127.0.0.1:9/no",
            "pending_url": None,
            "preferred": None,
            "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        }
        return str(self.call("open_page", **{**body, **changes}).raise_for_status().json()["url"])

    def charge(
        self, key: str = "charge", method: str = "card_ok", amount: int = 500, faults: str = ""
    ) -> httpx.Response:
        return self.call("charge", faults, **self.charging(key, method, amount))

    def charging(self, key: str = "charge", method: str = "card_ok", amount: int = 500) -> dict[str, Any]:
        """The body of a charge."""
        return {
            "account": self.account,
            "key": f"{self.reference}/{key}",
            "reference": self.reference,
            "method": f"pm_sandbox_{method}",
            "amount_minor": amount,
            "currency": "USD",
            "description": "Team plan",
        }

    def truth(self, key: str | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("look_up", key=key or self.key).raise_for_status().json()
        return answer


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(scope="session")
def running_provider(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Provider]:
    with running(tmp_path_factory.mktemp("provider"), listener.url) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Iterator[Provider]:
    """The provider, healed after the test."""
    yield running_provider
    running_provider.http.delete("/faults")


@pytest.fixture
def shop(provider: Provider) -> Shop:
    return Shop(provider)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """Where the shop itself is, to come back to."""
    with open_shop() as origin:
        yield origin


@pytest.fixture
def address(shop: Shop, origin: str) -> str:
    """A page whose merchant really is there."""
    return shop.page(success_url=f"{origin}/ok", cancel_url=f"{origin}/no", pending_url=f"{origin}/wait")
