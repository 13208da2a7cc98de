"""What the provider answers beside the outcomes of the gateway port, which it shares with the service."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import TypeAdapter

from checkout.money import Money
from checkout.outcomes import Answer, LookUpAnswer


class Moved(Answer):
    """A capture as a list shows it: *reference* is the merchant's session, the amount what moved under the key."""

    key: str
    reference: str
    amount: Money
    at: str


class Captures(Answer):
    """The captures of an account, oldest first; *after* is the cursor of what follows, None at the end of the list."""

    outcome: Literal["captures"] = "captures"
    data: tuple[Moved, ...]
    after: int | None = None


class Attached(Answer):
    """A method that can be charged from now on; expiry is a month and a year."""

    outcome: Literal["attached"] = "attached"
    token: str
    type: str
    brand: str | None
    last4: str | None
    expiry_month: int | None
    expiry_year: int | None


class Methods(Answer):
    """What a customer can be charged by, oldest first."""

    outcome: Literal["methods"] = "methods"
    data: tuple[Attached, ...]


KEPT: Final[TypeAdapter[LookUpAnswer]] = TypeAdapter(LookUpAnswer)
"""Reads the answer that was kept with a key."""
