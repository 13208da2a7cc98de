"""Words for people at a terminal: text from outside made harmless, times, and how long ago they were."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final

from stack.errors import StackError

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")


def plain(text: str) -> str:
    """*text* in one line, without what a terminal would obey: no control characters, nothing that turns direction."""
    return "".join(letter for letter in " ".join(text.split()) if not unicodedata.category(letter).startswith("C"))


def duration(text: str) -> timedelta:
    """`90s`, `10m`, `2h` or `1d`. Raises StackError for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise StackError(f"{plain(text)!r} is no length of time: write 90s, 10m, 2h or 1d.")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def age(since: datetime, now: datetime) -> str:
    """How long ago *since* was: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    seconds = max(0, int((now - since).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def moment(at: datetime) -> str:
    """A time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
