"""The numbers of confirmation attempts: ids and keys are derived from them, so none is given to two confirmations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from checkout.session import SessionEvent
from store.database import Connection

CONFIRMED: Final = "checkout_session.confirmed"

USED: Final = """
    SELECT greatest(
        (SELECT max((state ->> 'attempts')::int) FROM session_events WHERE session_id = %(session)s),
        (SELECT max(attempt) FROM contracts WHERE session_id = %(session)s),
        (SELECT max(attempt) FROM customer_links WHERE session_id = %(session)s),
        (SELECT max(attempt_of(key)) FROM payments WHERE session_id = %(session)s)) AS last,
        (SELECT max((state #>> '{confirmation,attempt}')::int) FROM session_events
         WHERE session_id = %(session)s AND update_id = %(update)s) AS before
"""
"""The last attempt that was confirmed, or of which there is a trace; and the one that this update was before."""


async def numbered(connection: Connection, events: Sequence[SessionEvent]) -> list[SessionEvent]:
    """*events* with the confirmation that is among them, if one is, under a number of its own: a run that was reset does
    not know which are used. A confirmation that it makes for the second time keeps the number that it had.
    """
    confirmed = next((place for place, event in enumerate(events) if event.type == CONFIRMED), len(events))
    before, since = events[:confirmed], events[confirmed:]
    if not since:
        return list(before)
    attempt = await _number(connection, since[0])
    return [*before, *(event.model_copy(update={"state": event.state.as_attempt(attempt)}) for event in since)]


async def _number(connection: Connection, confirmed: SessionEvent) -> int:
    given = {"session": confirmed.state.id, "update": confirmed.update}
    used = await (await connection.execute(USED, given)).fetchone()
    asked = confirmed.state.attempts
    if used is None:
        return asked
    if (used["before"] or 0) >= asked:
        return int(used["before"])
    return max(asked, (used["last"] or 0) + 1)
