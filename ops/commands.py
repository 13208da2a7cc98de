"""The commands `checkout ops ...` and their options. Like those of cli.py, each imports what it runs when it is asked."""

# ruff: noqa: PLC0415, FBT002, PLR0913, PLR0917 - see above; typer reads options from parameters
from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from checkout.lifecycle import Payment, Status

if TYPE_CHECKING:
    from ops.acting import Act
    from ops.connection import Connection
    from ops.filters import Filters

app: Final = typer.Typer(
    help="What operators do: see which sessions need somebody, and retry, undo or acknowledge.", no_args_is_help=True
)

ReadyFile = Annotated[Path | None, typer.Option(help="Read address and operator's key from the stack's ready file.")]
Statuses = Annotated[list[Status] | None, typer.Option("--status", help="Of this status; may be repeated.")]
Payments = Annotated[list[Payment] | None, typer.Option("--payment-status", help="Of this payment status; likewise.")]
FailingStep = Annotated[str | None, typer.Option(help="Whose failing step is this one: payments.charge")]
OlderThan = Annotated[str | None, typer.Option(help="Asking for attention for at least 90s, 10m, 2h or 1d.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Sessions = Annotated[list[str] | None, typer.Argument(metavar="SESSION...", help="Ids of sessions.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in your words. It is recorded with your key.")]
ReasonAsked = Annotated[
    str | None, typer.Option("--attention-reason", help="With --all: why they ask for attention: payment_failed")
]
All = Annotated[bool, typer.Option("--all", help="Instead of ids: every session that the filters let through.")]
Yes = Annotated[bool, typer.Option("--yes", help="With --all: do it. Without, it only shows what would be done.")]
Rate = Annotated[float, typer.Option(min=0.01, max=1000, help="Sessions a second, at most.")]
Most = Annotated[int | None, typer.Option(min=1, help="With --all: this many sessions, at most.")]


@app.command("list")
def list_sessions(
    ready_file: ReadyFile = None,
    status: Statuses = None,
    payment_status: Payments = None,
    step: FailingStep = None,
    reason: Annotated[str | None, typer.Option(help="Asking for attention for this reason: payment_failed")] = None,
    older_than: OlderThan = None,
    all_sessions: Annotated[bool, typer.Option("--all-sessions", help="Those without attention, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="This many, at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the sessions that need attention."""
    from ops.main import listed

    filters = _filters(
        statuses=status,
        payments=payment_status,
        step=step,
        reason=reason,
        older_than=older_than,
        all_sessions=all_sessions,
        limit=limit,
    )
    asyncio.run(listed(_to(ready_file), filters, as_json=as_json))


@app.command()
def show(session: str, ready_file: ReadyFile = None, as_json: AsJson = False) -> None:
    """Show where a session stands, its steps, its money, and what happened to it."""
    from ops.main import session_of, shown

    asked = session_of(session)
    asyncio.run(shown(_to(ready_file), asked, as_json=as_json))


@app.command()
def retry(
    reason: Why,
    sessions: Sessions = None,
    ready_file: ReadyFile = None,
    every: All = False,
    yes: Yes = False,
    rate: Rate = 5,
    status: Statuses = None,
    payment_status: Payments = None,
    step: FailingStep = None,
    attention_reason: ReasonAsked = None,
    older_than: OlderThan = None,
    limit: Most = None,
) -> None:
    """Run the failing step again now. Ends with 1 when any was refused or failed."""
    from ops.acting import Act

    filters = _filters(
        statuses=status,
        payments=payment_status,
        step=step,
        reason=attention_reason,
        older_than=older_than,
        limit=limit,
    )
    _act(ready_file, Act("retry", _said(reason)), sessions, filters, rate, every=every, yes=yes)


@app.command()
def acknowledge(
    reason: Why,
    sessions: Sessions = None,
    ready_file: ReadyFile = None,
    every: All = False,
    yes: Yes = False,
    rate: Rate = 5,
    status: Statuses = None,
    payment_status: Payments = None,
    step: FailingStep = None,
    attention_reason: ReasonAsked = None,
    older_than: OlderThan = None,
    limit: Most = None,
) -> None:
    """Say that somebody has seen to what only people can mend. Ends with 1 when any was refused or failed."""
    from ops.acting import Act

    filters = _filters(
        statuses=status,
        payments=payment_status,
        step=step,
        reason=attention_reason,
        older_than=older_than,
        limit=limit,
    )
    _act(ready_file, Act("acknowledge", _said(reason)), sessions, filters, rate, every=every, yes=yes)


@app.command()
def compensate(
    reason: Why,
    sessions: Sessions = None,
    then: Annotated[Literal["reopen", "close"], typer.Option(help="What becomes of the session.")] = "reopen",
    ready_file: ReadyFile = None,
    every: All = False,
    yes: Yes = False,
    rate: Rate = 5,
    status: Statuses = None,
    payment_status: Payments = None,
    step: FailingStep = None,
    attention_reason: ReasonAsked = None,
    older_than: OlderThan = None,
    limit: Most = None,
) -> None:
    """Undo everything done so far, and return the money. Ends with 1 when any was refused or failed."""
    from ops.acting import Act

    filters = _filters(
        statuses=status,
        payments=payment_status,
        step=step,
        reason=attention_reason,
        older_than=older_than,
        limit=limit,
    )
    _act(ready_file, Act("compensate", _said(reason), then), sessions, filters, rate, every=every, yes=yes)


@app.command()
def requests(
    ready_file: ReadyFile = None,
    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None, typer.Option(help="Of this method.")
    ] = None,
    status: Annotated[int | None, typer.Option(min=100, max=599, help="That were answered with this status.")] = None,
    idempotency: Annotated[str | None, typer.Option(help="With this Idempotency-Key, as the list shows it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="This many, at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the organisation's recent requests to the API, the newest first."""
    from ops.requests import listed

    given = {"method": method, "status": status, "idempotency_key": idempotency}
    asked = {name: str(value) for name, value in given.items() if value is not None}
    asyncio.run(listed(_to(ready_file), asked, limit, as_json=as_json))


def _act(
    ready_file: Path | None,
    act: Act,
    named: list[str] | None,
    filters: Filters,
    rate: float,
    *,
    every: bool,
    yes: bool,
) -> None:
    """Either the named sessions, or --all that the filters let through; never a mixture."""
    from ops.filters import Filters
    from ops.main import acted_on, acted_on_all, session_of
    from stack.errors import StackError

    if every == bool(named):
        raise StackError("Name sessions by their ids, or --all of them, and not both.")
    if named and (filters != Filters() or yes):
        raise StackError("Filters and --yes go with --all, not with ids.")
    if named:
        ids = [session_of(each) for each in named]
        raise typer.Exit(asyncio.run(acted_on(_to(ready_file), act, ids, rate)))
    raise typer.Exit(asyncio.run(acted_on_all(_to(ready_file), act, filters, rate, really=yes)))


def _filters(
    *,
    statuses: list[Status] | None,
    payments: list[Payment] | None,
    older_than: str | None,
    **more: Any,
) -> Filters:
    from ops.filters import Filters
    from ops.words import duration

    return Filters(
        statuses=tuple(statuses or ()),
        payments=tuple(payments or ()),
        older_than=duration(older_than) if older_than else None,
        **more,
    )


def _said(reason: str) -> str:
    """Raises StackError for what the API would not take as a reason."""
    from stack.errors import StackError

    if not reason.strip() or len(reason) > 500:
        raise StackError("--reason says why in 1 to 500 characters.")
    return reason.strip()


def _to(ready_file: Path | None) -> Connection:
    from ops.connection import connection
    from settings import settings

    return connection(settings(), ready_file)
