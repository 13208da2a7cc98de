"""The payment gateway port: what we ask in our words, and what every adapter promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
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

Kind = Literal["page", "charge", "refund"]
"""What a key was posted for."""


class GatewayUnavailable(Exception):
    """Try again: timeout, reset, 5xx, throttled, unreadable answer. Whether it had an effect is unknown."""


class GatewayRejected(Exception):
    """Can't ever work: the gateway refused the request as malformed, or the adapter has a bug."""


class ForgedEvent(Exception):
    """An inbound event whose signature is missing, malformed, wrong or too old."""


@dataclass(frozen=True)
class Account:
    """Whose money it is: the *organisation*, and the account of its own that it has *at_gateway*, for a gateway where one
    set of credentials serves several (Stripe Connect: `acct_...`); None is the account of the credentials.
    """

    organisation: UUID
    at_gateway: str | None = None


@dataclass(frozen=True)
class Posted:
    """A key that was posted, and what our rows know of it: the *amount* that was asked for, when it was first posted, and
    the gateway's own *reference* where an answer has told it.
    """

    key: str
    account: Account
    kind: Kind
    amount: Money
    first_at: datetime
    reference: str | None = None


@dataclass(frozen=True)
class PageLine:
    """A line shown on the hosted page; *amount* as it adds up to the page's total. Only an *included_tax*, which the
    other lines hold already, does not.
    """

    name: str
    quantity: str
    amount: Money
    kind: Literal["item", "discount", "tax", "included_tax"] = "item"


@dataclass(frozen=True)
class PageRequest:
    """A hosted page to open. URLs are the merchant's, already checked; *success_url* and the others may be None,
    then the gateway shows the outcome itself. *preferred* is card, bank_transfer, wallet or invoice. What is paid with
    can be charged later where it is to be *saved_for* a customer of ours. *first_at* and *expires_at* are the same however
    often its key is posted; a gateway whose pages live shorter closes it earlier.
    """

    account: Account
    reference: UUID
    amount: Money
    merchant: str
    description: str
    lines: Sequence[PageLine]
    success_url: str | None
    cancel_url: str | None
    pending_url: str | None
    preferred: str | None
    first_at: datetime
    expires_at: datetime
    saved_for: UUID | None = None


@dataclass(frozen=True)
class ToAsk:
    """A key to ask about, and the *gateway* at which it was posted: also after its organisation has chosen another."""

    gateway: str
    posted: Posted


@dataclass(frozen=True)
class ToOpen(ToAsk):
    """A page to open, and what its customer is shown."""

    page: PageRequest


@dataclass(frozen=True)
class ToCharge(ToAsk):
    """What to charge: the gateway's *token* of the saved method, what to call it, and whether it can still be charged."""

    token: str
    description: str
    chargeable: bool = True


@dataclass(frozen=True)
class ToRefund(ToAsk):
    """What to return: what was captured under the key *of*; *posted* is the refund's own key."""

    of: Posted


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
    """A capture that the gateway lists: under which key, for which session, when, and its own id *at_gateway*."""

    key: str
    reference: UUID | None
    amount: Money
    at: datetime
    at_gateway: str | None = None


@dataclass(frozen=True)
class GatewayEvent:
    """A hint that something happened: *id* is the gateway's, *account* the organisation, *reference* the session, *key*
    what it happened under, *captured* whether money is said to have moved. Without an account or a reference it concerns
    nobody here, as events of types that the adapter does not know: it is kept, and ignored.
    """

    id: str
    type: str
    account: UUID | None
    reference: UUID | None
    key: str | None = None
    captured: bool = False


class PaymentGateway(Protocol):
    """What every adapter promises; tests/gateways is the judge, docs/gateways.md tells how to write one.

    * **Keys.** Every call that has an effect carries *key*. Repeating it with the same parameters changes nothing and
      answers the same; the same key with other parameters is GatewayRejected. While one post of a key is being worked on,
      another one may be GatewayUnavailable. Keys are the account's own: another account's are as if they did not exist.
    * **Undoing nothing** is no error, and closes the key: whatever arrives under it later is refused, a charge as
      Declined (`key_closed`), a page as GatewayRejected.
    * **Answers are values, faults are exceptions**: GatewayUnavailable (try again; the outcome is unknown) and
      GatewayRejected (can't ever work), nothing else. No call lasts longer than *timeout*.
    * **Currencies.** Amounts are minor units of ISO 4217 here, whatever the gateway counts in; one that it can't take
      exactly is GatewayRejected, and nothing is sent.
    """

    name: str
    timeout: timedelta
    uncertainty: timedelta
    """A call whose answer was lost can take effect for this long; a NotFound is definite only after it."""
    memory: timedelta
    """Keys older than this are forgotten: look up, never post again."""

    async def attach(self, account: Account, customer: UUID, token: str) -> SavedMethod | Declined:
        """Make a token from the gateway's front end chargeable later, for a *customer* of ours."""
        ...

    async def methods(self, account: Account, customer: UUID) -> Sequence[SavedMethod]:
        """What can be charged later for a *customer* of ours: attached, or saved at a page."""
        ...

    async def open_page(self, key: str, page: PageRequest) -> PageOpen:
        """Open a hosted page for exactly *page.amount*."""
        ...

    async def close_page(self, posted: Posted) -> CloseAnswer:
        """Close a page for good, unless it was paid (Captured) or a payment on it is settling (UnderWay)."""
        ...

    async def charge(  # noqa: PLR0913, PLR0917 - a charge has six facts
        self, key: str, account: Account, reference: UUID, method: str, amount: Money, description: str
    ) -> ChargeAnswer:
        """Charge a saved *method* (the gateway's token) without the customer."""
        ...

    async def refund(self, key: str, of: Posted, amount: Money | None = None) -> RefundAnswer:
        """Return all that was captured under the key *of* and is not returned yet; or exactly *amount* of it, and nothing
        where less than that is left. What its customer's bank has charged back is not there to be returned. A payment that is under way is stopped; where it can't be, this is
        GatewayUnavailable until it has settled. What is under way back to the customer counts as refunded.
        """
        ...

    async def look_up(self, posted: Posted) -> LookUpAnswer:
        """What is true of a key now. A charge that was refused before the gateway made anything of it may be NotFound, and a
        page that its customer has left may still be open: not every gateway knows.
        """
        ...

    async def captures(self, account: Account, since: datetime) -> Sequence[Moved]:
        """Every capture of the account from *since* on, to the second, oldest first, however many there are; also of one
        that was returned since. A gateway that lists in pages is asked for each: then *timeout* is that of a page.
        """
        ...

    def read_event(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Verify an inbound event's signature over its raw body; raise ForgedEvent."""
        ...
