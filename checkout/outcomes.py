"""What the outside world can answer, as tagged values. A refusal is a value; a fault is an exception."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from checkout.money import Money
from checkout.session import Policy, SessionState


class Answer(BaseModel):
    """Frozen, and tolerant of members that a newer version writes."""

    model_config = ConfigDict(frozen=True)


# --- the gateway ---------------------------------------------------------------------------------------------


class PageOpen(Answer):
    """The hosted page can be paid. *url* is where the customer goes; *declined* counts refused tries on it; *reference* is
    the gateway's own id of it.
    """

    outcome: Literal["page_open"] = "page_open"
    url: str
    declined: int = 0
    reference: str | None = None


class UnderWay(Answer):
    """The customer has paid by a method that settles later; money may still arrive or fail to."""

    outcome: Literal["under_way"] = "under_way"


class Captured(Answer):
    """Money moved to the merchant: *amount*, once, under the gateway's *reference*."""

    outcome: Literal["captured"] = "captured"
    reference: str
    amount: Money


class Left(Answer):
    """The customer went back to the shop; nothing was captured and the page may still be open."""

    outcome: Literal["left"] = "left"
    declined: int = 0


class Closed(Answer):
    """The page is closed for good; nothing was captured and nothing can be."""

    outcome: Literal["closed"] = "closed"
    declined: int = 0


class Declined(Answer):
    """A definite no. *code* is stable (`card_declined`, `insufficient_funds`, `expired_card`, ...); *soft* may
    succeed on another day, hard never will.
    """

    outcome: Literal["declined"] = "declined"
    code: str
    soft: bool = True


class NeedsCustomer(Answer):
    """Nothing moved: the customer must authenticate first (SCA)."""

    outcome: Literal["needs_customer"] = "needs_customer"


class Refunded(Answer):
    """Money went back to the customer: *amount*, once, under the gateway's *reference*."""

    outcome: Literal["refunded"] = "refunded"
    reference: str
    amount: Money


class NothingToRefund(Answer):
    """Nothing was captured under that key, and now nothing can be: the key is closed."""

    outcome: Literal["nothing_to_refund"] = "nothing_to_refund"


class NotFound(Answer):
    """The gateway does not know the key. Definite only once its uncertainty window has passed."""

    outcome: Literal["not_found"] = "not_found"


PageAnswer = Annotated[PageOpen | UnderWay | Captured | Left | Closed, Field(discriminator="outcome")]
CloseAnswer = Annotated[Closed | Captured | UnderWay, Field(discriminator="outcome")]
ChargeAnswer = Annotated[Captured | Declined | NeedsCustomer | UnderWay, Field(discriminator="outcome")]
RefundAnswer = Annotated[Refunded | NothingToRefund, Field(discriminator="outcome")]
LookUpAnswer = Annotated[
    PageOpen | UnderWay | Captured | Left | Closed | Declined | NeedsCustomer | Refunded | NothingToRefund | NotFound,
    Field(discriminator="outcome"),
]


# --- our own parties -----------------------------------------------------------------------------------------


class Refused(Answer):
    """Our own no: *problem* is the name of a problem type of api.md (`plan-not-available`, ...)."""

    outcome: Literal["refused"] = "refused"
    problem: str
    detail: str


class CustomerReady(Answer):
    """The customer to contract with; *created* says whether this session made it."""

    outcome: Literal["customer_ready"] = "customer_ready"
    customer: UUID
    created: bool


class Done(Answer):
    """It is so now, whether or not it was before."""

    outcome: Literal["done"] = "done"


class MethodChosen(Answer):
    """A saved payment method that can be charged."""

    outcome: Literal["method_chosen"] = "method_chosen"
    method: UUID


class Instants(Answer):
    """When the days that were asked for begin, in their order; UTC."""

    outcome: Literal["instants"] = "instants"
    at: tuple[datetime, ...]


class NotDueYet(Answer):
    """Its day begins at another instant than was thought: the time zone's rules have changed."""

    outcome: Literal["not_due_yet"] = "not_due_yet"
    due_at: datetime


class NoMethod(Answer):
    """No saved payment method can be charged: the customer has to act."""

    outcome: Literal["no_method"] = "no_method"


class NotOwed(Answer):
    """It may not be charged as things are: *reason* is `contract_not_in_force`, `customer_archived` or
    `amount_changed`.
    """

    outcome: Literal["not_owed"] = "not_owed"
    reason: str


class Published(Answer):
    """The view is written; *version* is the number that the last event has there, *attempt* that of its confirmation,
    which may be another than it was thought to be. For an *intruder*, which opens a
    session that was open before, nothing is; nor where another run is the *writer* of it.
    """

    outcome: Literal["published"] = "published"
    version: int
    attempt: int | None = None
    intruder: bool = False
    writer: str | None = None


class Standing(Answer):
    """A session as its rows have it, and the rules that it was opened with; *state* is None where there is no row.
    Attempts of which there is a trace count, also where the state does not know of them; *undo_begun* says that there is
    a trace of the undoing of its confirmation.
    """

    outcome: Literal["standing"] = "standing"
    state: SessionState | None = None
    policy: Policy = Policy()
    undo_begun: bool = False


class LooseCharge(Answer):
    """A charge or page that may hold money which the session does not know of. *page* tells the two apart. One that is
    not *recorded* has no row: somebody says that it is there.
    """

    key: str
    amount: Money
    page: bool
    recorded: bool = True


class LooseContract(Answer):
    """A contract, drafted or in force, of an attempt that is no part of the session."""

    contract: UUID
    attempt: int
    estimation_id: str


class LooseEnds(Answer):
    """What rows hold of a session that is not part of it; of the attempt that stands also what was captured: the session
    knows which of it is its own. *guest* says whether its customer was left behind, *attempts* is the last attempt of which
    there is a trace: none of them can be used again.
    """

    outcome: Literal["loose_ends"] = "loose_ends"
    charges: tuple[LooseCharge, ...] = ()
    contracts: tuple[LooseContract, ...] = ()
    guest: bool = False
    attempts: int = 0


class Reconciled(Answer):
    """What a sweep did: sessions that go on in a further run, sessions that were told to take something back, events
    that were passed on, payments whose row was mended; keys of *strangers*, captured for no session of ours; and what
    could not be looked at now.
    """

    outcome: Literal["reconciled"] = "reconciled"
    went_on: int = 0
    set_right: int = 0
    passed_on: int = 0
    mended: int = 0
    strangers: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class ClockAhead(Answer):
    """How far the session's clock is *ahead* of the machine's. It goes further by itself where it was told to."""

    outcome: Literal["clock_ahead"] = "clock_ahead"
    ahead: timedelta


class ClockFixed(Answer):
    """The session's clock can't be moved; *why*, in words for a merchant."""

    outcome: Literal["clock_fixed"] = "clock_fixed"
    why: str


CustomerAnswer = Annotated[CustomerReady | Refused, Field(discriminator="outcome")]
ContractAnswer = Annotated[Done | Refused, Field(discriminator="outcome")]
MethodAnswer = Annotated[MethodChosen | Refused, Field(discriminator="outcome")]
DueAnswer = Annotated[MethodChosen | NoMethod | NotDueYet | NotOwed, Field(discriminator="outcome")]
ClockAnswer = Annotated[ClockAhead | ClockFixed, Field(discriminator="outcome")]
