"""One session on a page: where it stands, its steps, money and schedule, and what happened, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.answers import Attention, Moment, Session, Timeline
from ops.listing import mode_of, stands_of
from ops.words import age, moment

UNDOS: Final = frozenset({"customers.archive", "contracts.void", "payments.close_page", "payments.refund"})
"""The steps that undo others; the rest go forward."""

COLOURS: Final = {"done": "green", "refused": "yellow", "interrupted": "yellow", "failing": "red"}


def show(session: Session, timeline: Timeline, console: Console, now: datetime) -> None:
    """All of it, in UTC. The link is on a line of its own, whole."""
    console.print(Text(f"Session {session.id}", "bold"))
    console.print(_facts(session, now))
    if timeline.temporal_ui:
        console.print(Text.assemble("Temporal    ", (timeline.temporal_ui, "blue")), soft_wrap=True)
    console.print()
    for table in _tables(session):
        console.print(table)
    console.print(_history(timeline))


def _facts(session: Session, now: datetime) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, value in _lines(session, now):
        grid.add_row(Text(name), value)
    return grid


def _lines(session: Session, now: datetime) -> Iterator[tuple[str, Text]]:
    yield "Stands", Text(stands_of(session))
    yield "Mode", Text(mode_of(session))
    yield "Amount due", Text(f"{session.estimates.amount_due} {session.currency}")
    yield "Opened", Text(f"{moment(session.created_at)} UTC")
    if session.checkout_session_status in {"open", "processing"}:
        yield "Expires", Text(f"{moment(session.expires_at)} UTC")
    yield "Attention", _attention(session.attention, now) if session.attention else Text("nobody needs to look at it")
    for act in _can(session):
        yield "Can do", Text(f'checkout ops {act} {session.id} --reason "..."')


def _attention(attention: Attention, now: datetime) -> Text:
    since = f"for {age(attention.since, now)}, since {moment(attention.since)}"
    step, reason = (attention.step, "bold"), (attention.reason, "red")
    return Text.assemble(step, f", {since}\n", reason, f": {attention.detail}")


def _can(session: Session) -> list[str]:
    """What operators can do: what its attention says, and undoing at any moment of processing."""
    said = list(session.attention.can) if session.attention else []
    undo = session.checkout_session_status == "processing" and "compensate" not in said
    return [*said, *(["compensate"] if undo else [])]


def _tables(session: Session) -> Iterator[Table]:
    """Those that have something in them."""
    if session.confirmation and session.confirmation.steps:
        table = _table(f"Steps of attempt {session.confirmation.attempt}", "At", "Step or undo", "Name", "Status")
        for step in session.confirmation.steps:
            kind = "undo" if step.name in UNDOS else "step"
            table.add_row(moment(step.at), kind, Text(step.name), Text(step.status, COLOURS.get(step.status, "")))
        yield table
    if session.payments:
        table = _table("Money", "At", "Kind", "Amount", "Status", "Key, reference")
        for each in session.payments:
            key = each.key.removeprefix(f"{session.id}/")
            names = Text(f"{key}\n{each.reference}" if each.reference else key)
            amount = Text(f"{each.amount} {each.currency}")
            table.add_row(moment(each.at), Text(each.kind), amount, Text(each.status), names)
        yield table
    if session.payment_schedule:
        table = _table("Schedule", "Due", "Instalment", "Amount", "Status", "Tries")
        for due in session.payment_schedule:
            amount = Text(f"{due.amount} {due.currency}")
            table.add_row(moment(due.due_at), str(due.n), amount, Text(due.status), str(due.attempts))
        yield table


def _history(timeline: Timeline) -> Table:
    table = _table("What happened, in UTC", "At", "Attempt", "What")
    for each in timeline.data:
        table.add_row(moment(each.at), str(each.details.get("attempt") or ""), _told(each))
    return table


def _told(each: Moment) -> Text:
    """What happened; under it who made it happen, if not the service itself, and what was said of it."""
    actor = None if each.actor == "service" else f"by {each.actor}"
    attention = each.details.get("attention") if each.type == "checkout_session.attention_raised" else None
    asked = Moment.model_copy(each, update={"details": attention}).said("detail") if attention else None
    more = "; ".join(part for part in (actor, each.said("reason"), asked) if part)
    return Text.assemble(each.what, (f"\n{more}", "dim") if more else "")


def _table(title: str, *columns: str) -> Table:
    """A table whose first column is a time; the last one folds what is long."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column is not columns[-1])
    return table
