"""The billing calendar: month ends and leap days over ten years, and parts that make up the whole."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from dateutil.rrule import MONTHLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from checkout.billing import DAY, Span, after, parts, span

TEN_YEARS = 120
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
CADENCES = st.sampled_from(["P1D", "P30D", "P1W", "P2W", "P1M", "P3M", "P6M", "P1Y", "P1Y6M", "P10Y"])


def by_hand(anchor: date, months: int) -> date:
    """*months* after *anchor*: the same day of the month, or its last one."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, calendar.monthrange(year, month + 1)[1]))


@pytest.mark.parametrize("anchor", [date(2027, 1, day) for day in (1, 15, 28, 29, 30, 31)] + [date(2028, 2, 29)])
@pytest.mark.parametrize("months", [1, 3, 12])
def test_ten_years_of_periods_begin_on_the_anchor_day_or_the_last_of_a_shorter_month(anchor: date, months: int) -> None:
    found = parts(anchor, Span(months, 0), anchor, None, TEN_YEARS // months)
    assert [part.start for part in found] == [by_hand(anchor, n * months) for n in range(TEN_YEARS // months)]
    assert [part.end for part in found] == [
        by_hand(anchor, n * months) - DAY for n in range(1, TEN_YEARS // months + 1)
    ]
    assert all(part.whole for part in found)


@pytest.mark.parametrize("anchor", [date(2027, 1, day) for day in range(1, 32)])
def test_ten_years_of_months_are_those_of_dateutil(anchor: date) -> None:
    last_of_those = list(range(min(anchor.day, 28), anchor.day + 1))
    expected = rrule(MONTHLY, dtstart=anchor, count=TEN_YEARS, bymonthday=last_of_those, bysetpos=-1)
    found = parts(anchor, Span(1, 0), anchor, None, TEN_YEARS)
    assert [part.start for part in found] == [day.date() for day in expected]


def test_a_contract_from_31_january_bills_the_end_of_february_and_31_march() -> None:
    found = parts(date(2028, 1, 31), span("P1M"), date(2028, 1, 31), date(2028, 5, 30), 25)
    assert [part.start for part in found] == [
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
        date(2028, 4, 30),
    ]


def test_a_leap_day_is_kept_by_those_years_that_have_it() -> None:
    found = parts(date(2028, 2, 29), span("P1Y"), date(2028, 2, 29), None, 5)
    assert [part.start.day for part in found] == [29, 28, 28, 28, 29]


def test_the_ends_of_a_phase_cut_its_first_and_last_period() -> None:
    found = parts(date(2027, 1, 1), span("P1M"), date(2027, 1, 15), date(2027, 3, 10), 25)
    assert [(part.start.day, part.end.day, part.days, part.full) for part in found] == [
        (15, 31, 17, 31),
        (1, 28, 28, 28),
        (1, 10, 10, 31),
    ]


@given(DAYS, CADENCES, st.integers(0, 20_000), st.integers(0, 400))
def test_periods_cover_a_phase_without_gap_or_overlap(anchor: date, cadence: str, later: int, length: int) -> None:
    first = anchor + timedelta(days=later)
    last = first + timedelta(days=length)
    found = parts(anchor, span(cadence), first, last, 1000)
    assert (found[0].start, found[-1].end) == (first, last)
    assert all(one.end + DAY == other.start for one, other in pairwise(found))
    assert all(1 <= part.days == (part.end - part.start).days + 1 <= part.full for part in found)
    assert all(part.whole for part in found[1:-1])


@given(DAYS, CADENCES, st.integers(0, 2000), st.integers(1, 400), st.data())
def test_adjoining_phases_cost_what_one_phase_would(
    anchor: date, cadence: str, later: int, length: int, data: st.DataObject
) -> None:
    first = anchor + timedelta(days=later)
    last = first + timedelta(days=length)
    cut = first + timedelta(days=data.draw(st.integers(0, length - 1)))

    def cost(start: date, end: date) -> Fraction:
        found = parts(anchor, span(cadence), start, end, 1000)
        return sum((Fraction(part.days, part.full) for part in found), Fraction())

    assert cost(first, cut) + cost(cut + DAY, last) == cost(first, last)


@given(DAYS, st.integers(1, 36), st.integers(0, 500))
def test_months_add_up_in_one_step(anchor: date, months: int, times: int) -> None:
    assert after(anchor, Span(months, 0), times) == by_hand(anchor, months * times)


@pytest.mark.parametrize(
    ("text", "found"), [("P30D", (0, 30)), ("P2W", (0, 14)), ("P3M", (3, 0)), ("P1Y", (12, 0)), ("P1Y6M", (18, 0))]
)
def test_a_duration_is_days_weeks_months_or_years(text: str, found: tuple[int, int]) -> None:
    assert span(text) == found


@pytest.mark.parametrize(
    "text", ["", "P", "P0D", "P0M", "1M", "P1", "PT1H", "P1M1D", "P-1M", "P1.5M", "p1m", "P101Y", "P99999D", "P1M\n"]
)
def test_any_other_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        span(text)
