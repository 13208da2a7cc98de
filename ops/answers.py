"""What the API answers, as far as operators are shown it. Every text in it is harmless to a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from ops.words import plain

Words = Annotated[str, AfterValidator(plain)]


class Answer(BaseModel):
    """Frozen, and tolerant of members that are not shown here."""

    model_config = ConfigDict(frozen=True)


class Attention(Answer):
    reason: Words
    step: Words
    since: AwareDatetime
    detail: Words
    can: tuple[Words, ...]


class Step(Answer):
    name: Words
    status: Words
    at: AwareDatetime


class Confirmation(Answer):
    mode: Words
    attempt: int
    steps: tuple[Step, ...]


class Payment(Answer):
    """*amount* in major units of *currency*."""

    key: Words
    kind: Words
    amount: Words
    currency: Words
    status: Words
    reference: Words | None
    at: AwareDatetime


class Instalment(Answer):
    n: int
    due_at: AwareDatetime
    amount: Words
    currency: Words
    status: Words
    attempts: int


class Estimates(Answer):
    amount_due: Words


class Session(Answer):
    id: UUID
    checkout_session_status: Words
    payment_status: Words
    currency: Words
    estimates: Estimates
    confirmation: Confirmation | None
    payments: tuple[Payment, ...]
    payment_schedule: tuple[Instalment, ...]
    attention: Attention | None
    created_at: AwareDatetime
    last_activity_at: AwareDatetime
    expires_at: AwareDatetime

    @property
    def since(self) -> datetime:
        """Since when it stands as it does: its attention's beginning, else its last activity."""
        return self.attention.since if self.attention else self.last_activity_at


class Sessions(Answer):
    """A page of the list; *next* is the cursor of the one after it."""

    data: tuple[Session, ...]
    next: str | None


class Moment(Answer):
    at: AwareDatetime
    type: Words
    what: Words
    actor: Words
    details: dict[str, Any]

    def said(self, name: str) -> str | None:
        """A text among the details, made harmless; None where there is none."""
        value = self.details.get(name)
        return plain(value) if isinstance(value, str) else None


class Timeline(Answer):
    data: tuple[Moment, ...]
    temporal_ui: Words | None = None


class Request(Answer):
    """A request of the organisation that was answered; the path has no query string."""

    created_at: AwareDatetime
    method: Words
    path: Words
    status: int
    duration_ms: int
    user_agent: Words | None
    idempotency_key: Words | None


class Requests(Answer):
    """A page of the list, like Sessions."""

    data: tuple[Request, ...]
    next: str | None


class Problem(Answer):
    """An error of the API."""

    type: Words = ""
    title: Words = ""
    detail: Words | None = None

    @property
    def words(self) -> str:
        return self.detail or self.title or "it does not say why"
