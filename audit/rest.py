"""Whether a session is at rest: nothing pending but due dates, pages in their window, and what asks for attention."""

from __future__ import annotations

from datetime import datetime, timedelta

from audit.evidence import Evidence
from checkout.lifecycle import Status
from checkout.session import SessionState


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
    """When the window of the page of the last confirmation ends."""
    return (state.confirmed_at or state.last_activity_at) + window


def _under_way(state: SessionState) -> str | None:
    if state.status is Status.PROCESSING:
        return "it is being confirmed or undone"
    if any(part.status in {"due", "charging"} for part in state.schedule):
        return "a due payment is being charged"
    return None


def _falls_due(seen: Evidence, state: SessionState) -> str | None:
    if state.status is Status.OPEN and timedelta(0) <= seen.now - state.offer.expires_at < seen.stale:
        return "it expires now"
    waiting = (part.due_at for part in state.schedule if part.status == "scheduled")
    if any(timedelta(0) <= seen.now - due < seen.stale for due in waiting):
        return "a payment falls due now"
    return None
