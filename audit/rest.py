"""Whether a session is at rest: nothing pending but due dates, pages in their window, and what asks for attention."""

from __future__ import annotations

from datetime import datetime, timedelta

from audit.evidence import Evidence
from checkout.lifecycle import Status
from checkout.session import Instalment, SessionState


def unrest(seen: Evidence) -> str | None:
    """Why the session is not at rest yet; None when it is. Without activity for `stale`, it is, unless its page's
    window goes on.
    """
    if seen.moved:
        return "it moved while it was looked at"
    state = seen.state
    if state is None:
        fresh = any(seen.at - run.started_at < seen.stale for run in seen.runs)
        return "it is just being opened" if fresh else None
    if state.attention is not None:
        return None
    if state.status is Status.PROCESSING and seen.now < page_ends(state, seen.policy.page_window):
        return "it is being confirmed, and its page's window goes on"
    active = seen.now - state.last_activity_at < seen.stale
    return (_under_way(state) if active else None) or _falls_due(seen, state)


def page_ends(state: SessionState, window: timedelta) -> datetime:
    """When the window of the page of the last confirmation ends: it begins when the page is open."""
    if state.confirmation and state.confirmation.page_until:
        return state.confirmation.page_until
    return (state.confirmed_at or state.last_activity_at) + window


def waits(part: Instalment, now: datetime) -> bool:
    """Whether an instalment waits for another moment, or for its customer, or for what the gateway still settles."""
    if part.status == "scheduled":
        return part.due_at > now
    if part.status == "needs_customer":
        return part.action_until is not None and part.action_until > now
    return part.status in {"declined", "charging"} and part.next_at is not None and part.next_at > now


def _under_way(state: SessionState) -> str | None:
    if state.status is Status.PROCESSING:
        return "it is being confirmed or undone"
    at_work = (part for part in state.schedule if part.status in {"due", "charging"})
    if any(part.next_at is None for part in at_work):
        return "a due payment is being charged"
    return None


def _falls_due(seen: Evidence, state: SessionState) -> str | None:
    if state.status is Status.OPEN and timedelta(0) <= seen.now - state.offer.expires_at < seen.stale:
        return "it expires now"
    moments = (
        (part.due_at,) if part.status == "scheduled" else (part.next_at, part.action_until) for part in state.schedule
    )
    waiting = (moment for each in moments for moment in each if moment is not None)
    if any(timedelta(0) <= seen.now - due < seen.stale for due in waiting):
        return "a due payment's moment is now"
    return None
