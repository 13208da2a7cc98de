"""Stripe as the contract suite uses it: itself in test mode, or its double."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import stripe

from checkout.outcomes import Declined
from gateways.port import Account, PaymentGateway
from gateways.stripe import StripeGateway
from gateways.stripe_api import VERSION
from tests.gateways.worlds import Closable, World
from tests.sandbox.provider import PATIENCE, ROOT, until

STRIPE_SECRETS: Final = ("whsec_of_the_platform", "whsec_of_connect")

SAVED: Final = {"card_ok": "pm_card_visa", "bank_ok": "pm_usBankAccount_success"}
"""Stripe's test methods that can be saved; what is charged is what was saved."""

UNSAVED: Final = {
    "card_declined": "pm_card_visa_chargeDeclined",
    "card_insufficient_funds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "card_stolen": "pm_card_visa_chargeDeclinedStolenCard",
    "card_expired": "pm_card_chargeDeclinedExpiredCard",
    "card_needs_customer": "pm_card_authenticationRequired",
    "no_such": "pm_no_such",
}
"""Those that are charged as they are: Stripe saves no card that it will refuse."""

REQUESTS: Final = {
    "open_page": ("POST", "/v1/checkout/sessions"),
    "close_page": ("POST", "/v1/(checkout/sessions/.+/expire|payment_intents)"),
    "charge": ("POST", "/v1/payment_intents"),
    "refund": ("POST", "/v1/refunds"),
    "look_up": ("GET", "/v1/.+"),
}
"""The request that a fault of a call of ours strikes."""


NEWEST: Final[Any] = {"limit": 100}


def _entry(effect: str, thing: Any, amount: int | None) -> dict[str, Any]:
    named = thing.metadata.to_dict()
    names = {"key": "key", "account": "organisation", "reference": "session"}
    return {"effect": effect, "amount_minor": amount, **{name: named.get(ours) for name, ours in names.items()}}


def stripe_headers(body: bytes, secret: str, at: int | None = None) -> dict[str, str]:
    signature = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), secret, at)
    return {"Stripe-Signature": str(signature)}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@dataclass
