"""What is known of a session from outside the service: the gateway's ledger, the tables and the histories; frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.keys import Key, taken_apart
from checkout.commands import Opening
from checkout.money import Money
from checkout.session import Mode, Policy, SessionState

STALE = timedelta(seconds=60)
"""How long a session may be on its way without activity before that counts as rest."""


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """A line of the gateway's ledger (api.md); *amount_minor* as it came, whatever it is, *said* the outcome that was put
    on the wire, None for none.
    """

    seq: int
    at: datetime
    call: str
    key: str | None
    reference: str | None
    amount_minor: Any
    currency: str | None
    effect: str
    said: str | None = None


@dataclass(frozen=True, kw_only=True)
class PaymentRow:
    key: str
    kind: str
    amount_minor: Any
    currency: str
    status: str


@dataclass(frozen=True, kw_only=True)
class ContractRow:
    id: UUID
    attempt: int
    customer_id: UUID | None
    estimation_id: str
    currency: str
    status: str
    activated_at: datetime | None
    voided_at: datetime | None

    @property
    def in_force(self) -> bool:
        """Whether it is, or was until its own end."""
        return self.status in {"active", "expired"}


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """*raw* is the stored state as JSON, *state* what it says; *run* is the workflow run that told it."""

    sequence: int
    type: str
    actor: str
    at: datetime
    run: str
    data: Mapping[str, Any]
    state: SessionState
    raw: Mapping[str, Any]

    @property
    def attempt(self) -> int:
        """The attempt to confirm that it is about, 0 before the first; the state may count others beyond it."""
        return self.state.confirmation.attempt if self.state.confirmation else 0


@dataclass(frozen=True, kw_only=True)
class ViewRow:
    """The session's row; *raw* is the stored state as JSON, the other members its columns."""

    version: int
    status: str
    payment_status: str
    customer_id: UUID | None
    contract_id: UUID | None
    needs_attention: bool
    state: SessionState
    raw: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A scheduled activity: *number* and *ended* are event ids, *result* is None until it succeeded."""

    name: str
    number: int
    at: datetime
    input: Mapping[str, Any]
    ended: int | None = None
    result: Any = None


@dataclass(frozen=True, kw_only=True)
class UpdateCall:
    """An accepted update: *answered* is the event id of its answer, *state* what a successful answer showed."""

    name: str
    number: int
    answered: int | None = None
    failed: bool = False
    state: SessionState | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the session's workflow. *status* is Temporal's, in capitals; *failed_tasks* why tasks failed."""

    run_id: str
    status: str
    started_at: datetime
    opening: Opening | None = None
    activities: tuple[Activity, ...] = ()
    updates: tuple[UpdateCall, ...] = ()
    failed_tasks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything about one session; *at* is when it was gathered, *moved* whether the session moved meanwhile."""

    organisation: UUID
    session: UUID
    at: datetime
    stale: timedelta = STALE
    retention: timedelta = timedelta(days=30)
    moved: bool = False
    ledger: tuple[LedgerRow, ...] = ()
    payments: tuple[PaymentRow, ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    contents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    events: tuple[EventRow, ...] = ()
    view: ViewRow | None = None
    runs: tuple[Run, ...] = ()

    @property
    def now(self) -> datetime:
        """The latest instant known: a session whose own clock was moved is ahead of the machine's."""
        return max((self.at, *(event.at for event in self.events)))

    @property
    def state(self) -> SessionState | None:
        return self.view.state if self.view else None

    @property
    def policy(self) -> Policy:
        openings = [run.opening for run in self.runs if run.opening]
        return openings[-1].policy if openings else Policy()

    @property
    def run(self) -> Run | None:
        """The latest run."""
        return max(self.runs, key=lambda run: run.started_at, default=None)

    @property
    def attention_was_raised(self) -> bool:
        return any(event.state.attention for event in self.events)

    @property
    def rewound(self) -> set[str]:
        """The runs that were reset: what they tell comes after what the run before them told, and need not follow it."""
        return {event.run for event in self.events if event.type == "checkout_session.rewound"}

    def moves(self, effect: str, key: str | None = None) -> list[LedgerRow]:
        """The ledger's lines of an *effect*, of one *key* where it is given, in their order."""
        return [row for row in self.ledger if row.effect == effect and key in {None, row.key}]

    def held(self, key: str) -> int:
        """Captured minus refunded under *key*, in minor units."""
        captured = sum(row.amount_minor for row in self.moves("captured", key))
        return int(captured - sum(row.amount_minor for row in self.refunds(key)))

    def refunds(self, of: str) -> list[LedgerRow]:
        """The ledger's refunds of what was captured under the key *of*."""
        return [row for row in self.moves("refunded") if (parts := taken_apart(row.key)) and parts.of == of]

    def confirmations(self) -> Iterator[EventRow]:
        return (event for event in self.events if event.type == "checkout_session.confirmed")

    def confirmed(self, attempt: int) -> SessionState | None:
        """The session right after its *attempt*-th confirm, told by its event."""
        found = (event.state for event in self.confirmations() if event.state.attempts == attempt)
        return next(found, None)

    def asked(self, key: Key) -> Money | None:
        """What the estimate confirmed in the key's attempt has to be collected under it; None where that is unknown."""
        confirmed = self.confirmed(key.attempt)
        content = self.contents.get(confirmed.offer.estimation_id) if confirmed else None
        if content is None:
            return None
        estimates, currency = content["estimates"], content["contract"]["currency"]
        if key.step == "page":
            return Money.of(estimates["amount_due"], currency)
        parts = [part for part in estimates["payment_schedule"] if part["n"] == key.instalment]
        return Money.of(parts[0]["amount"], parts[0]["currency"]) if parts else None

    def owes(self, mode: Mode) -> bool:
        """Whether the last confirmation owes money, and of that mode."""
        state = self.state
        confirmation = state.confirmation if state else None
        return bool(state and confirmation and confirmation.mode is mode and state.offer.amount_due.minor > 0)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """An invariant that does not hold for a session, and by what that is seen."""

    invariant: str
    organisation: UUID
    session: UUID
    detail: str
