"""The sandbox provider as the contract suite uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook

from gateways.port import Account, PaymentGateway
from gateways.sandbox import SandboxGateway
from tests.gateways.worlds import Closable, World
from tests.sandbox.provider import SECRET, WEBHOOK_SECRET, Provider, running


@dataclass
class SandboxWorld:
    provider: Provider
    lacks: frozenset[str] = frozenset()
    headers: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {
            "none": {"webhook-signature": ""},
            "nonsense": {"webhook-signature": "nonsense"},
            "too many": {"webhook-signature": "v1,a,b"},
            "not ASCII": {"webhook-signature": "v1,é"},
            "another": {"webhook-signature": "v1,bm90IHRoZSBzaWduYXR1cmU="},
            "old": {"webhook-timestamp": "1"},
            "no time": {"webhook-timestamp": "NaN"},
            "endless": {"webhook-timestamp": "1e400"},
            "another id": {"webhook-id": "evt_2"},
        }
    )

    def gateway(self, limit: int = 100) -> Closable:
        return SandboxGateway(self.provider.url, SECRET, WEBHOOK_SECRET, limit=limit)

    async def token(self, _gateway: PaymentGateway, _account: Account, method: str) -> str | None:
        return self.front_end(method)

    def front_end(self, method: str) -> str | None:
        return f"pm_sandbox_{method}"

    def fault(self, call: str, fault: str, account: UUID) -> None:
        self.provider.arm(call=call, fault=fault, match={"account": str(account)})

    def heal(self) -> None:
        self.provider.http.delete("/faults")

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]:
        return self.provider.ledger(**wanted)

    def signed(self, event: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        told = {"id": "evt_1", "type": "page.paid", "timestamp": "2026-01-01T00:00:00Z", **event}
        body = json.dumps(told, default=str).encode()
        return self.signed_anyhow(body), body

    def signed_anyhow(self, body: bytes) -> dict[str, str]:
        at = datetime.now(UTC)
        signature = Webhook(WEBHOOK_SECRET).sign("evt_1", at, body.decode("latin-1"))
        stamp = str(int(at.timestamp()))
        return {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": signature}

    def kill(self) -> None:
        self.provider.kill()

    def start(self) -> None:
        self.provider.start()


@contextmanager
def sandbox(home: Path) -> Iterator[World]:
    with running(home) as provider:
        yield SandboxWorld(provider)
