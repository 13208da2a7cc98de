"""The payment gateway port: what we ask in our words, and what every adapter promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from checkout.money import Money
from checkout.outcomes import (
    ChargeAnswer,
    CloseAnswer,
    Declined,
    LookUpAnswer,
    PageOpen,
    RefundAnswer,
)


class GatewayUnavailable(Exception):
    """Try again: timeout, reset, 5xx, throttled, unreadable answer. Whether it had an effect is unknown."""


class GatewayRejected(Exception):
    """Can't ever work: the gateway refused the request as malformed, or the adapter has a bug."""


class ForgedEvent(Exception):
    """An inbound event whose signature is missing, malformed, wrong or too old."""


@dataclass(frozen=True)
class PageLine:
    """A line shown on the hosted page; *amount* as it adds up to the page's total."""

    name: str
    quantity: str
    amount: Money


@dataclass(frozen=True)
class PageRequest:
    """A hosted page to open. URLs are the merchant's, already checked; *success_url* and the others may be None,
    then the gateway shows the outcome itself. *preferred* is card, bank_transfer, wallet or invoice.
    """

    account: UUID
    reference: UUID
    amount: Money
    merchant: str
    description: str
    lines: Sequence[PageLine]
    success_url: str | None
    cancel_url: str | None
    pending_url: str | None
    preferred: str | None
    expires_at: datetime


@dataclass(frozen=True)
class ToOpen:
    """What a page needs from the rows: which gateway, what its customer is shown, and when its key was first used."""

    gateway: str
    page: PageRequest
    first_at: datetime


@dataclass(frozen=True)
class ToCharge:
    """What a charge needs from the rows: which gateway, its token of the saved method, what to call it, when its key was
    first used, and whether the method can still be charged.
    """

    gateway: str
    token: str
    description: str
    first_at: datetime
    chargeable: bool = True


@dataclass(frozen=True)
class SavedMethod:
    """A method saved at the gateway: its token there and what may be shown of it. *type* is card, bank_transfer,
    wallet or invoice; expiry is a month and year, None for what does not expire.
    """

    token: str
    type: str
    brand: str | None
    last4: str | None
    expiry_month: int | None
    expiry_year: int | None


@dataclass(frozen=True)
class Moved:
    """A capture that the gateway lists: under which key, for which session, and when."""

    key: str
    reference: UUID | None
    amount: Money
    at: datetime


@dataclass(frozen=True)
class GatewayEvent:
    """A hint that something happened: *id* is the gateway's, *account* the organisation, *reference* the session, *key*
    what it happened under, *captured* whether money is said to have moved.
    """

    id: str
    type: str
    account: UUID | None
    reference: UUID | None
    key: str | None = None
    captured: bool = False


class PaymentGateway(Protocol):
    """Every call carries *key*. Repeating a call with the same key and parameters changes nothing and answers the
    same; the same key with other parameters is GatewayRejected. Undoing what never happened is no error, and
    closes the key: whatever arrives under it later is refused.

    Raises GatewayUnavailable (outcome unknown) and GatewayRejected (can't ever work), nothing else. No call lasts
    longer than *timeout*.
    """

    name: str
    timeout: timedelta
    uncertainty: timedelta
    """A call whose answer was lost can take effect for this long; a NotFound is definite only after it."""
    memory: timedelta
    """Keys older than this are forgotten: look up, never post again."""

    async def attach(self, account: UUID, token: str) -> SavedMethod | Declined:
        """Make a token from the gateway's front end chargeable later."""
        ...

    async def open_page(self, key: str, page: PageRequest) -> PageOpen:
        """Open a hosted page for exactly *page.amount*."""
        ...

    async def close_page(self, key: str, account: UUID) -> CloseAnswer:
        """Close a page for good, unless it was paid (Captured) or a payment on it is settling (UnderWay)."""
        ...

    async def charge(  # noqa: PLR0913, PLR0917 - a charge has six facts
        self, key: str, account: UUID, reference: UUID, method: str, amount: Money, description: str
    ) -> ChargeAnswer:
        """Charge a saved *method* (the gateway's token) without the customer."""
        ...

    async def refund(self, key: str, account: UUID, of: str) -> RefundAnswer:
        """Return all that was captured under the key *of* and is not returned yet."""
        ...

    async def look_up(self, key: str, account: UUID) -> LookUpAnswer:
        """What is true of *key* now: a page, a charge or a refund."""
        ...

    async def captures(self, account: UUID, since: datetime) -> Sequence[Moved]:
        """Every capture of the account from *since* on, oldest first, however many there are; also of one that was
        returned since. A gateway that lists in pages is asked for each: then *timeout* is that of a page.
        """
        ...

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Verify an inbound event's signature over its raw body; raise ForgedEvent."""
        ...
