"""The adapter of the sandbox provider: our words into its calls, its answers and errors into ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
from pydantic import TypeAdapter, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from checkout.money import Money
from checkout.outcomes import ChargeAnswer, CloseAnswer, Declined, LookUpAnswer, NothingToRefund, PageOpen, RefundAnswer
from gateways.port import (
    Account,
    ForgedEvent,
    GatewayEvent,
    GatewayRejected,
    GatewayUnavailable,
    Moved,
    PageRequest,
    Posted,
    SavedMethod,
)

T = TypeVar("T")

FORGED: Final = (WebhookVerificationError, ValueError, RecursionError)
"""What reading an event raises that is none; the last two for a malformed header, no JSON, or another shape."""


@dataclass(frozen=True)
class Captures:
    """A page of the provider's list of captures; *after* is the cursor of the next one, None on the last."""

    data: tuple[Moved, ...]
    after: int | None


@dataclass(frozen=True)
class Methods:
    """What is saved for a customer."""

    data: tuple[SavedMethod, ...]


LARGEST_ANSWER: Final = 1024 * 1024
"""Bytes; whatever goes on for longer is no answer."""

LATER: Final = {408, 425, 429}
"""Statuses below 500 that mean "not now"; with the code key_in_progress, so does 409."""

PAGE: Final[TypeAdapter[PageOpen]] = TypeAdapter(PageOpen)
CLOSE: Final[TypeAdapter[CloseAnswer]] = TypeAdapter(CloseAnswer)
CHARGE: Final[TypeAdapter[ChargeAnswer]] = TypeAdapter(ChargeAnswer)
REFUND: Final[TypeAdapter[RefundAnswer]] = TypeAdapter(RefundAnswer)
LOOK_UP: Final[TypeAdapter[LookUpAnswer]] = TypeAdapter(LookUpAnswer)
ATTACH: Final[TypeAdapter[SavedMethod | Declined]] = TypeAdapter(SavedMethod | Declined)
METHODS: Final[TypeAdapter[Methods]] = TypeAdapter(Methods)
CAPTURES: Final[TypeAdapter[Captures]] = TypeAdapter(Captures)
EVENT: Final[TypeAdapter[GatewayEvent]] = TypeAdapter(GatewayEvent)

CAPTURED: Final = frozenset({"page.paid", "charge.captured"})
"""The types of events that say that money moved."""

KNOWN: Final = CAPTURED | {
    "page.declined",
    "page.failed",
    "page.left",
    "page.under_way",
    "charge.declined",
    "charge.failed",
    "charge.needs_customer",
    "charge.under_way",
    "refund.created",
}
"""The types of events that are about a session; any other concerns nobody."""


class LessIsLeft(GatewayRejected):
    """Less is left of what was captured than should be returned."""


