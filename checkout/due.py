"""When an organisation's days begin, and by which rules it collects what falls due on them."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Files that lie among the zones, and stand for a machine's own setting or for none."""

MOST_TRIES: Final = 10
MOST_DAYS: Final = 60


def start_of(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which *day* begins in the IANA time zone *zone*: the first one whose local date it is.

    Where daylight saving skips midnight, the day begins where the clocks go on; where midnight comes twice, the first
    one counts. A day that a zone skipped as a whole begins with the next one: 30 December 2011 in Pacific/Apia.
    """
    local = ZoneInfo(zone)
    midnight = datetime.combine(day, time.min, tzinfo=local)
    first, second = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    if first <= second:
        return first
    seconds = range(int((first - second).total_seconds()))
    return second + timedelta(
        seconds=bisect_left(seconds, day, key=lambda n: (second + timedelta(seconds=n)).astimezone(local).date())
    )


def known_zone(name: str) -> str:
    """*name*, which is that of an IANA time zone as tzdata spells it. Raises ValueError; reads no file it names."""
    if name not in zones():
        raise ValueError("must be an IANA time zone, like Europe/Berlin")
    return name


@cache
def zones() -> frozenset[str]:
    """The name of every IANA time zone, older spellings included."""
    return frozenset(available_timezones() - NO_ZONES)


def _in_order(days: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("must be in ascending order, each day once")
    return days


class DueRules(BaseModel):
    """How an organisation collects: its days are those of *time_zone*; what was declined is charged again that many
    days after the first no, at most 10 times within 60 days; a due charge is announced *notice_days* before, 0 for never.
    """

    model_config = ConfigDict(frozen=True)

    time_zone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    dunning_days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=MOST_DAYS)], ...], Field(max_length=MOST_TRIES), AfterValidator(_in_order)
    ] = (1, 3, 5, 7)
    notice_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] = 3
