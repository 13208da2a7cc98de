"""The timeline of a session: what happened, in plain words, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from psycopg.rows import DictRow

from api.auth import Merchant
from api.checkouts import Sessions
from api.fields import Instant, Shown
from api.parts import Data
from api.routes import router as routes
from checkout.session import SessionState
from store import session_events

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
    "checkout_session.compensating": "An operator had everything undone",
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
    "payment.cancelled": "What was still due was cancelled",
    "payment.unknown": "The gateway did not answer: whether it charged is being looked up",
    "payment.charging": "A due payment is being charged",
}
"""Each kind of event, in words; a test holds this against what the workflows can say."""


class Moment(Shown):
    """Something that happened: *what* in words, *type* as the events name it, *actor* who made it happen."""

    at: Instant
    sequence: int
    type: str
    what: str
    actor: str
    details: dict[str, Any]


class Timeline(Shown):
    data: list[Moment]


@router.get("/{session_id}/timeline", summary="What happened to a session, in plain words")
async def timeline(session_id: UUID, caller: Merchant, database: Data, checkouts: Sessions) -> Timeline:
    async with database.of(caller.organisation) as connection:
        rows = await session_events.of_session(connection, session_id)
    if not rows:
        await checkouts.state(caller.organisation, session_id)
    return Timeline(data=[_moment(row) for row in rows])


def _moment(row: DictRow) -> Moment:
    state = SessionState.model_validate(row["state"])
    return Moment(
        at=row["at"],
        sequence=row["sequence"],
        type=row["type"],
        what=WORDS[row["type"]],
        actor=row["actor"],
        details={**row["data"], **_details(state)},
    )


def _details(state: SessionState) -> dict[str, Any]:
    """Where the session stood right after it."""
    details: dict[str, Any] = {"session_status": state.status, "payment_status": state.payment_status}
    if state.confirmation is not None:
        details |= {"mode": state.confirmation.mode, "attempt": state.confirmation.attempt}
    if state.attention is not None:
        details["attention"] = state.attention.model_dump(mode="json", exclude={"since"})
    return details
