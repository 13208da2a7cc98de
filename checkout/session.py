"""A checkout session as its workflow knows it: ids, amounts and dates, no personal data, no documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from checkout.ids import attempt_of, charge_of, refund_of
from checkout.lifecycle import FINAL, Payment, Status
from checkout.money import Money

SERVICE: Final = "service"
"""The actor of what the service does by itself."""

TEMPORAL: Final = "temporal"
"""The actor of what Cancel in Temporal does."""


class Frozen(BaseModel):
    """A stored payload: frozen, and tolerant of members that another version wrote."""

    model_config = ConfigDict(frozen=True)


class Mode(StrEnum):
    CHARGE_IMMEDIATELY = "charge_immediately"
    CHARGE_WHEN_DUE = "charge_when_due"
    NO_PAYMENT = "no_payment"


class PaymentMethodType(StrEnum):
    CARD = "card"
    BANK_TRANSFER = "bank_transfer"
    WALLET = "wallet"
    INVOICE = "invoice"


class Policy(Frozen):
    """Business constants. They travel in the workflow's input: a running session keeps those it was opened with."""

    page_window: timedelta = timedelta(minutes=30)
    """How long a payment page waits for its customer."""
    rounds: tuple[timedelta, ...] = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
    """How long a failing step is retried before attention is raised (again); the last one repeats."""
    uncertainty: timedelta = timedelta(seconds=3)
    """How long after a lost answer the gateway's "not found" proves nothing."""
    notice: timedelta = timedelta(days=3)
    """How long before its due instant an instalment is announced; zero: it is not."""
    dunning: tuple[timedelta, ...] = tuple(timedelta(days=days) for days in (1, 3, 5, 7))
    """How long after its first decline an instalment is charged again; declined after the last one, it has failed."""
    action_window: timedelta = timedelta(days=7)
    """How long a customer who has to act on a due payment has for it."""
    most_events: int = 1500
    """Of how many events a history may be before the session goes on in another run."""


class Due(Frozen):
    """Money that falls due: *due_on* is a day of the organisation, *due_at* the instant that day begins."""

    n: int
    due_on: date
    due_at: datetime
    amount: Money


class Offer(Frozen):
    """What may be confirmed. An update replaces it as a whole. *details* is the row with what people wrote."""

    estimation_id: str
    details: UUID
    amount_due: Money
    schedule: tuple[Due, ...]
    plan: UUID | None = None
    expires_at: datetime


StepStatus = Literal["running", "done", "refused", "failing", "interrupted"]
"""How far a step is: *interrupted* is one that was left without an answer, be it because all is undone."""


class Step(Frozen):
    """A step of the confirmation saga, or the undo of one, and how far it is."""

    name: str
    status: StepStatus
    at: datetime


class Undo(Frozen):
    """Why a confirmation is undone: in words, as the problem that its caller is answered with, whether the session is
    closed then, and who is told to have done that.
    """

    reason: str
    problem: str = "confirmation-undone"
    detail: str = "The confirmation was undone."
    close: bool = False
    actor: str = SERVICE


class Confirmation(Frozen):
    """The last attempt to confirm. *notes* is the details row with the description and the customer's notes; *page_until*
    is when the window of the page at *redirect_url* ends; *save_method* says that what is paid with is still to be saved;
    *undo* is set from the moment that it is to be undone.
    """

    mode: Mode
    attempt: int
    confirmed_at: datetime
    method: UUID | None = None
    preferred: PaymentMethodType | None = None
    save_method: bool = False
    notes: UUID | None = None
    redirect_url: str | None = None
    page_until: datetime | None = None
    steps: tuple[Step, ...] = ()
    undo: Undo | None = None


