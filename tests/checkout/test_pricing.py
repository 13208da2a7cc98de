"""What a quantity costs under each pricing type, worked out by hand and as laws."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from checkout.pricing import PricingData, price_of
from tests.checkout.bodies import TIERS, pricing_data

DATA: TypeAdapter[PricingData] = TypeAdapter(PricingData)

WITH_FEES = [
    {"up_to": "10", "unit_amount": "5.00", "flat_fee": "100.00"},
    {"up_to": "20", "unit_amount": "4.00", "flat_fee": "50.00"},
    {"up_to": None, "unit_amount": "3.00", "flat_fee": "25.00"},
]
STEPS = [
    {"up_to": "10", "flat_fee": "99.00"},
    {"up_to": "50", "flat_fee": "299.00"},
    {"up_to": None, "flat_fee": "999.00"},
]
MANY = [{"up_to": up_to, "unit_amount": "1"} for up_to in (*map(str, range(1, 20)), None)]
PACKAGE = {"package_size": "100", "unit_amount": "8.00"}

WORKED = [
    ("flat_fee", {"unit_amount": "500.00"}, "0", "500"),
    ("flat_fee", {"unit_amount": "500.00"}, "17", "500"),
    ("per_unit", {"unit_amount": "12.00"}, "25", "300"),
    ("per_unit", {"unit_amount": "12.00"}, "2.5", "30"),
    ("per_unit", {"unit_amount": "0.0004"}, "1234567", "493.8268"),
    ("per_unit", {"unit_amount": "0.000000000001"}, "999999999999", "0.999999999999"),
    ("per_unit", {"unit_amount": "12.00"}, "0", "0"),
    ("package", PACKAGE, "0", "0"),
    ("package", PACKAGE, "1", "8"),
    ("package", PACKAGE, "100", "8"),
    ("package", PACKAGE, "101", "16"),
    ("package", PACKAGE, "250", "24"),
    ("package", PACKAGE, "301", "32"),
    ("package", PACKAGE, "100.000001", "16"),
    ("volume", {"tiers": TIERS}, "1500", "2250"),
    ("volume", {"tiers": TIERS}, "500", "1000"),
    ("volume", {"tiers": TIERS}, "501", "751.5"),
    ("volume", {"tiers": TIERS}, "2001", "2001"),
    ("volume", {"tiers": WITH_FEES}, "15", "110"),
    ("volume", {"tiers": WITH_FEES}, "0", "0"),
    ("tiered", {"tiers": TIERS}, "1500", "2500"),
    ("tiered", {"tiers": TIERS}, "500", "1000"),
    ("tiered", {"tiers": TIERS}, "501", "1001.5"),
    ("tiered", {"tiers": TIERS}, "2001", "3251"),
    ("tiered", {"tiers": WITH_FEES}, "10", "150"),
    ("tiered", {"tiers": WITH_FEES}, "15", "220"),
    ("tiered", {"tiers": WITH_FEES}, "21", "268"),
    ("tiered", {"tiers": WITH_FEES}, "0", "0"),
    ("step", {"tiers": STEPS}, "1", "99"),
    ("step", {"tiers": STEPS}, "10", "99"),
    ("step", {"tiers": STEPS}, "11", "299"),
    ("step", {"tiers": STEPS}, "5000", "999"),
    ("step", {"tiers": [{"up_to": "10", "unit_amount": "99.00", "flat_fee": "0"}, STEPS[2]]}, "7", "99"),
    ("step", {"tiers": STEPS}, "0", "0"),
]


@pytest.mark.parametrize(("kind", "members", "quantity", "amount"), WORKED)
def test_a_quantity_costs_what_is_worked_out_by_hand(
    kind: str, members: dict[str, Any], quantity: str, amount: str
) -> None:
    data = DATA.validate_python(pricing_data(kind, **members))
    assert price_of(data, Decimal(quantity)).amount == Decimal(amount)


SENTENCES = [
    ("flat_fee", {"unit_amount": "500"}, "9", ("1", "500.00", "Flat fee")),
    ("per_unit", {"unit_amount": "0.0004"}, "1000", ("1000", "0.0004", "1000 at 0.0004")),
    ("package", PACKAGE, "101", ("101", "8.00", "2 packages of 100 at 8.00")),
    ("tiered", {"tiers": TIERS}, "1500", ("1500", None, "500 at 2.00 + 1000 at 1.50")),
    ("volume", {"tiers": WITH_FEES}, "15", ("15", "4.00", "15 at 4.00 and 50.00")),
    ("tiered", {"tiers": MANY}, "9.5", ("9.5", None, "9.5 over 10 tiers")),
    ("step", {"tiers": STEPS}, "11", ("11", "299.00", "11, step up to 50: 299.00")),
]


@pytest.mark.parametrize(("kind", "members", "quantity", "said"), SENTENCES)
def test_a_price_says_how_it_came_about(
    kind: str, members: dict[str, Any], quantity: str, said: tuple[str, str | None, str]
) -> None:
    price = price_of(DATA.validate_python(pricing_data(kind, **members)), Decimal(quantity))
    assert (price.quantity, price.unit_price, price.how) == said


AMOUNTS = st.decimals(0, 10**6, places=12)
QUANTITIES = st.decimals(0, 10**9, places=6)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, str | None]]:
    ends: list[str | None] = [f"{end}" for end in sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))]
    return [
        {"up_to": end, "unit_amount": f"{draw(AMOUNTS):f}", "flat_fee": f"{draw(AMOUNTS):f}"} for end in [*ends, None]
    ]


@st.composite
def monotone_pricings(draw: st.DrawFn) -> dict[str, Any]:
    """A pricing under which more never costs less; volume prices may, and steps that fall."""
    kind = draw(st.sampled_from(["flat_fee", "per_unit", "package", "tiered"]))
    if kind == "tiered":
        return pricing_data(kind, tiers=draw(tiers()))
    size: dict[str, Any] = {"package_size": draw(st.integers(1, 10**6))} if kind == "package" else {}
    return pricing_data(kind, unit_amount=draw(AMOUNTS), **size)


@given(monotone_pricings(), QUANTITIES, QUANTITIES)
def test_more_never_costs_less(data: dict[str, Any], one: Decimal, other: Decimal) -> None:
    pricing = DATA.validate_python(data)
    assert price_of(pricing, min(one, other)).amount <= price_of(pricing, max(one, other)).amount


@given(tiers(), QUANTITIES)
def test_tiers_cost_the_sum_of_their_slices(asked: list[dict[str, Any]], quantity: Decimal) -> None:
    expected, start = Fraction(), Fraction()
    for tier in asked:
        end = min(Fraction(tier["up_to"]), Fraction(quantity)) if tier["up_to"] else Fraction(quantity)
        if end > start:
            expected += (end - start) * Fraction(tier["unit_amount"]) + Fraction(tier["flat_fee"])
        start = max(start, end)
    price = price_of(DATA.validate_python(pricing_data("tiered", tiers=asked)), quantity)
    assert Fraction(price.amount) == expected


@given(st.sampled_from(["tiered", "volume"]), AMOUNTS, QUANTITIES)
def test_one_open_tier_is_a_price_per_unit(kind: str, unit: Decimal, quantity: Decimal) -> None:
    data = DATA.validate_python(pricing_data(kind, tiers=[{"up_to": None, "unit_amount": unit}]))
    assert Fraction(price_of(data, quantity).amount) == Fraction(unit) * Fraction(quantity)


OPEN = {"up_to": None, "unit_amount": "1"}
NO_AMOUNTS: list[Any] = [
    *(True, None, 1.5, [], {}),
    *("-1", -1, "-0", Decimal("-0"), "NaN", Decimal("NaN"), Decimal("Infinity"), Decimal("1E+400"), 10**400),
    *("", " 1", "1_000", "\uff11", "1.", ".5", "+1", "1e3", "0.0000000000001", "9" * 16, "9" * 5000),
]
BAD_TIERS: list[list[dict[str, Any]]] = [
    [],
    [{"up_to": "5", "unit_amount": "1"}],
    [OPEN, OPEN],
    [{"up_to": "5", "unit_amount": "1"}, {"up_to": "5", "unit_amount": "1"}, OPEN],
    [{"up_to": "9", "unit_amount": "1"}, {"up_to": "5", "unit_amount": "1"}, OPEN],
    [{"up_to": "0", "unit_amount": "1"}, OPEN],
    [OPEN] * 101,
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    (pricing_data("metered", unit_amount="1"), "pricing_type"),
    (pricing_data("per_unit"), "unit_amount"),
    (pricing_data("per_unit", unit_amount="1", tiers=[]), "tiers"),
    (pricing_data("per_unit", "usd", unit_amount="1"), "currency"),
    (pricing_data("per_unit", "XXX", unit_amount="1"), "currency"),
    *((pricing_data("per_unit", unit_amount=bad), "unit_amount") for bad in NO_AMOUNTS),
    (pricing_data("package", unit_amount="1", package_size="0"), "package_size"),
    *((pricing_data(kind, tiers=bad), "tiers") for kind in ("tiered", "volume", "step") for bad in BAD_TIERS),
]


@pytest.mark.parametrize(("data", "field"), REFUSED)
def test_a_pricing_that_makes_no_sense_is_refused_by_its_field(data: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DATA.validate_python(data)
    error = refusal.value.errors()[0]
    assert field in (*error["loc"], error.get("ctx", {}).get("discriminator", "").strip("'"))


@pytest.mark.parametrize(
    ("sent", "kept"), [("12.00", "12.00"), (12, "12"), (Decimal("1E+2"), "100"), (Decimal("0.0000001"), "0.0000001")]
)
def test_a_number_is_kept_as_it_was_written(sent: Any, kept: str) -> None:
    data = DATA.validate_python(pricing_data("per_unit", unit_amount=sent))
    assert DATA.dump_python(data, mode="json")["unit_amount"] == kept
