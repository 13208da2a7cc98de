"""What is asked of the workflow and of the activities: one frozen argument each, ids and amounts only."""

from __future__ import annotations

import datetime as dt
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from checkout.money import Money
from checkout.session import (
    Frozen,
    Mode,
    Offer,
    PaymentMethodType,
    Policy,
    SessionEvent,
    SessionState,
)


class Opening(Frozen):
    """The input of a session's workflow. *fingerprint* is that of the request that opened it."""

    organisation: UUID
    session: UUID
    fingerprint: str
    opened_at: dt.datetime
    offer: Offer
    guest_checkout: bool
    customer: UUID | None
    business_entity: UUID | None
    policy: Policy = Policy()
    resumed: SessionState | None = None
    """A further run: the session as it was last published by the run before."""

    def state(self) -> SessionState:
        """The session as it opens: what the API answers and the workflow starts from."""
        return self.resumed or SessionState(
            id=self.session,
            organisation=self.organisation,
            guest_checkout=self.guest_checkout,
            customer=self.customer,
            business_entity=self.business_entity,
            offer=self.offer,
            created_at=self.opened_at,
            updated_at=self.opened_at,
            last_activity_at=self.opened_at,
        )


class Request(Frozen):
    """What every update of a session carries. From the Temporal UI, `{"actor": ..., "reason": ...}` is enough.

    *request* is new for each HTTP call and comes back in the answer, so that a replayed answer is recognised;
    *fingerprint* is that of the validated call, so that a reused key is; *version* is If-Match.
    """

    actor: str = "operator"
    request: str = ""
    fingerprint: str = ""
    version: int | None = None


class Confirm(Request):
    """Confirm the session. *estimation_id*, when given, must still be the session's; with *save_method* what the customer
    pays with at the page can be charged later.
    """

    mode: Mode
    method: UUID | None = None
    preferred: PaymentMethodType | None = None
    save_method: bool = False
    notes: UUID | None = None
    estimation_id: str | None = None


class Cancel(Request):
    """Cancel the session. *details* is the row with the reason."""

    details: UUID | None = None


class Update(Request):
    """Replace the offer that was made from *revision* by another one, and the business entity where one is named."""

    offer: Offer
    business_entity: UUID | None = None
    revision: int
    updated_fields: tuple[str, ...] = ()


class Retry(Request):
    """Run the failing step again now; refused without a reason."""

    reason: str = ""


class Acknowledge(Request):
    """Somebody has seen to what only people can mend; refused without a reason."""

    reason: str = ""


class Compensate(Request):
    """Undo everything done so far, then reopen the session or close it; refused without a reason."""

    reason: str = ""
    then: Literal["reopen", "close"] = "reopen"


Change = Literal["move", "bring_forward", "pause", "resume", "cancel", "change_method"]


class ChangePayment(Request):
    """Change the instalment *n* of a completed session: `move` it to the day *date*, `bring_forward` to *date* or to
    now, `pause`, `resume` or `cancel` it, or `change_method` to the saved *method*; refused without a reason. *due_at* is
    the instant that *date* begins, as the API knows it already.
    """

    n: int
    action: Change
    date: dt.date | None = None
    due_at: dt.datetime | None = None
    method: UUID | None = None
    reason: str = ""


LONGEST_ADVANCE: Final = timedelta(days=400)
"""How far a session's clock is moved at once."""


class MoveClock(Request):
    """Move the session's clock forward *to* an instant, in a sandbox. Where it is there already, nothing moves: so a
    repetition moves it once.
    """

    to: dt.datetime


class MethodSaved(Frozen):
    """The customer saved a payment method: what was declined may be charged to it. A hint: the rows are asked."""

    method: UUID


class Accepted(Frozen):
    """The answer to an update: the session at that moment. Kept by Temporal, the same for every repetition."""

    request: str
    fingerprint: str
    state: SessionState


class RefusedUpdate(Frozen):
    """Why an update was refused: the details of its failure. *problem* is a problem type of api.md."""

    problem: str
    detail: str
    request: str = ""
    fingerprint: str = ""
    session_status: str
    payment_status: str
    allowed: tuple[str, ...] = ()
    estimation_id: str | None = None
    current_estimation_id: str | None = None


