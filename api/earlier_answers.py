"""What a session answered to a request before, told by its events: for as long as it is kept, and over further runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psycopg.rows import DictRow

from api.problems import Problem
from checkout.session import SessionState
from store import session_events
from store.database import Database
from workflows.refusals import allowed

ENDS: Final = frozenset({"checkout_session.completed", "checkout_session.reopened", "checkout_session.closed"})
ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    "checkout_session.confirmed": ENDS | {"payment.page_opened"},
    "checkout_session.compensating": ENDS,
    "checkout_session.clock_moving": frozenset({"checkout_session.clock_moved"}),
}
"""By the event that a request made: the events that were waited for before it was answered. Any other request was
answered with its own event.
"""


class Unanswered(Exception):
    """The request was accepted, and nobody was answered yet."""


async def earlier_answer(
    database: Database, organisation: UUID, session: UUID, update: str, print_: str
) -> SessionState | None:
    """The session as it was when it answered *update*; None where it never was asked.

    Raises Unanswered, `idempotency-key-reused` where the first request was another one than *print_* tells, and the
    problem that the first request was answered with.
    """
    async with database.of(organisation) as connection:
        events = await session_events.of_update(connection, session, update)
    if not events:
        return None
    if events[0]["fingerprint"] != print_:
        raise Problem("idempotency-key-reused")
    answer = _answer(events)
    state = SessionState.model_validate(answer["state"])
    if events[0]["type"] == "checkout_session.confirmed" and (told := answer["data"].get("answer")):
        problem, detail = told
        raise Problem(
            problem,
            detail,
            session_status=state.status,
            payment_status=state.payment_status,
            allowed=list(allowed(state)),
        )
    return state


def _answer(events: list[DictRow]) -> DictRow:
    awaited = ANSWERS.get(events[0]["type"])
    if awaited is None:
        return events[0]
    for event in events[1:]:
        if event["type"] in awaited:
            return event
    raise Unanswered
