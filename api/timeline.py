"""The timeline of a session: what happened, in plain words, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from psycopg.rows import DictRow

from api.auth import Caller, Merchant
from api.checkouts import Sessions
from api.fields import Instant, Shown
from api.parts import Data
from api.routes import router as routes
from checkout.ids import workflow_of
from checkout.lifecycle import Payment, Status
from checkout.session import SERVICE, Instalment, SessionState
from store import session_events
from store.api_keys import SCOPES

router: Final = routes("/checkout_session", "Checkout sessions")

WORDS: Final[Mapping[str, str]] = {
    "checkout_session.opened": "The session was opened",
    "checkout_session.updated": "The session was changed",
    "checkout_session.confirmed": "The session was confirmed",
    "checkout_session.completed": "The session is complete",
    "checkout_session.reopened": "The confirmation was undone, and the session is open again",
    "checkout_session.closed": "The session was closed",
    "checkout_session.cancelled": "The session was cancelled",
    "checkout_session.attention_raised": "Somebody is asked to look at it",
    "checkout_session.attention_cleared": "Nobody needs to look at it any more",
    "checkout_session.retried": "An operator had the failing step run again",
    "checkout_session.acknowledged": "An operator has seen to it",
    "checkout_session.compensating": "An operator had everything undone",
    "checkout_session.resumed": "Its workflow had ended early, and goes on from here",
    "checkout_session.clock_moving": "The session's clock is being moved, and what falls due meanwhile happens",
    "checkout_session.clock_moved": "The session's clock was moved",
    "checkout_session.rewound": "Its workflow was reset: the session is again as it was then",
    "customer.created": "The guest became a customer",
    "customer.linked": "The guest is a customer already",
    "contract.created": "The contract was drafted",
    "contract.activated": "The contract is in force",
    "contract.voided": "The contract was voided",
    "payment.pending": "The payment was asked for",
    "payment.page_opened": "The payment page is open",
    "payment.page_closed": "The payment page was closed, unpaid",
    "payment.paid": "The payment was made",
    "payment.captured": "An instalment was paid",
    "payment.failed": "The payment failed",
    "payment.refunded": "The payment was returned",
    "payment.method_kept": "What the customer paid with was saved",
    "payment.refund_refused": "The gateway has nothing to return of a payment",
    "payment.cancelled": "What was still due was cancelled",
    "payment.unknown": "The gateway's answer was lost: what it did is being looked up",
    "payment.late": "A payment arrived that is no part of the session, and is being returned",
    "payment.due_soon": "A due payment will soon be charged",
    "payment.charging": "A due payment is being charged",
    "payment.declined": "A due payment was declined",
    "payment.needs_customer": "The customer has to act on a due payment",
    "payment.under_way": "A due payment is under way at the gateway",
    "payment.changed": "A due payment was changed",
    "payment.rescheduled": "The day on which a payment is due begins at another instant",
    "payment.method_saved": "The customer saved another payment method: what was declined is charged to it",
}
"""Each kind of event, in words; a test holds this against what the workflows can say."""


STEPS: Final[Mapping[str, str]] = {
    "customers.create": "making the guest a customer",
    "customers.archive": "archiving the customer that was made",
    "contracts.draft": "drafting the contract",
    "contracts.activate": "putting the contract in force",
    "contracts.void": "voiding the contract",
    "payments.choose_method": "choosing a saved payment method",
    "payments.open_page": "opening the payment page",
    "payments.page_outcome": "finding out what was paid at the page",
    "payments.close_page": "closing the payment page",
    "payments.due_instants": "finding out when due payments' days begin",
    "payments.check_due": "checking what is due",
    "payments.charge": "charging the saved payment method",
    "payments.refund": "returning the payment",
    "payments.look_up": "looking up what the gateway did",
    "payments.save_methods": "saving what the customer paid with",
    "sessions.loose_ends": "finding what is no part of the session",
}
"""Each step that can ask for attention, in words; a test holds this against the activities."""

CHANGES: Final[Mapping[str, str]] = {
    "move": "moved",
    "bring_forward": "brought forward",
    "pause": "paused",
    "resume": "no longer paused",
    "cancel": "cancelled",
    "change_method": "to be charged to another payment method",
}
"""What a merchant or an operator did to a due payment, in words; a test holds this against what they can."""

ANSWER: Final = "answer"
"""What an event keeps for those who ask the same again: nothing that happened."""

DECISIONS: Final = frozenset(
    {
        "checkout_session.attention_raised",
        "checkout_session.attention_cleared",
        "checkout_session.retried",
        "checkout_session.compensating",
    }
)
"""Events about a step that fails: their words say which."""


class Moment(Shown):
    """Something that happened: *what* in words, *type* as the events name it, *actor* who made it happen.

    *details* says where the session stood right after it: both statuses, `mode` and `attempt` of the confirmation,
    `step` where one fails or failed, `instalment {n, status, attempts}` where it is about a due payment, and `n`,
    `action`, `date` and `reason` where somebody changed that.
    """

    at: Instant
    sequence: int
    type: str
    what: str
    actor: str
    details: dict[str, Any]


class Timeline(Shown):
    """*temporal_ui* is the address of the session's workflow in the Temporal UI: the operators' console, so it is
    null for merchants, and where CHECKOUT_TEMPORAL_UI is not set.
    """

    data: list[Moment]
    temporal_ui: str | None


@router.get("/{session_id}/timeline", summary="What happened to a session, in plain words")
async def timeline(
    session_id: UUID, request: Request, caller: Merchant, database: Data, checkouts: Sessions
) -> Timeline:
    """Oldest first. Operators also get the address of the session in the Temporal UI."""
    async with database.of(caller.organisation) as connection:
        rows = await session_events.of_session(connection, session_id)
    moments = list(_moments(rows)) or [_opened(await checkouts.state(caller.organisation, session_id))]
    return Timeline(data=moments, temporal_ui=_temporal_ui(request, caller, session_id))


def _temporal_ui(request: Request, caller: Caller, session: UUID) -> str | None:
    """The deep link for operators: `app.state.temporal_ui` is the UI's base URL, the namespace is the client's."""
    base: str | None = request.app.state.temporal_ui
    if not base or SCOPES.index(caller.scope) < SCOPES.index("operator"):
        return None
    namespace = quote(request.app.state.temporal.namespace, safe="")
    workflow = quote(workflow_of(caller.organisation, session), safe="")
    return f"{base.rstrip('/')}/namespaces/{namespace}/workflows/{workflow}"


def _moments(rows: Sequence[DictRow]) -> Iterator[Moment]:
    before: SessionState | None = None
    for row in rows:
        state = SessionState.model_validate(row["state"])
        said = {name: value for name, value in row["data"].items() if name != ANSWER}
        details = said | _details(before, state, said.get("n"))
        yield Moment(
            at=row["at"],
            sequence=row["sequence"],
            type=row["type"],
            what=_what(row["type"], details),
            actor=row["actor"],
            details=details,
        )
        before = state


def _opened(state: SessionState) -> Moment:
    """The first moment of a session of which nothing is published yet."""
    kind, details = "checkout_session.opened", {"session_status": Status.OPEN, "payment_status": Payment.NOT_STARTED}
    return Moment(at=state.created_at, sequence=1, type=kind, what=_what(kind, details), actor=SERVICE, details=details)


def _details(before: SessionState | None, state: SessionState, n: int | None) -> dict[str, Any]:
    """Where the session stood right after it, and which step or instalment it is about: that with the number *n*, if so."""
    details: dict[str, Any] = {"session_status": state.status, "payment_status": state.payment_status}
    if state.confirmation is not None:
        details |= {"mode": state.confirmation.mode, "attempt": state.confirmation.attempt}
    if state.attention is not None:
        details["attention"] = state.attention.model_dump(mode="json", exclude={"since"})
    if attention := state.attention or (before.attention if before else None):
        details["step"] = attention.step
    if instalment := _changed(before, state, n):
        details["instalment"] = instalment.model_dump(mode="json", include={"n", "status", "attempts"})
    return details


def _changed(before: SessionState | None, state: SessionState, n: int | None) -> Instalment | None:
    """The instalment *n*, else the one that is another than *before*; None where there is none, or all are new."""
    known = before.schedule if before else ()
    others = (each for each in state.schedule if each.n == n or (n is None and each not in known))
    return next(others, None) if known else None


def _what(kind: str, details: Mapping[str, Any]) -> str:
    """The event in words: which attempt, step or try it is about where there can be more than one."""
    words = WORDS[kind]
    if kind in DECISIONS and "step" in details:
        words += f" (step: {STEPS.get(details['step'], details['step'])})"
    if kind == "checkout_session.confirmed" and details["attempt"] > 1:
        words += f" again, attempt {details['attempt']}"
    if "instalment" in details:
        words += ": " + ", ".join(_about(details["instalment"], details))
    return words


def _about(instalment: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
    """Which instalment, at which try if there was one, and what somebody did to it."""
    yield f"instalment {instalment['n']}"
    if instalment["attempts"]:
        yield f"try {instalment['attempts']}"
    if "action" in details:
        to = f" to {details['date']}" if details.get("date") else ""
        yield f"{CHANGES[details['action']]}{to}"
