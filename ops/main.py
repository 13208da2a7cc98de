"""What each command of `checkout ops` does, from the connection to the exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.text import Text

from ops import listing, page
from ops.acting import WRONG, Act, Became, Outcome, perform
from ops.answers import Session, Timeline
from ops.connection import Connection
from ops.door import Door, read
from ops.filters import Filters, selected
from ops.words import plain
from stack.errors import StackError

COLOURS: Final[dict[Became, str]] = {"refused": "red", "failed": "red", "at work": "yellow", "left alone": "yellow"}


async def listed(to: Connection, filters: Filters, *, as_json: bool) -> None:
    """Print the sessions that meet *filters*."""
    now = datetime.now(UTC)
    async with Door(to) as door:
        selection = await selected(door, filters, now)
    console = _console()
    if as_json:
        _print(listing.as_json(selection.sessions))
        return
    if selection.sessions:
        console.print(listing.table(selection.sessions, now))
    console.print(Text(listing.ending(selection, all_sessions=filters.all_sessions)))


async def shown(to: Connection, session: UUID, *, as_json: bool) -> None:
    """Print one session and its timeline."""
    async with Door(to) as door:
        told, happened = await door.session_as_answered(session), await door.timeline_as_answered(session)
    if as_json:
        timeline = happened.json()
        members = {"session": told.json(), "timeline": timeline["data"], "temporal_ui": timeline["temporal_ui"]}
        _print(json.dumps(members, indent=2))
        return
    page.show(read(Session, told), read(Timeline, happened), _console(), datetime.now(UTC))


async def acted_on(to: Connection, act: Act, sessions: Sequence[UUID], rate: float) -> int:
    """Do *act* to the named sessions; all of them must be there before anything is sent."""
    async with Door(to) as door:
        seen = [await door.session(session) for session in dict.fromkeys(sessions)]
        return _ended(await perform(door, act, seen, rate, _told, careful=False))


async def acted_on_all(to: Connection, act: Act, filters: Filters, rate: float, *, really: bool) -> int:
    """Do *act* to every session that meets *filters* and allows it; or, not *really*, show which those are."""
    now = datetime.now(UTC)
    async with Door(to) as door:
        selection = await selected(door, filters, now, can=act.call)
        left = (
            f" {selection.cannot} more can't be: {act.call} is not among what can be done." if selection.cannot else ""
        )
        if not selection.sessions:
            _say(f"There is nothing to {act.call}.{left}")
            return 0
        if really:
            return _ended(await perform(door, act, selection.sessions, rate, _told, careful=True))
    _console().print(listing.table(selection.sessions, now))
    count = "this session" if len(selection.sessions) == 1 else f"these {len(selection.sessions)} sessions"
    then = f", then {act.then}" if act.then else ""
    _say(f"Nothing was sent. Run it again with --yes to {act.call} {count}{then}.{left}")
    return 0


def session_of(text: str) -> UUID:
    """Raises StackError for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        raise StackError(f"{plain(text)!r} is no session's id: an id looks like {UUID(int=0)}.") from None


def _told(outcome: Outcome) -> None:
    colour = COLOURS.get(outcome.became, "green")
    line = Text.assemble((f"{outcome.became:<11}", colour), " ", (str(outcome.session), "bold"), f"  {outcome.words}")
    _console().print(line, soft_wrap=True)


def _ended(outcomes: Sequence[Outcome]) -> int:
    """Say how many became what; 1 where any was refused or failed."""
    if len(outcomes) > 1:
        became = [outcome.became for outcome in outcomes]
        _say(f"{', '.join(f'{became.count(each)} {each}' for each in dict.fromkeys(became))}.")
    return 1 if any(outcome.became in WRONG for outcome in outcomes) else 0


def _say(sentence: str) -> None:
    _console().print(Text(sentence))


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - JSON is for programs: never wrapped, never coloured
