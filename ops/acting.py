"""Acting on sessions: each act once under a derived key, at a rate, going on after a refusal."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import httpx

from ops.answers import Session, Timeline
from ops.door import Door, problem_of, read
from ops.filters import allows
from ops.listing import stands_of
from stack.errors import StackError

AT_ONCE: Final = 20
"""Acts whose answers are waited for at the same time."""

Became = Literal["done", "done before", "at work", "left alone", "refused", "failed"]

WRONG: Final[frozenset[Became]] = frozenset({"refused", "failed"})
"""What makes the command end with 1."""


@dataclass(frozen=True)
class Act:
    """What an operator decided: `retry`, `acknowledge`, or `compensate` and *then* reopen or close."""

    call: Literal["retry", "acknowledge", "compensate"]
    reason: str
    then: Literal["reopen", "close"] | None = None

    @property
    def body(self) -> dict[str, str]:
        return {"reason": self.reason} | ({"then": self.then} if self.then else {})

    def key(self, session: Session, since: datetime | None) -> str:
        """The same for the same decision about the same attention (*since* when) of the same attempt: sent again, it
        finds its first answer. Another reason is another decision.
        """
        attempt = session.confirmation.attempt if session.confirmation else 0
        asked = since.astimezone(UTC).isoformat() if since else "-"
        said = hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()[:16]
        return f"ops/{self.call}/{session.id}/{attempt}/{asked}/{said}"


@dataclass(frozen=True)
class Outcome:
    """What became of an act, and what there is to say about it."""

    session: UUID
    became: Became
    words: str


async def perform(  # noqa: PLR0913 - what is done to whom, how fast, and who hears of it
    door: Door, act: Act, sessions: Sequence[Session], rate: float, told: Callable[[Outcome], None], *, careful: bool
) -> list[Outcome]:
    """Do *act* to each of *sessions*, at most *rate* a second, and tell each outcome when it is known.

    *careful* reads a session again first, and leaves it alone when its attention is another one or over by then.
    """
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(session: Session) -> Outcome:
        try:
            outcome = await _one(door, act, session, careful=careful)
        except StackError as error:
            outcome = Outcome(session.id, "failed", str(error))
        finally:
            turn.release()
        told(outcome)
        return outcome

    tasks: list[asyncio.Task[Outcome]] = []
    async with asyncio.TaskGroup() as group:
        for session in sessions:
            if tasks:
                await asyncio.sleep(1 / rate)
            await turn.acquire()
            tasks.append(group.create_task(one(session)))
    return [task.result() for task in tasks]


async def _one(door: Door, act: Act, seen: Session, *, careful: bool) -> Outcome:
    if careful:
        now = await door.session(seen.id)
        if now.since != seen.since or not allows(now, act.call):
            return Outcome(seen.id, "left alone", "what asked for attention is over, or another one by now")
    since = seen.attention.since if seen.attention else last_asked(await door.timeline(seen.id))
    try:
        answer = await door.act(seen.id, act.call, act.body, act.key(seen, since))
    except httpx.TransportError:
        again = "no answer: the same command again finds out, and never acts twice"
        return Outcome(seen.id, "failed", again)
    return _outcome(seen.id, answer)


def last_asked(timeline: Timeline) -> datetime | None:
    """Since when somebody was last asked to look, though it may be over; None where nobody ever was."""
    since: datetime | None = None
    over = True
    for moment in timeline.data:
        if moment.type == "checkout_session.attention_raised" and over:
            since, over = moment.at, False
        elif moment.type == "checkout_session.attention_cleared":
            over = True
    return since


def _outcome(session: UUID, answer: httpx.Response) -> Outcome:
    if answer.status_code == 200:
        stands = stands_of(read(Session, answer))
        if answer.headers.get("Idempotency-Replayed") == "true":
            return Outcome(session, "done before", f"then {stands}; another --reason would ask again")
        return Outcome(session, "done", stands)
    problem = problem_of(answer)
    if answer.status_code == 202 or problem.type.endswith("/request-in-progress"):
        return Outcome(session, "at work", "accepted; `checkout ops show` says how far it is")
    return Outcome(session, "refused" if answer.status_code < 500 else "failed", problem.words)
