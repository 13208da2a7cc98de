"""Money: minor units of its currency, exact, bounded, never mixed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.money import EXPONENTS, LARGEST_MINOR, Money

MINOR = st.integers(1 - LARGEST_MINOR, LARGEST_MINOR - 1)
CURRENCIES = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "shown"),
    [
        ("29.99", "USD", 2999, "29.99"),
        ("29.9", "USD", 2990, "29.90"),
        (30, "USD", 3000, "30.00"),
        ("1500", "JPY", 1500, "1500"),
        ("1.005", "KWD", 1005, "1.005"),
        ("1.0005", "CLF", 10005, "1.0005"),
        (Decimal("1E+2"), "USD", 10000, "100.00"),
        ("-0.01", "USD", -1, "-0.01"),
    ],
)
def test_an_amount_is_minor_units_of_its_currency(amount: Any, currency: str, minor: int, shown: str) -> None:
    money = Money.of(amount, currency)
    assert (money.minor, money.amount) == (minor, shown)


@given(MINOR, CURRENCIES)
def test_what_is_shown_reads_back_the_same(minor: int, currency: str) -> None:
    money = Money(minor=minor, currency=currency)
    assert Money.of(money.amount, currency) == money


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("29.999", "USD"),
        ("0.5", "JPY"),
        ("0.0001", "KWD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1E+400000", "USD"),
        ("1E-400000", "USD"),
        ("1000000000000.00", "USD"),
        ("x", "USD"),
        ("1", "usd"),
        ("1", "XXX"),
        ("1", "XAU"),
    ],
)
def test_an_amount_that_its_currency_cannot_hold_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"must|has more"):
        Money.of(amount, currency)


@pytest.mark.parametrize(
    ("amount", "minor"), [("0.004", 0), ("0.005", 1), ("0.0149999999999", 1), ("0.015", 2), ("-0.005", -1)]
)
def test_rounding_is_half_up(amount: str, minor: int) -> None:
    assert Money.rounded(Decimal(amount), "USD").minor == minor


def test_rounding_sees_every_digit() -> None:
    just_below = Fraction(1, 200) - Fraction(1, 10**90)
    assert Money.rounded(just_below, "USD").minor == 0


@given(MINOR, MINOR, CURRENCIES)
def test_what_is_added_can_be_taken_away(one: int, other: int, currency: str) -> None:
    first, second = Money(minor=one, currency=currency), Money(minor=other, currency=currency)
    assert first + second - second == first


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money.of("1", "USD") + Money.of("1", "EUR")