class PaymentRecord(Frozen):
    """A charge, a payment page or a refund under its key at the gateway. *declined* is a definite no: nothing was
    captured under that key, and nothing will be. What came *late* is no part of the session, and goes back.
    """

    key: str
    kind: Literal["charge", "refund"]
    amount: Money
    status: Literal["pending", "unknown", "captured", "declined", "refunded"]
    reference: str | None = None
    at: datetime
    late: bool = False


InstalmentStatus = Literal[
    "scheduled", "due", "charging", "paid", "declined", "needs_customer", "paused", "cancelled", "failed"
]


class Instalment(Frozen):
    """A due payment of a completed session. *due_on* is a day of the organisation, *due_at* the instant that it begins,
    *resolved* whether that instant is known by now. *attempts* counts the charges under keys of their own; *declined_at* is
    the first no of this round of dunning, *next_at* when it is charged again; *late* says that charging began late.
    *method* is the one to charge, *refused* are those with a hard no, *code* is what the last no was about. Where the
    customer has to act, they do so at *action_url* until *action_until*; *asked_since* is from when on the gateway has
    been asked what became of it.
    """

    n: int
    due_on: date
    due_at: datetime
    amount: Money
    status: InstalmentStatus = "scheduled"
    attempts: int = 0
    resolved: bool = True
    noticed: bool = False
    late: bool = False
    declined_at: datetime | None = None
    next_at: datetime | None = None
    method: UUID | None = None
    refused: tuple[UUID, ...] = ()
    code: str | None = None
    action_url: str | None = None
    action_until: datetime | None = None
    asked_since: datetime | None = None

    @property
    def owed(self) -> bool:
        """Whether it is still to be collected."""
        return self.status not in {"paid", "cancelled"}


Can = tuple[Literal["retry", "compensate", "acknowledge"], ...]
"""What an operator may do about something."""


class Attention(Frozen):
    """Somebody is asked to decide. *step* is the activity that fails, *can* what an operator may do now; *key* is that of
    the payment to see to elsewhere, where it is about one: nobody is asked about it again.
    """

    reason: str
    step: str
    since: datetime
    detail: str
    can: Can
    key: str | None = None