class StripeWorld:
    """Stripe at *url*, in test mode, with the secret *key*."""

    key: str
    url: str | None = None
    lacks: frozenset[str] = frozenset({"page", "faults", "kill", "bank"})
    headers: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {
            "none": {"Stripe-Signature": ""},
            "nonsense": {"Stripe-Signature": "nonsense"},
            "no scheme": {"Stripe-Signature": "t=1"},
            "not ASCII": {"Stripe-Signature": "t=1,v1=é"},
            "no time": {"Stripe-Signature": "t=NaN,v1=a"},
            "endless": {"Stripe-Signature": "t=1e400,v1=a"},
            "another secret": stripe_headers(b"{}", "whsec_of_somebody"),
            "old": stripe_headers(b"{}", STRIPE_SECRETS[0], 1),
        }
    )

    def gateway(self, limit: int = 100) -> Closable:
        return StripeGateway(self.key, STRIPE_SECRETS, url=self.url, limit=limit)

    async def token(self, gateway: PaymentGateway, account: Account, method: str) -> str | None:
        if method in SAVED and not (method == "bank_ok" and "bank" in self.lacks):
            saved = await gateway.attach(account, uuid4(), SAVED[method])
            assert not isinstance(saved, Declined)
            return saved.token
        return UNSAVED.get(method)

    def front_end(self, method: str) -> str | None:
        return (SAVED | UNSAVED).get(method)

    def fault(self, call: str, fault: str, account: UUID) -> None:
        raise NotImplementedError

    def heal(self) -> None:
        """Nothing was broken."""

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]:
        """What truly happened, by what Stripe shows of its newest objects."""
        addresses: Any = {"api": self.url} if self.url else None
        v1 = stripe.StripeClient(self.key, stripe_version=VERSION, base_addresses=addresses).v1
        entries = [
            *(_entry("page_opened", page, page.amount_total) for page in v1.checkout.sessions.list(NEWEST)),
            *(_entry("captured", paid, paid.amount_received) for paid in v1.payment_intents.list(NEWEST)),
            *(_entry("refunded", refund, refund.amount) for refund in v1.refunds.list(NEWEST)),
        ]
        asked = {name: str(value) for name, value in wanted.items()}
        happened = [each for each in entries if each["effect"] != "captured" or each["amount_minor"]]
        return [each for each in happened if asked.items() <= each.items()]

    def signed(self, event: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        metadata = {
            "key": event["key"],
            "session": str(event["reference"]),
            "organisation": str(event["account"]),
        }
        about = {"object": "checkout.session", "payment_status": "paid", "metadata": metadata}
        told = {"id": "evt_1", "object": "event", "type": "checkout.session.completed", "data": {"object": about}}
        body = json.dumps(told).encode()
        return stripe_headers(body, STRIPE_SECRETS[-1]), body

    def signed_anyhow(self, body: bytes) -> dict[str, str]:
        return stripe_headers(body, STRIPE_SECRETS[0])

    def kill(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError


@dataclass
class StripeDouble(StripeWorld):
    """The double of Stripe, in a process of its own, on a port and a store that outlive it."""

    key: str = "sk_test_double"
    home: Path = Path()
    lacks: frozenset[str] = frozenset()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    def fault(self, call: str, fault: str, account: UUID) -> None:
        method, path = REQUESTS[call]
        self.arm(method, path, fault, str(account) if method == "POST" and call != "close_page" else "")

    def arm(self, method: str, path: str, fault: str, body: str = "") -> None:
        """A fault for the next request like that whose body holds *body*."""
        self.http.post("/_double/faults", json={"method": method, "path": path, "body": body, "fault": fault})

    async def has_a_key_in_use(self) -> None:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=self.url or "", trust_env=False) as http:
            while (await http.get("/_double/in_use")).text == "0":
                await asyncio.sleep(0.01)

    def asked(self, page: str) -> dict[str, Any]:
        """The parameters with which the page at an address was created."""
        found: dict[str, Any] = self.http.get(f"/_double/pages/{page.rsplit('/', 1)[-1]}").raise_for_status().json()
        return found

    def count(self, kind: str) -> int:
        return int(self.http.get(f"/_double/count/{kind}").raise_for_status().text)

    def finds_customer(self, customer: UUID) -> bool:
        """Whether search knows a customer by now."""
        headers = {"Authorization": f"Bearer {self.key}", "Stripe-Version": VERSION}
        found = self.http.get(
            "/v1/customers/search", params={"query": f"metadata['customer']:'{customer}'"}, headers=headers
        )
        return bool(found.raise_for_status().json()["data"])

    def forget_keys(self) -> None:
        self.http.post("/_double/forget").raise_for_status()

    def heal(self) -> None:
        self.http.delete("/_double/faults")

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.http.get("/_double/ledger").raise_for_status().json()
        asked = {name: str(value) for name, value in wanted.items()}
        return [entry for entry in entries if asked.items() <= entry.items()]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def start(self) -> None:
        environment = {**os.environ, "DOUBLE_PORT": str(self.port), "DOUBLE_STORE": str(self.home / "double.json")}
        command = [sys.executable, "-m", "tests.gateways.stripe_double.main"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)
        until(self._healthy)

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the double did not start"
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def stripe_double(home: Path) -> Iterator[StripeDouble]:
    double = StripeDouble(home=home)
    double.start()
    try:
        yield double
    finally:
        double.kill()
        double.http.close()


@contextmanager
def stripe_itself(_home: Path) -> Iterator[World]:
    yield StripeWorld(os.environ["STRIPE_TEST_KEY"], os.environ.get("STRIPE_TEST_URL"))
