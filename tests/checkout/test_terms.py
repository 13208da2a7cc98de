"""Payment terms: splits that lose nothing, and who pays what when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from checkout.fields import ContractProblem
from checkout.money import Money
from checkout.terms import PaymentTerms, check, schedule, split

TERMS: TypeAdapter[PaymentTerms] = TypeAdapter(PaymentTerms)
START = date(2027, 1, 1)
WEIGHTS = st.one_of(st.integers(0, 10**6), st.decimals(0, 100, places=6), st.fractions(0, 10**6))


def instalments(*parts: tuple[str, str], by: str = "percent") -> dict[str, Any]:
    return {"type": "instalments", "instalments": [{by: share, "date": day} for share, day in parts]}


def due(terms: dict[str, Any] | None, total: str = "100.00", currency: str = "USD") -> list[tuple[str, str]]:
    found = schedule(TERMS.validate_python(terms) if terms else None, START, Money.of(total, currency), ("terms",))
    assert [part.n for part in found] == list(range(1, len(found) + 1))
    return [(part.due_on.isoformat(), part.amount.amount) for part in found]


@given(st.integers(0, 10**14), st.lists(WEIGHTS, min_size=1, max_size=30).filter(any))
def test_a_split_loses_nothing_and_no_part_is_off_by_a_unit(
    total: int, weights: list[Fraction | Decimal | int]
) -> None:
    found = split(total, weights)
    whole = sum((Fraction(weight) for weight in weights), Fraction())
    assert sum(found) == total
    assert all(
        part >= 0 and abs(part - total * Fraction(weight) / whole) < 1
        for part, weight in zip(found, weights, strict=True)
    )


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (10, [50, 50], [5, 5]),
        (5, [50, 50], [3, 2]),
        (7, [1, 3], [2, 5]),
        (9, [0, 0], [0, 0]),
    ],
)
def test_units_left_over_go_to_the_largest_remainders(total: int, weights: list[int], parts: list[int]) -> None:
    assert split(total, weights) == parts


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (None, [("2027-01-01", "100.00")]),
        ({"type": "net_days", "days": 30}, [("2027-01-31", "100.00")]),
        ({"type": "net_days", "days": 0}, [("2027-01-01", "100.00")]),
        ({"type": "due_date", "date": "2027-02-28T00:00:00"}, [("2027-02-28", "100.00")]),
        (
            instalments(("33.333333", "2027-01-01"), ("33.333333", "2027-02-01"), ("33.333334", "2027-03-01")),
            [("2027-01-01", "33.33"), ("2027-02-01", "33.33"), ("2027-03-01", "33.34")],
        ),
        (
            instalments(("60.00", "2027-01-01"), ("40", "2027-02-01"), by="amount"),
            [("2027-01-01", "60.00"), ("2027-02-01", "40.00")],
        ),
    ],
)
def test_terms_say_who_pays_what_when(terms: dict[str, Any] | None, expected: list[tuple[str, str]]) -> None:
    assert due(terms) == expected


def test_nothing_is_due_where_nothing_is_owed() -> None:
    assert due(None, "0.00") == []
    assert due(instalments(("50", "2027-01-01"), ("50", "2027-02-01")), "0.01") == [("2027-01-01", "0.01")]


def test_yen_are_not_broken() -> None:
    halves = instalments(("50", "2027-01-01"), ("50", "2027-02-01"))
    assert due(halves, "1001", "JPY") == [("2027-01-01", "501"), ("2027-02-01", "500")]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12), st.integers(1, 10**14 - 1))
def test_instalments_add_up_to_the_invoice(weights: list[int], minor: int) -> None:
    percents = split(100_000_000, weights)
    parts = [(f"{Decimal(p).scaleb(-6):f}", f"2027-01-{n:02}") for n, p in enumerate(percents, start=1)]
    found = schedule(TERMS.validate_python(instalments(*parts)), START, Money(minor=minor, currency="USD"), ())
    assert sum(part.amount.minor for part in found) == minor
    assert all(part.amount.minor > 0 for part in found)


REFUSED = [
    ({"type": "someday"}, "type"),
    ({"type": "net_days", "days": -1}, "days"),
    ({"type": "net_days", "days": 1827}, "days"),
    ({"type": "net_days", "days": True}, "days"),
    ({"type": "due_date", "date": "2027-02-30"}, "date"),
    ({"type": "due_date", "date": "2027-01-01T12:00:00"}, "date"),
    ({"type": "due_date", "date": "0001-01-01"}, "date"),
    ({"type": "due_date", "date": "9999-01-01"}, "date"),
    ({"type": "due_date", "date": 0}, "date"),
    (instalments(), "instalments"),
    (instalments(("50", "2027-01-01"), ("49.99", "2027-02-01")), "instalments"),
    (instalments(("50", "2027-02-01"), ("50", "2027-01-01")), "instalments"),
    (instalments(("50", "2027-01-01"), ("50", "2027-01-01")), "instalments"),
    (instalments(("101", "2027-01-01")), "percent"),
    (instalments(("-1", "2027-01-01")), "percent"),
    ({"type": "instalments", "instalments": [{"date": "2027-01-01"}]}, "instalments"),
    ({"type": "instalments", "instalments": [{"percent": 50, "amount": 1, "date": "2027-01-01"}]}, "instalments"),
    (
        {
            "type": "instalments",
            "instalments": [{"percent": 100, "date": "2027-01-01"}, {"amount": 1, "date": "2027-01-02"}],
        },
        "instalments",
    ),
]


@pytest.mark.parametrize(("terms", "field"), REFUSED)
def test_terms_that_make_no_sense_are_refused_by_their_field(terms: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        TERMS.validate_python(terms)
    error = refusal.value.errors()[0]
    assert field in (*error["loc"], error.get("ctx", {}).get("discriminator", "").strip("'"))


def test_amounts_that_do_not_add_up_to_the_invoice_are_refused() -> None:
    with pytest.raises(ContractProblem, match=r"terms\.instalments must add up to the amount due, 100\.00 USD"):
        due(instalments(("60.00", "2027-01-01"), ("39.99", "2027-02-01"), by="amount"))


@pytest.mark.parametrize(
    ("terms", "currency", "loc"),
    [
        ({"type": "due_date", "date": "2026-12-31"}, "USD", ("date",)),
        ({"type": "due_date", "date": "2032-01-02"}, "USD", ("date",)),
        (instalments(("100", "2026-12-31")), "USD", ("instalments", 0, "date")),
        (instalments(("50", "2032-01-01"), ("50", "2032-01-02")), "USD", ("instalments", 1, "date")),
        (instalments(("0.005", "2027-01-01"), by="amount"), "USD", ("instalments", 0, "amount")),
        (instalments(("0.5", "2027-01-01"), by="amount"), "JPY", ("instalments", 0, "amount")),
    ],
)
def test_terms_before_the_start_or_five_years_after_it_or_in_parts_of_a_unit_are_refused(
    terms: dict[str, Any], currency: str, loc: tuple[str | int, ...]
) -> None:
    with pytest.raises(ContractProblem) as refusal:
        check(TERMS.validate_python(terms), START, currency, ())
    assert refusal.value.loc == loc


@pytest.mark.parametrize(
    "terms",
    [
        {"type": "due_date", "date": "2027-01-01"},
        {"type": "due_date", "date": "2032-01-01"},
        {"type": "net_days", "days": 1826},
        instalments(("50", "2027-01-01"), ("50", "2032-01-01")),
    ],
)
def test_terms_within_five_years_of_the_start_are_taken(terms: dict[str, Any]) -> None:
    check(TERMS.validate_python(terms), START, "USD", ())


def test_five_years_from_a_leap_day_end_on_the_last_of_february() -> None:
    check(TERMS.validate_python({"type": "due_date", "date": "2033-02-28"}), date(2028, 2, 29), "USD", ())
    with pytest.raises(ContractProblem, match="more than 5 years after the contract starts"):
        check(TERMS.validate_python({"type": "due_date", "date": "2033-03-01"}), date(2028, 2, 29), "USD", ())


@pytest.mark.parametrize("day", ["1970-01-01", "2199-12-31"])
def test_a_plan_has_no_start_that_its_terms_could_be_measured_from(day: str) -> None:
    check(TERMS.validate_python({"type": "due_date", "date": day}), None, "USD", ())
