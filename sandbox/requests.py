"""The bodies of the sandbox's API calls, as strict as a provider's."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from checkout.money import Currency


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not url.isascii() or not url.isprintable():
        raise ValueError("must be an absolute web address")
    return url


MOST_LISTED: Final = 1000
"""How many captures a list shows at most."""

KeyText = Annotated[str, Field(min_length=1, max_length=255)]
Minor = Annotated[int, Field(strict=True, gt=0)]
Url = Annotated[str, Field(max_length=2083), AfterValidator(_web_address)]


class Request(BaseModel):
    """Every call is about an *account*: the merchant's organisation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: UUID


class Keyed(Request):
    key: KeyText


class Line(BaseModel):
    """A line of a page. What is an *included_tax* is in the others already; the others add up to the page's amount."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    quantity: str
    amount_minor: int = Field(strict=True)
    kind: Literal["item", "discount", "tax", "included_tax"] = "item"


class OpenPage(Keyed):
    """A page to open; amounts in minor units of *currency*. *reference* is the merchant's session. What it is paid with
    becomes a saved method of the customer *save_for*.
    """

    reference: UUID
    amount_minor: Minor
    currency: Currency
    merchant: str
    description: str
    lines: tuple[Line, ...]
    success_url: Url | None
    cancel_url: Url | None
    pending_url: Url | None
    preferred: Literal["card", "bank_transfer", "wallet", "invoice"] | None
    expires_at: AwareDatetime
    save_for: UUID | None = None


class ClosePage(Keyed):
    pass


class Charge(Keyed):
    """A charge of a saved *method*, without the customer; the amount in minor units."""

    reference: UUID
    method: str = Field(max_length=255)
    amount_minor: Minor
    currency: Currency
    description: str


class Refund(Keyed):
    """Return what was captured under the key *of*: exactly *amount_minor* of it, or all that is not returned yet."""

    of: KeyText
    amount_minor: Minor | None = None


class OpenDispute(Keyed):
    """The customer's bank wants back what was captured under *key*: *amount_minor* of it, or all that is held."""

    amount_minor: Minor | None = None
    reason: str = Field(pattern=r"^[a-z_]{1,50}$")


class CloseDispute(BaseModel):
    """The merchant has won or lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["won", "lost"]


class LookUp(Keyed):
    pass


class ListCaptures(Request):
    """What was captured for the account from *since* on: at most *limit* at a time, behind the cursor *after*."""

    since: AwareDatetime
    after: int = Field(0, strict=True, ge=0)
    limit: int = Field(MOST_LISTED, strict=True, ge=1, le=MOST_LISTED)


class Attach(Request):
    """Make a token chargeable; with a *customer*, it is kept among their methods."""

    token: str = Field(max_length=255)
    customer: UUID | None = None


class ListMethods(Request):
    customer: UUID
