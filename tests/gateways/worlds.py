"""A provider behind an adapter: what it is called with, and what can be done at it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from gateways.port import Account, PaymentGateway


class Closable(PaymentGateway, Protocol):
    async def aclose(self) -> None: ...


class World(Protocol):
    """A provider behind an adapter. *lacks* names what can't be done at it: `page` (be its customer), `faults`, `kill`."""

    lacks: frozenset[str]
    headers: Mapping[str, Mapping[str, str]]
    """By a name: headers that make a signed event a forged one."""

    def gateway(self, limit: int = 100) -> Closable: ...

    async def token(self, gateway: PaymentGateway, account: Account, method: str) -> str | None:
        """What charges a *method*; None when there is no such method here."""
        ...

    def front_end(self, method: str) -> str | None:
        """What the provider's front end gives for a *method* that a customer has entered."""
        ...

    def fault(self, call: str, fault: str, account: UUID) -> None: ...

    def heal(self) -> None: ...

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]: ...

    def signed(self, event: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """An event about `account`, `reference` and `key`, as the provider sends it: a capture at a page."""
        ...

    def signed_anyhow(self, body: bytes) -> dict[str, str]:
        """The headers of any body, signed by the provider."""
        ...

    def kill(self) -> None: ...

    def start(self) -> None: ...
