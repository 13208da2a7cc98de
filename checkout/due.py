"""When a day begins: due dates are days of the organisation, timers need instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def start_of(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which *day* begins in the IANA time zone *zone*.

    Where daylight saving skips midnight the day begins as many minutes later; where it repeats midnight, the first
    one counts.
    """
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
