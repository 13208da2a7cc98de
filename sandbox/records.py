"""What the sandbox keeps: one record per table of its store. Times are text, UTC, and sort as they happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Effect = Literal["page_opened", "page_closed", "captured", "declined", "refunded", "none"]
Status = Literal["open", "left", "under_way", "captured", "closed", "declined", "needs_customer"]


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with six decimals, so that text sorts by time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Key(Record):
    """A key that was used: by which call, with which parameters, and what was answered. *call* `closed` is a
    tombstone: the key was closed before anything happened under it.
    """

    account: str
    key: str
    call: str
    reference: str | None
    fingerprint: str
    answer: str


class Payment(Record):
    """Something to be paid: at a hosted page (*token*, *page*, *page_reference* and *expires_at* are set; *instrument* is
    what the customer chose) or by a saved method.
    """

    account: str
    key: str
    reference: str
    amount_minor: int
    currency: str
    status: Status
    declined: int = 0
    code: str | None = None
    soft: bool = True
    token: str | None = None
    page: str | None = None
    page_reference: str | None = None
    instrument: str | None = None
    expires_at: str | None = None
    settles_at: str | None = None
    settles_to: Literal["captured", "closed", "failed"] | None = None

    @property
    def call(self) -> Literal["page", "charge"]:
        """What moves its money: the customer at the page, or a charge."""
        return "page" if self.token else "charge"

    @property
    def facts(self) -> dict[str, str]:
        """What it is about."""
        return {"key": self.key, "reference": self.reference, "account": self.account}


class Capture(Record):
    """Money that moved to the merchant under *key*."""

    reference: str
    account: str
    key: str
    amount_minor: int
    currency: str


class Return(Record):
    """Money that went back under *key*, of what was captured under the key *of*."""

    reference: str
    account: str
    key: str
    of: str
    amount_minor: int
    at: str


class Dispute(Record):
    """A customer's bank wants *amount_minor* of what was captured under *key* back, and gets *withdrawn_minor* if the
    merchant has lost.
    """

    id: str
    account: str
    key: str
    reference: str
    amount_minor: int
    currency: str
    reason: str
    status: Literal["open", "won", "lost"] = "open"
    withdrawn_minor: int = 0
    at: str


class Said(Record):
    """What is put on the wire: a status, with the *outcome* of an answer or the *code* of an error where one can be read."""

    status: int
    outcome: str | None = None
    code: str | None = None


class Entry(Record):
    """A line of the ledger: what was *asked*, the true effect, and the *answer* that is given, None for none;
    *answered* says whether that is the true one (api.md, Its ledger). *withdrawn_minor* is what a lost dispute took.
    """

    seq: int = 0
    at: str
    call: str
    key: str | None
    reference: str | None
    account: str
    amount_minor: int | None = None
    currency: str | None = None
    effect: Effect
    answered: bool
    asked: Mapping[str, Any] | None = None
    answer: Said | None = None
    withdrawn_minor: int | None = None


class Event(Record):
    """A webhook on its way out; *body* never changes, whatever the number of tries."""

    id: str
    body: str
    status: Literal["waiting", "delivered", "dropped", "dead"] = "waiting"
    attempts: int = 0
    created_at: str
    due_at: str
    fault: str | None = None


class Armed(Record):
    """A fault that waits for its call. *fault* None is any that fits; *times* None is without end; *match* is JSON;
    *seen* counts the calls that matched, so that a seed always draws the same.
    """

    id: int = 0
    call: str
    fault: str | None
    times: int | None
    match: str
    probability: float
    seed: int
    seen: int = 0
