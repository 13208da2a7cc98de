"""What is read of Stripe's objects (https://docs.stripe.com/api), and no more of them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateways.port import Account


class Read(BaseModel):
    """Frozen, and blind to all members that are not named: Stripe adds some with every version."""

    model_config = ConfigDict(frozen=True)


class Ours(Read):
    """An object with our *metadata* on it: under which key it was made, for which session of which organisation."""

    id: str
    metadata: dict[str, str] = Field(default_factory=dict)

    def is_under(self, key: str, account: Account) -> bool:
        return self.metadata.get("key") == key and self.is_of(account)

    def is_of(self, account: Account) -> bool:
        return self.metadata.get("organisation") == str(account.organisation)

    @property
    def session(self) -> UUID | None:
        return uuid_of(self.metadata.get("session"))


def uuid_of(text: str | None) -> UUID | None:
    """None for what is no id of ours: others may write into metadata too."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


class Failure(Read):
    """Why a payment was refused: *decline_code* is the issuer's, *code* Stripe's."""

    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None


class Intent(Ours):
    """A PaymentIntent; amounts in Stripe's units, the currency in small letters."""

    status: Literal[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    ]
    amount: int
    amount_received: int = 0
    currency: str
    last_payment_error: Failure | None = None

    @property
    def closes_its_key(self) -> bool:
        """Whether it is there only so that its key is used up: nothing can be paid with it."""
        return "closes" in self.metadata


class Session(Ours):
    """A Checkout Session: a hosted page. Its intent is there once somebody has tried to pay, and only its id in a list."""

    status: Literal["open", "complete", "expired"]
    url: str | None = None
    payment_intent: Intent | str | None = None

    @property
    def intent(self) -> Intent | None:
        return self.payment_intent if isinstance(self.payment_intent, Intent) else None


class Refund(Ours):
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
    amount: int
    currency: str


class Customer(Ours):
    pass


class Method(Read):
    """A PaymentMethod; its details stand under the name of its type, and it is its *customer*'s while it is attached."""

    id: str
    type: str
    customer: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _details(cls, read: Any) -> Any:
        return {**read, "details": read.get(read.get("type")) or {}} if isinstance(read, dict) else read


class Charge(Ours):
    """What an intent moved; its metadata is a copy of the intent's."""

    payment_intent: str | None = None
    amount_captured: int
    currency: str


class Movement(Read):
    """A balance transaction: money that came or went, when it did. *source* is what it came from."""

    created: int
    type: str
    source: dict[str, Any] | str | None = None


class Facts(Read):
    """What an event is about: any object, of which only ours has our metadata."""

    metadata: Any = None
    payment_status: Any = None

    def named(self, name: str) -> str | None:
        """What our metadata says, if it is there."""
        found = self.metadata.get(name) if isinstance(self.metadata, dict) else None
        return found if isinstance(found, str) else None


class EventData(Read):
    object: Facts = Facts()


class Event(Read):
    id: str = Field(min_length=1, max_length=255)
    type: str = Field(min_length=1, max_length=255)
    data: EventData = EventData()