class SandboxGateway:
    """A PaymentGateway over the sandbox provider at *url*; *secret* is the bearer both know, *webhook_secret* signs
    its events: any of several, with spaces or commas between them, while one takes another's place; *limit* is how many
    captures it asks for at a time, at most 1,000. Close it with `aclose()`.
    """

    name = "sandbox"
    timeout = timedelta(seconds=5)
    uncertainty = timedelta(seconds=3)
    memory = timedelta(hours=24)

    def __init__(self, url: str, secret: str, webhook_secret: str, *, limit: int = 1000) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=self.timeout.total_seconds(),
            trust_env=False,
        )
        self._signers = [Webhook(each) for each in webhook_secret.replace(",", " ").split()]
        self._limit = limit

    async def aclose(self) -> None:
        await self._client.aclose()

    async def attach(self, account: Account, customer: UUID, token: str) -> SavedMethod | Declined:
        body = {**_whose(account), "customer": str(customer), "token": token}
        return await self._call("attach", body, ATTACH)

    async def methods(self, account: Account, customer: UUID) -> Sequence[SavedMethod]:
        return (await self._call("methods", {**_whose(account), "customer": str(customer)}, METHODS)).data

    async def open_page(self, key: str, page: PageRequest) -> PageOpen:
        lines = [
            {"name": line.name, "quantity": line.quantity, "amount_minor": line.amount.minor, "kind": line.kind}
            for line in page.lines
        ]
        body = {
            **_whose(page.account),
            **_money(page.amount),
            "key": key,
            "reference": str(page.reference),
            "merchant": page.merchant,
            "description": page.description,
            "lines": lines,
            "success_url": page.success_url,
            "cancel_url": page.cancel_url,
            "pending_url": page.pending_url,
            "preferred": page.preferred,
            "expires_at": page.expires_at.isoformat(),
            "save_for": str(page.saved_for) if page.saved_for else None,
        }
        return await self._call("open_page", body, PAGE)

    async def close_page(self, posted: Posted) -> CloseAnswer:
        return await self._call("close_page", {"key": posted.key, **_whose(posted.account)}, CLOSE)

    async def charge(  # noqa: PLR0913, PLR0917 - a charge has six facts
        self, key: str, account: Account, reference: UUID, method: str, amount: Money, description: str
    ) -> ChargeAnswer:
        body = {
            "key": key,
            **_whose(account),
            "reference": str(reference),
            "method": method,
            "description": description,
            **_money(amount),
        }
        return await self._call("charge", body, CHARGE)

    async def refund(self, key: str, of: Posted, amount: Money | None = None) -> RefundAnswer:
        body = {"key": key, **_whose(of.account), "of": of.key, "amount_minor": amount.minor if amount else None}
        try:
            return await self._call("refund", body, REFUND)
        except LessIsLeft:
            return NothingToRefund()

    async def look_up(self, posted: Posted) -> LookUpAnswer:
        return await self._call("look_up", {"key": posted.key, **_whose(posted.account)}, LOOK_UP)

    async def captures(self, account: Account, since: datetime) -> Sequence[Moved]:
        body = {**_whose(account), "since": since.isoformat(), "limit": self._limit}
        page = await self._call("captures", body, CAPTURES)
        listed = [*page.data]
        while page.after is not None:
            page = await self._call("captures", {**body, "after": page.after}, CAPTURES)
            listed += page.data
        return listed

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Only what bears a signature of ours, made in the last five minutes, is an event."""
        for signer in self._signers:
            try:
                event = EVENT.validate_python(signer.verify(body, dict(headers)))
            except FORGED:
                continue
            if event.type in KNOWN:
                return replace(event, captured=event.type in CAPTURED)
            return GatewayEvent(event.id, event.type, account=None, reference=None)
        raise ForgedEvent

    async def _call(self, call: str, body: dict[str, Any], answer: TypeAdapter[T]) -> T:
        """Post once, read at most LARGEST_ANSWER within the timeout, and translate every failure."""
        try:
            async with (
                asyncio.timeout(self.timeout.total_seconds()),
                self._client.stream("POST", f"/{call}", json=body) as response,
            ):
                status, content = response.status_code, await _read(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise GatewayUnavailable(f"{call}: {type(error).__name__}") from error
        _check(call, status, content)
        try:
            return answer.validate_json(content)
        except ValidationError:
            raise GatewayUnavailable(f"{call}: unreadable answer") from None


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER:
            raise httpx.ReadError("endless answer")
    return bytes(content)


def _check(call: str, status: int, content: bytes) -> None:
    """Raise what a status means: 4xx can't ever work, unless it says "not now"; what is not 2xx is unknown."""
    if 200 <= status < 300:
        return
    code = _code(content)
    if code == "refund_exceeds_capture":
        raise LessIsLeft(f"{call}: {status} {code}")
    if 400 <= status < 500 and status not in LATER and code != "key_in_progress":
        raise GatewayRejected(f"{call}: {status} {code}")
    raise GatewayUnavailable(f"{call}: {status} {code}")


def _code(content: bytes) -> str:
    """The provider's code for an error, empty when the body has none."""
    try:
        return str(json.loads(content)["error"]["code"])[:100]
    except (ValueError, KeyError, TypeError):
        return ""


def _whose(account: Account) -> dict[str, Any]:
    """The provider keeps an account for each organisation."""
    return {"account": str(account.organisation)}


def _money(amount: Money) -> dict[str, Any]:
    return {"amount_minor": amount.minor, "currency": amount.currency}
