"""Which fault strikes which call: arming them, and drawing the one whose turn it is (api.md, Its faults)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox import store
from sandbox.records import Armed

Call = Literal[
    "open_page", "close_page", "charge", "look_up", "refund", "attach", "methods", "captures", "page", "webhook", "*"
]

REPLIES: Final = (
    "500_before", "500_after", "lost_reply", "hang", "slow", "reset", "truncated", "flood", "redirect", "429",
    "409_in_progress",
)  # fmt: skip
CAPTURES: Final = ("double_capture", "wrong_amount", "short_amount")
EVENTS: Final = ("drop", "duplicate", "reorder", "delay", "forge", "before_reply")

FITS: Final[dict[str, tuple[str, ...]]] = {
    "open_page": REPLIES,
    "close_page": REPLIES,
    "charge": (*REPLIES, "decline", *CAPTURES, "forget_keys"),
    "look_up": (*REPLIES, "look_up_lag"),
    "refund": (*REPLIES, "refund_fails"),
    "attach": REPLIES,
    "methods": REPLIES,
    "captures": REPLIES,
    "page": ("decline", *CAPTURES),
    "webhook": EVENTS,
}
"""What can go wrong with each call. A `page` is a customer paying at the hosted page."""

INSIDE: Final = (*CAPTURES, "forget_keys", "decline")
"""These change the effect itself, and all but `decline` break what the gateway promises: they strike where it happens,
and only when asked for by name, never as "any fault".
"""


class Match(BaseModel):
    """What a call must be about; each member may hold shell wildcards: `{session}/*`. *type* is an event's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str | None = None
    reference: str | None = None
    account: str | None = None
    type: str | None = None


class Arm(BaseModel):
    """A fault to arm. Without *fault*, any that fits the call, drawn by *seed*. *times* is 1 unless a *probability*
    is given; then it is without end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    call: Call = "*"
    fault: str | None = None
    times: int | None = Field(None, ge=1)
    match: Match = Match()
    probability: float | None = Field(None, ge=0, le=1)
    seed: int = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        calls = FITS if self.call == "*" else (self.call,)
        if self.fault is not None and not any(self.fault in FITS[call] for call in calls):
            raise ValueError("no such fault of that call")
        return self

    def armed(self) -> Armed:
        return Armed(
            call=self.call,
            fault=self.fault,
            times=1 if self.times is None and self.probability is None else self.times,
            match=self.match.model_dump_json(exclude_none=True),
            probability=1 if self.probability is None else self.probability,
            seed=self.seed,
        )


def of_replies(call: str) -> tuple[str, ...]:
    """What may strike a call before its effect, in the order of the table: so that a seed draws the same everywhere."""
    return tuple(fault for fault in FITS[call] if fault not in INSIDE)


def drawn(
    connection: store.Connection, call: str, facts: Mapping[str, str | None], fitting: tuple[str, ...]
) -> str | None:
    """The armed fault that strikes this *call* here, among those *fitting*, if one does, and use it up."""
    for armed in store.armed_faults(connection):
        if armed.call not in {call, "*"} or armed.times == 0 or not _matches(armed, facts):
            continue
        if armed.fault is not None and armed.fault not in fitting:
            continue
        fault = _draw(armed, fitting)
        left = armed.times - 1 if armed.times is not None and fault else armed.times
        store.save_fault(connection, armed.model_copy(update={"times": left, "seen": armed.seen + 1}))
        if fault:
            return fault
    return None


def _matches(armed: Armed, facts: Mapping[str, str | None]) -> bool:
    wanted: dict[str, str] = json.loads(armed.match)
    return all(fnmatchcase(facts.get(name) or "", pattern) for name, pattern in wanted.items())


def _draw(armed: Armed, fitting: tuple[str, ...]) -> str | None:
    dice = random.Random(f"{armed.seed}/{armed.seen}")  # noqa: S311 - to be repeatable is its point
    if dice.random() >= armed.probability:
        return None
    return armed.fault or _any(dice, [fault for fault in fitting if fault not in INSIDE])


def _any(dice: random.Random, faults: list[str]) -> str | None:
    return dice.choice(faults) if faults else None