class SessionState(Frozen):
    """A session at one moment. *version* counts its changes from 1, *revision* its updates; times are UTC."""

    id: UUID
    organisation: UUID
    version: int = 1
    revision: int = 1
    status: Status = Status.OPEN
    payment_status: Payment = Payment.NOT_STARTED
    guest_checkout: bool
    customer: UUID | None
    business_entity: UUID | None
    contract: UUID | None = None
    offer: Offer
    attempts: int = 0
    confirmation: Confirmation | None = None
    payments: tuple[PaymentRecord, ...] = ()
    schedule: tuple[Instalment, ...] = ()
    asks: tuple[Attention, ...] = ()
    """What asks for attention, each once, the latest last."""
    cancellation: UUID | None = None
    clock_ahead: timedelta | None = None
    """How far the session's own clock is ahead of the machine's; None where nobody moved it."""
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    confirmed_at: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None

    def now(self, machine: datetime) -> datetime:
        """The session's own now, where the *machine*'s clock says so."""
        return machine + (self.clock_ahead or timedelta(0))

    @property
    def attention(self) -> Attention | None:
        """The latest that asks for attention; what asked before it shows once that has been seen to."""
        return self.asks[-1] if self.asks else None

    @property
    def can(self) -> tuple[str, ...]:
        """What operators may do about anything that asks."""
        return tuple(dict.fromkeys(act for asked in self.asks for act in asked.can))

    @property
    def kept(self) -> int | None:
        """The attempt whose effects are part of the session, if one is: that of a confirmation that runs or held.
        *attempts* may be beyond it, where there are traces of others.
        """
        stands = self.status in {Status.PROCESSING, Status.COMPLETED}
        return self.confirmation.attempt if stands and self.confirmation else None

    def as_attempt(self, number: int) -> SessionState:
        """The same session, its confirmation under another *number*."""
        if self.confirmation is None:
            return self
        confirmation = self.confirmation.model_copy(update={"attempt": number})
        return self.model_copy(update={"attempts": max(self.attempts, number), "confirmation": confirmation})

    def is_late(self, key: str) -> bool:
        """Whether money under *key*, a page's or a charge's, is no part of the session: of another attempt, or beside
        what was captured, or is awaited, in the one that stands. What came late is so until it is returned.
        """
        attempt = attempt_of(self.id, key)
        if attempt is None or attempt != self.kept:
            return attempt is not None
        known = next((payment for payment in self.payments if (payment.key, payment.status) == (key, "captured")), None)
        if known is not None:
            return known.late and not self._returned(key)
        return not (self.status is Status.PROCESSING or self._awaits(key))

    def _returned(self, key: str) -> bool:
        """Whether what was captured under *key* went back."""
        return any(payment.status == "refunded" and refund_of(payment.key) == key for payment in self.payments)

    def _awaits(self, key: str) -> bool:
        """Whether a charge under *key* is at the gateway, or is still to come: a run that was reset repeats its tries."""
        tried = charge_of(self.id, key)
        instalment = next((i for i in self.schedule if tried and i.n == tried[0]), None)
        if tried is None or instalment is None or not instalment.owed:
            return False
        _, charge, at_the_page = tried
        there = instalment.status in {"charging", "needs_customer"} and charge == instalment.attempts
        page = instalment.status == "needs_customer" or instalment.action_url is not None
        return charge > instalment.attempts or (there and at_the_page == page)

    @property
    def goes_on(self) -> bool:
        """Whether there is still something to do: a confirm or the expiry to wait for, money to collect or return, a payment
        method to save.
        """
        owed = any(instalment.owed for instalment in self.schedule)
        return self.status not in FINAL or owed or self.excess is not None or self.saves_method

    @property
    def saves_method(self) -> bool:
        """Whether what the completed session was paid with is still to be saved."""
        asked = self.confirmation is not None and self.confirmation.save_method
        return asked and (self.status, self.payment_status) == (Status.COMPLETED, Payment.PAID)

    @property
    def excess(self) -> tuple[str, Money] | None:
        """A key of the completed session under which more was captured than was asked for, and how much of it is still to
        be returned: a gateway that breaks its promise. The currency is what was asked for.
        """
        over = (p for p in self.payments if p.status == "captured" and not p.late and self.status is Status.COMPLETED)
        for key, amount, asked in ((p.key, p.amount, self._asked(p.key)) for p in over):
            if asked and amount != asked and amount.covers(asked) and not self._is_returned(key):
                return key, amount - asked
        return None

    def _is_returned(self, key: str) -> bool:
        """Whether refunds of what was captured under *key* were made, and all of them have come to an end."""
        refunds = [p.status for p in self.payments if p.kind == "refund" and p.key.startswith(f"{key}/")]
        return bool(refunds) and not {"pending", "unknown"} & set(refunds)

    def _asked(self, key: str) -> Money | None:
        """What was asked for under a key of the attempt that stands: at its page, or for an instalment."""
        if attempt_of(self.id, key) != self.kept:
            return None
        tried = charge_of(self.id, key)
        if tried is None:
            return self.offer.amount_due
        return next((i.amount for i in self.schedule if i.n == tried[0]), None)

    @property
    def next_due_at(self) -> datetime | None:
        """The instant of the next payment that is still to be collected, and not paused."""
        return min((i.next_at or i.due_at for i in self.schedule if i.owed and i.status != "paused"), default=None)


class SessionEvent(Frozen):
    """One change of a session: *sequence* is the version it made, *state* the session right after it. Where a request
    made it, *update* is the id of its update and *fingerprint* tells it from another request with the same key.
    """

    sequence: int
    type: str
    actor: str
    at: datetime
    data: Mapping[str, Any]
    state: SessionState
    update: str | None = None
    fingerprint: str = ""
