"""Days and instants: when a day begins, in every zone and on its awkward days; and an organisation's rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from checkout.due import DueRules, known_zone, start_of

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
BEGINS = [
    # a plain day; half and three quarter hours; both ends of the world; the day that most years lack
    ("Europe/Berlin", "2027-01-01", "2026-12-31T23:00:00"),
    ("Asia/Kathmandu", "2027-01-01", "2026-12-31T18:15:00"),
    ("Australia/Lord_Howe", "2027-01-01", "2026-12-31T13:00:00"),
    ("Australia/Lord_Howe", "2027-07-01", "2027-06-30T13:30:00"),
    ("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00"),
    ("Pacific/Pago_Pago", "2027-01-01", "2027-01-01T11:00:00"),
    ("America/New_York", "2028-02-29", "2028-02-29T05:00:00"),
    # midnight does not exist: the clocks go from 00:00 to 01:00, or from 23:30 to 00:30
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00"),
    ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00"),
    ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00"),
    ("America/Havana", "2024-03-10", "2024-03-10T05:00:00"),
    ("America/Asuncion", "2024-10-06", "2024-10-06T04:00:00"),
    ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00"),
    # midnight comes twice: back from 01:00 to 00:00, or from 00:01 to 23:01
    ("America/Havana", "2024-11-03", "2024-11-03T04:00:00"),
    ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00"),
    # the hour before midnight comes twice
    ("Africa/Cairo", "2024-11-01", "2024-10-31T22:00:00"),
    # the whole day does not exist
    ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00"),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00"),
    ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00"),
]


@pytest.mark.parametrize(("zone", "day", "instant"), BEGINS)
def test_a_day_begins_at_its_first_instant(zone: str, day: str, instant: str) -> None:
    assert start_of(date.fromisoformat(day), zone) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


def awkward() -> Iterator[tuple[str, date]]:
    """Each zone, and the days of 2024 to 2030 around each change of its clocks."""
    few = timedelta(days=4)
    for zone in sorted(available_timezones()):
        local = ZoneInfo(zone)
        at, until = datetime(2024, 1, 1, tzinfo=local), datetime(2031, 1, 1, tzinfo=local)
        while at < until:
            if at.utcoffset() != (at + few).utcoffset():
                yield from ((zone, at.date() + n * DAY) for n in range(few.days + 2))
            at += few


def test_in_every_zone_awkward_days_begin_at_their_first_instant() -> None:
    without_midnight = set()
    for zone, day in awkward():
        begins, local = start_of(day, zone), ZoneInfo(zone)
        assert begins.astimezone(local).date() == day, (zone, day)
        assert (begins - SECOND).astimezone(local).date() < day, (zone, day)
        if begins.astimezone(local).hour:
            without_midnight.add(zone)
    assert without_midnight >= {"Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut"}


@given(st.sampled_from(sorted(available_timezones())), st.dates(date(1970, 1, 1), date(2199, 12, 30)))
def test_days_begin_in_their_order(zone: str, day: date) -> None:
    begins, following = start_of(day, zone), start_of(day + DAY, zone)

    assert begins <= following
    assert begins.astimezone(ZoneInfo(zone)).date() >= day
    assert (begins - SECOND).astimezone(ZoneInfo(zone)).date() < day


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "US/Eastern", "Etc/GMT+12"])
def test_a_zone_is_known_by_its_iana_name(zone: str) -> None:
    assert known_zone(zone) == zone


NO_ZONES = [
    *("", " ", ".", "/", "Europe", "Europe/", "Europe/Atlantis", "Mars/Olympus_Mons"),
    *("utc", "europe/berlin", "EUROPE/BERLIN", " Europe/Berlin", "Europe/Berlin ", "Europe/Berlin\n", "Europe\\Berlin"),
    *("../../etc/localtime", "/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin", "Europe/../Europe/Berlin"),
    *("./Europe/Berlin", "posix/Europe/Berlin", "right/Europe/Berlin", "localtime", "posixrules", "Factory"),
    *("zone.tab", "tzdata.zi", "leapseconds", "+01:00", "UTC+1", "CET-1CEST", "Europe/Berlin\0"),
]


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_names_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be an IANA time zone"):
        known_zone(name)


def test_an_organisation_collects_by_the_usual_rules_unless_it_says_otherwise() -> None:
    assert DueRules().model_dump() == {"time_zone": "UTC", "dunning_days": (1, 3, 5, 7), "notice_days": 3}


@pytest.mark.parametrize(
    "rules", [{"dunning_days": ()}, {"dunning_days": (60,)}, {"dunning_days": tuple(range(1, 11))}, {"notice_days": 0}]
)
def test_rules_within_bounds_are_taken(rules: dict[str, Any]) -> None:
    assert DueRules(**rules).model_dump(include=set(rules)) == rules


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({"time_zone": "../../etc/localtime"}, ("time_zone",)),
        ({"dunning_days": (0, 1)}, ("dunning_days", 0)),
        ({"dunning_days": (1, 61)}, ("dunning_days", 1)),
        ({"dunning_days": (1, 1)}, ("dunning_days",)),
        ({"dunning_days": (3, 1)}, ("dunning_days",)),
        ({"dunning_days": tuple(range(1, 12))}, ("dunning_days",)),
        ({"dunning_days": ("soon",)}, ("dunning_days", 0)),
        ({"notice_days": -1}, ("notice_days",)),
        ({"notice_days": 61}, ("notice_days",)),
    ],
)
def test_rules_out_of_bounds_are_refused_by_their_place(rules: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        DueRules(**rules)
    assert [error["loc"] for error in refusal.value.errors()] == [place]