class FoundAdrift(Frozen):
    """What the reconciler found. *missing* are keys that our rows call captured, and that the gateway does not know;
    *rewound* says that what reads show was written by another run, which was reset.
    """

    missing: tuple[str, ...] = ()
    rewound: bool = False


class Reconcile(Frozen):
    """Reconcile what happened during the last *window*, but for what is younger than *rest* and may still be on its way;
    *everything* also looks at what has been at rest for longer.
    """

    window: timedelta
    rest: timedelta = timedelta(seconds=30)
    everything: bool = False


class PaymentReported(Frozen):
    """A hint that something happened at the gateway. Nothing in it is believed: the gateway is asked. *key* is what it
    happened under, *captured* whether money is said to have moved.
    """

    event: str = ""
    key: str | None = None
    captured: bool = False


# --- activities ----------------------------------------------------------------------------------------------


class Effect(Frozen):
    """Whose effect it is, and the workflow's own instant: activities never ask the machine's clock."""

    organisation: UUID
    session: UUID
    at: dt.datetime


class CreateCustomer(Effect):
    """Make the guest of *details* a customer, or find the active one of the same e-mail."""

    attempt: int
    details: UUID
    business_entity: UUID | None


class ArchiveCustomer(Effect):
    """Archive the customer that this session made, unless another session uses it too or a later attempt made it."""

    attempt: int


class ContractStep(Effect):
    """Draft, activate or void the contract of an attempt, made of the content row *estimation_id*; *paid* is the key of
    the page at which it was paid, where it had to be.
    """

    contract: UUID
    attempt: int
    customer: UUID | None
    estimation_id: str
    plan: UUID | None
    paid: str | None = None


class ChooseMethod(Effect):
    """Choose a saved payment method: *method* if given, else the default, of the *preferred* type if given."""

    customer: UUID
    method: UUID | None
    preferred: PaymentMethodType | None


class DueInstants(Effect):
    """Say when these *days* of the organisation begin."""

    days: tuple[dt.date, ...]


class CheckDue(Effect):
    """Is the instalment *n* of an attempt's contract still owed as it was confirmed, and what can be charged: the first
    of *methods* that can be, else another saved one, but none of *refused*? Due on *due_on* where its day has to have
    begun.
    """

    customer: UUID
    contract: UUID
    estimation_id: str
    n: int
    amount: Money
    due_on: dt.date | None
    methods: tuple[UUID, ...]
    refused: tuple[UUID, ...] = ()


class AtKey(Effect):
    """Something about one key at the gateway, made for *amount*."""

    key: str
    amount: Money


class OpenPage(AtKey):
    """Open a hosted page for *amount*; what it shows is read from the rows. It shows the *instalment* alone where one is
    named. *expires_at* is when the gateway closes it by itself. What is paid with is *saved_for* a customer, if for one.
    """

    estimation_id: str
    details: UUID
    notes: UUID | None
    preferred: PaymentMethodType | None
    expires_at: dt.datetime
    instalment: str | None = None
    saved_for: UUID | None = None


class Charge(AtKey):
    """Charge a saved method."""

    method: UUID
    notes: UUID | None = None


class Refund(AtKey):
    """Return what was captured under the key *of*: all of it, then *amount* is what may have been; or the *excess* over
    what was asked for, which is *amount*.
    """

    of: str
    excess: bool = False


class SaveMethod(AtKey):
    """Save for later charges what the *customer* paid with at the page under the key."""

    customer: UUID


class AdvanceClock(Effect):
    """Let the session's clock run ahead *to* an instant."""

    to: dt.datetime


class FindLooseEnds(Effect):
    """What do rows hold of a session that is not part of it? *kept* is the attempt that is, if one is; under the keys
    *reported* money is said to have arrived, whatever their rows say.
    """

    kept: int | None
    reported: tuple[str, ...] = ()


class Publish(Frozen):
    """Write the view and one row per event; the last event's state is the view. *chain* is the id of the first run of
    this workflow's: a reset keeps it. *claimed* is the run whose row it was, and is no more.
    """

    events: tuple[SessionEvent, ...]
    policy: Policy = Policy()
    chain: str = ""
    claimed: str | None = None
