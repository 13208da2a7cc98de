"""The list of sessions, as a table that holds at 80 columns, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from ops.answers import Session
from ops.filters import Selection
from ops.words import age


def table(sessions: Sequence[Session], now: datetime) -> Table:
    """Three lines a session: ids are always whole, and what is long folds."""
    shown = Table(box=box.SIMPLE, leading=1, pad_edge=False)
    shown.add_column("Session", no_wrap=True, min_width=36)
    shown.add_column("Asks for attention", overflow="fold", ratio=1)
    shown.add_column("Can do", no_wrap=True, min_width=10)
    for session in sessions:
        shown.add_row(_stands(session), _asks(session, now), Text("\n".join(_can(session)) or "-"))
    return shown


def ending(selection: Selection, *, all_sessions: bool) -> str:
    """The list in a sentence."""
    count = len(selection.sessions)
    if selection.cut:
        return f"{_counted(count)}, and there are more: see --limit."
    if all_sessions:
        return f"{_counted(count)}."
    if not count:
        return "No session needs attention."
    return f"{_counted(count)} {'needs' if count == 1 else 'need'} attention."


def _counted(count: int) -> str:
    return f"{count} {'session' if count == 1 else 'sessions'}"


def as_json(sessions: Sequence[Session]) -> str:
    """An array of what the table shows, in the API's words; nothing about who the customers are."""
    return json.dumps([_row(session) for session in sessions], indent=2)


def _row(session: Session) -> dict[str, Any]:
    named = {"id", "checkout_session_status", "payment_status", "attention", "created_at", "last_activity_at"}
    confirmation = session.confirmation.model_dump(include={"mode", "attempt"}) if session.confirmation else None
    return {**session.model_dump(mode="json", include=named), "confirmation": confirmation}


def _stands(session: Session) -> Text:
    return Text("\n").join([Text(str(session.id), "bold"), Text(stands_of(session)), Text(mode_of(session), "dim")])


def stands_of(session: Session) -> str:
    """Both statuses in words."""
    payment = session.payment_status.replace("_", " ")
    return f"{session.checkout_session_status}, {payment if payment.startswith('no ') else f'payment {payment}'}"


def mode_of(session: Session) -> str:
    """How it is, or was last, confirmed."""
    confirmation = session.confirmation
    if confirmation is None:
        return "never confirmed"
    return f"{confirmation.mode.replace('_', ' ')}, attempt {confirmation.attempt}"


def _asks(session: Session, now: datetime) -> Text:
    attention = session.attention
    if attention is None:
        return Text(f"nothing; last active {age(session.since, now)} ago", "dim")
    return Text("\n").join(
        [
            Text(attention.step, "bold"),
            Text.assemble((attention.reason, "red"), f": {attention.detail}"),
            Text(f"for {age(attention.since, now)}", "dim"),
        ]
    )


def _can(session: Session) -> Sequence[str]:
    return session.attention.can if session.attention else ()
