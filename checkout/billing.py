"""The billing calendar: periods counted from an anchor day, whole or cut at the ends of a phase."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Final, Literal, NamedTuple

from dateutil.relativedelta import relativedelta
from pydantic import AfterValidator, Field

from checkout.fields import Strict

DAY: Final = timedelta(days=1)
LONGEST_CADENCE_MONTHS: Final = 120
LONGEST_MONTHS: Final = 1200

_DURATION: Final = re.compile(r"P(?:(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?|([0-9]{1,4})W|([0-9]{1,5})D)")


class Span(NamedTuple):
    """A length of time: *months* or *days*, the other being zero."""

    months: int
    days: int


@cache
def span(duration: str) -> Span:
    """Read an ISO 8601 duration of years and months, of weeks, or of days, up to 100 years; raise ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError("must be an ISO 8601 duration of days, weeks, months or years: P30D, P1W, P1M, P1Y")
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    found = Span(years * 12 + months, weeks * 7 + days)
    if not 0 < found.months * 31 + found.days <= LONGEST_MONTHS * 31:
        raise ValueError("must be longer than nothing and not longer than 100 years")
    return found


def _duration(text: str) -> str:
    span(text)
    return text


def _cadence(text: str) -> str:
    found = span(text)
    if found.months > LONGEST_CADENCE_MONTHS or found.days > 31 * LONGEST_CADENCE_MONTHS:
        raise ValueError("must not be longer than 10 years")
    return text


Duration = Annotated[str, Field(max_length=12, examples=["P1Y"]), AfterValidator(_duration)]
Cadence = Annotated[str, Field(max_length=12, examples=["P1M"]), AfterValidator(_cadence)]


class BillingPeriod(Strict):
    """How often a recurring price is due, and whether before its period (on its first day) or after (on its last)."""

    cadence: Cadence
    offset: Literal["prepaid", "postpaid"] = "prepaid"


class Part(NamedTuple):
    """What of a billing period lies within a phase: *start* to *end*, both included, *days* of the *full* ones."""

    start: date
    end: date
    days: int
    full: int

    @property
    def whole(self) -> bool:
        return self.days == self.full


def after(day: date, length: Span, times: int = 1) -> date:
    """*day* plus *times* the *length*, counted in one step, so that 31 January is followed by 28 February, 31 March."""
    return day + relativedelta(months=length.months * times, days=length.days * times)


def parts(anchor: date, cadence: Span, first: date, last: date | None, most: int) -> list[Part]:
    """The billing periods from *first* to *last* (included; None is without end), at most *most* of them.

    Periods count from *anchor*, which is not after *first*; the ones that *first* or *last* cut are partial.
    """
    n = _index(anchor, cadence, first)
    found: list[Part] = []
    start, following = after(anchor, cadence, n), after(anchor, cadence, n + 1)
    while len(found) < most and (last is None or start <= last):
        begin = max(start, first)
        end = following - DAY if last is None else min(following - DAY, last)
        found.append(Part(begin, end, (end - begin).days + 1, (following - start).days))
        n += 1
        start, following = following, after(anchor, cadence, n + 1)
    return found


def _index(anchor: date, cadence: Span, day: date) -> int:
    """Which period holds *day*, counted from zero."""
    if cadence.days:
        return (day - anchor).days // cadence.days
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    n = months // cadence.months
    return n if after(anchor, cadence, n) <= day else n - 1
