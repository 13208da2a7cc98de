"""What a contract's body may ask for, and the contract it comes to."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from checkout.contract import (
    CatalogPricing,
    Contract,
    ContractBody,
    ContractProblem,
    Needed,
    Plan,
    PlanBody,
    PricingBody,
    Product,
    needed,
    needed_by_plan,
    resolve,
    resolve_plan,
)
from tests.checkout.bodies import body, contract, entry, pricing_data, seats

PRODUCT, PRICING, PLAN = uuid4(), uuid4(), uuid4()
MONTHLY = {"cadence": "P1M", "offset": "prepaid"}
PER_SEAT = pricing_data("per_unit", unit_amount="12.00")
CATALOGUE = {
    PRICING: CatalogPricing.of(
        {
            "id": PRICING,
            "product_id": PRODUCT,
            "product_name": "Seats",
            "unit": "seat",
            "content": PricingBody.model_validate(
                {"is_recurring": True, "billing_period": MONTHLY, "pricing_data": PER_SEAT}
            ).model_dump(mode="json"),
        }
    )
}
TEAM: dict[str, Any] = {
    "name": "Team",
    "currency": "USD",
    "status": "active",
    "duration": "P1Y",
    "phases": [
        {"name": "Trial", "phase_type": "trial", "duration": "P14D", "pricings": []},
        {
            "name": "Team",
            "pricings": [
                {
                    "product_id": str(PRODUCT),
                    "pricing_id": str(PRICING),
                    "quantity": {"type": "fixed", "quantity": "10"},
                    "discount": {"percent": "10"},
                }
            ],
            "tax": {"percent": "20", "inclusive": False},
            "payment_terms": {"type": "net_days", "days": 30},
        },
    ],
}
PLAN_BASED: dict[str, Any] = {
    "is_plan_based": True,
    "plan_id": str(PLAN),
    "currency": "USD",
    "start_date": "2027-01-01",
}


def plan(status: str = "active", **changes: Any) -> Plan:
    """Team, as the database gives it back."""
    content = resolve_plan(PlanBody.model_validate({**TEAM, **changes}), CATALOGUE)
    row = {"id": PLAN, "name": "Team", "currency": "USD", "status": status, "version": 3}
    return Plan.of({**row, "content": content.model_dump(mode="json"), "created_at": "2026-11-23"})


def from_plan(of: Plan | None = None, **members: Any) -> Contract:
    asked = ContractBody.model_validate({**PLAN_BASED, **members})
    return resolve(asked, plan=of or plan(), pricings={})


def days(found: Contract) -> list[tuple[str, str | None]]:
    return [(p.start_date.isoformat(), p.end_date.isoformat() if p.end_date else None) for p in found.phases]


def test_a_contract_from_a_plan_is_a_copy_of_its_version() -> None:
    found = from_plan(quantities=[{"product_id": str(PRODUCT), "quantity": "25"}])
    assert (found.name, found.plan_id, found.plan_version) == ("Team", PLAN, 3)
    assert days(found) == [("2027-01-01", "2027-01-14"), ("2027-01-15", "2027-12-31")]
    assert found.end_date == date(2027, 12, 31)
    item = found.phases[1].pricings[0]
    assert (item.product.name, f"{item.quantity.quantity}", item.pricing_id) == ("Seats", "25", PRICING)


def test_billing_periods_count_from_the_end_of_a_leading_trial() -> None:
    assert from_plan().billing_anchor == date(2027, 1, 15)


def test_an_earlier_end_cuts_the_plan() -> None:
    assert days(from_plan(end_date="2027-01-10")) == [("2027-01-01", "2027-01-10")]
    assert from_plan(end_date="2029-01-10").end_date == date(2029, 1, 10)


def test_a_plan_without_duration_runs_on() -> None:
    assert days(from_plan(plan(duration=None)))[-1] == ("2027-01-15", None)


def test_phases_of_months_keep_the_anchor_day() -> None:
    months = [{**TEAM["phases"][1], "duration": "P1M"}] * 3
    found = from_plan(plan(phases=months, duration=None), start_date="2027-01-31")
    assert days(found) == [("2027-01-31", "2027-02-27"), ("2027-02-28", "2027-03-30"), ("2027-03-31", "2027-04-29")]
    assert found.end_date == date(2027, 4, 29)


def test_what_is_stored_is_read_back_the_same_whatever_a_newer_version_added() -> None:
    found = contract(body(seats(discount={"percent": "5"}), phase={"tax": {"percent": "20"}}))
    stored = found.model_dump(mode="json")
    assert Contract.model_validate(stored) == found
    stored["phases"][0]["pricings"][0]["pricing"]["pricing_data"]["new"] = stored["phases"][0]["tax"]["new"] = 1
    assert Contract.model_validate({**stored, "new": 1}) == found


def test_phases_follow_one_another_and_fill_what_they_leave_out() -> None:
    phases = [{"pricings": [seats()]}, {"pricings": [seats()], "start_date": "2027-03-01"}]
    found = contract({**body(seats()), "end_date": "2027-12-31", "phases": phases})
    assert days(found) == [("2027-01-01", "2027-02-28"), ("2027-03-01", "2027-12-31")]
    ended = [{"pricings": [seats()], "end_date": "2027-02-28"}, {"pricings": [seats()]}]
    assert days(contract({**body(seats()), "phases": ended})) == [("2027-01-01", "2027-02-28"), ("2027-03-01", None)]


def test_a_midnight_is_taken_as_its_day() -> None:
    assert contract(body(seats(), start_date="2027-01-01T00:00:00")).start_date == date(2027, 1, 1)


def test_a_body_says_what_must_be_loaded_for_it() -> None:
    by_id = {"pricing_id": str(PRICING)}
    of_product = {"product_id": str(PRODUCT), "pricing": {"pricing_data": pricing_data(unit_amount="1")}}
    assert needed(ContractBody.model_validate(body(by_id, of_product))) == Needed(
        None, frozenset({PRICING}), frozenset({PRODUCT})
    )
    assert needed(ContractBody.model_validate(PLAN_BASED)) == Needed(PLAN, frozenset(), frozenset())
    assert needed_by_plan(PlanBody.model_validate(TEAM)) == Needed(None, frozenset({PRICING}), frozenset())


def test_a_price_written_out_may_be_of_a_product_of_the_catalogue() -> None:
    asked = {"product_id": str(PRODUCT), "pricing": {"pricing_data": pricing_data(unit_amount="1")}}
    found = resolve(
        ContractBody.model_validate(body(asked)), plan=None, pricings={}, products={PRODUCT: Product(name="Seats")}
    )
    assert found.phases[0].pricings[0].product.name == "Seats"


def phase(**members: Any) -> dict[str, Any]:
    return {"pricings": [seats()], **members}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**PLAN_BASED, "plan_id": None}, "plan_id"),
    ({**PLAN_BASED, "plan_id": "x"}, "plan_id"),
    ({**PLAN_BASED, "phases": [phase()]}, "phases"),
    ({**PLAN_BASED, "is_plan_based": "yes"}, "is_plan_based"),
    ({**PLAN_BASED, "quantities": [{"product_id": str(PRODUCT), "quantity": 1}] * 2}, "quantities"),
    ({**PLAN_BASED, "quantities": [{"product_id": str(PRODUCT), "quantity": -1}]}, "quantity"),
    (body(seats(), plan_id=str(PLAN)), "plan_id"),
    (body(seats(), quantities=[{"product_id": str(PRODUCT), "quantity": 1}]), "quantities"),
    (body(seats(), phases=[]), "phases"),
    (body(seats(), phases=None), "phases"),
    (body(seats(), currency="usd"), "currency"),
    (body(seats(), start_date="2027-02-30"), "start_date"),
    (body(seats(), start_date="2027-01-01T09:00:00"), "start_date"),
    (body(seats(), start_date=20270101), "start_date"),
    (body(seats(), start_date="9999-01-01"), "start_date"),
    (body(seats(), end_date="2026-12-31"), "end_date"),
    (body(seats(), name="two\nlines"), "name"),
    (body(seats(), name="x" * 256), "name"),
    (body(seats(), status="active"), "status"),
    (body(), "pricings"),
    (body(seats(quantity=True)), "quantity"),
    (body(seats(quantity="1e9")), "quantity"),
    (body(seats(quantity="1000000000000")), "quantity"),
    (body(seats(quantity="0.0000001")), "quantity"),
    (body(seats(discount={"percent": "100.01"})), "percent"),
    (body(seats(discount={})), "discount"),
    (body(seats(discount={"percent": "1", "amount": "1"})), "discount"),
    (body(seats(), phase={"tax": {"percent": "-1"}}), "percent"),
    (body(entry(PER_SEAT, period={"cadence": "PT1H"})), "cadence"),
    (body(entry(PER_SEAT, period={"cadence": "P11Y"})), "cadence"),
    (body(entry(PER_SEAT, period={"cadence": "P1M", "offset": "midway"})), "offset"),
    (body({"product": {"name": "A"}, "pricing": {"is_recurring": True, "pricing_data": PER_SEAT}}), "billing_period"),
    (
        body({"product": {"name": "A"}, "pricing": {"billing_period": MONTHLY, "pricing_data": PER_SEAT}}),
        "billing_period",
    ),
    (body({"product": {"name": "A"}}), "pricings"),
    (body({"pricing": {"pricing_data": PER_SEAT}}), "pricings"),
    (body({"pricing_id": str(PRICING), "product": {"name": "A"}}), "pricings"),
    (body(*[seats()] * 201), "pricings"),
]


@pytest.mark.parametrize(("asked", "field"), REFUSED)
def test_a_body_that_makes_no_sense_is_refused_by_its_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ContractBody.model_validate(asked)
    assert field in refusal.value.errors()[0]["loc"]


OUT_OF_ORDER = [
    (
        [phase(end_date="2027-02-01"), phase(start_date="2027-02-01")],
        "phases.1.start_date must be after the phase before",
    ),
    ([phase(start_date="2027-02-01"), phase(start_date="2027-01-15")], "phases.0.end_date must not be before"),
    ([phase(), phase()], "phases.1.start_date is required"),
    ([phase(start_date="2026-12-31")], "phases.0.start_date must not be before the contract's"),
    ([phase(end_date="2028-01-01")], "phases.0.end_date must not be after the contract's"),
    ([phase(start_date="2027-02-01", end_date="2027-01-31")], "phases.0.end_date must not be before"),
]


@pytest.mark.parametrize(("phases", "rule"), OUT_OF_ORDER)
def test_phases_out_of_order_are_refused_by_field_and_rule(phases: list[dict[str, Any]], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        ContractBody.model_validate(body(phases=phases, end_date="2027-12-31"))


BROKEN: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    (body(seats(), seats(currency="EUR")), "currency-mismatch", ("phases", 0, "pricings", 1, "pricing")),
    (
        body({"pricing_id": str(PRICING)}, currency="EUR"),
        "currency-mismatch",
        ("phases", 0, "pricings", 0, "pricing_id"),
    ),
    (body({"pricing_id": str(UUID(int=0))}), "validation", ("phases", 0, "pricings", 0, "pricing_id")),
    (
        body({"pricing_id": str(PRICING), "product_id": str(PLAN)}),
        "validation",
        ("phases", 0, "pricings", 0, "pricing_id"),
    ),
    (body(seats(discount={"amount": "0.001"})), "validation", ("phases", 0, "pricings", 0, "discount", "amount")),
    (body(seats(), phase={"discount": {"amount": "0.001"}}), "validation", ("phases", 0, "discount", "amount")),
    (body(seats(), payment_terms={"type": "due_date", "date": "2026-12-31"}), "validation", ("payment_terms", "date")),
    (
        body(seats(), phase={"payment_terms": {"type": "due_date", "date": "2026-12-31"}}),
        "validation",
        ("phases", 0, "payment_terms", "date"),
    ),
    ({**PLAN_BASED, "currency": "EUR"}, "currency-mismatch", ("currency",)),
    (
        {**PLAN_BASED, "quantities": [{"product_id": str(PLAN), "quantity": 1}]},
        "validation",
        ("quantities", 0, "product_id"),
    ),
]


@pytest.mark.parametrize(("asked", "problem", "loc"), BROKEN)
def test_a_rule_broken_against_the_catalogue_is_refused_by_its_field(
    asked: dict[str, Any], problem: str, loc: tuple[str | int, ...]
) -> None:
    with pytest.raises(ContractProblem) as refusal:
        resolve(ContractBody.model_validate(asked), plan=plan(), pricings=CATALOGUE)
    assert (refusal.value.problem, refusal.value.loc) == (problem, loc)


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_an_active_plan_can_be_bought(status: str) -> None:
    with pytest.raises(ContractProblem) as refusal:
        from_plan(plan(status))
    assert refusal.value.problem == "plan-not-available"


def test_a_plan_that_is_not_there_is_refused() -> None:
    with pytest.raises(ContractProblem, match="plan_id does not exist"):
        resolve(ContractBody.model_validate(PLAN_BASED), plan=None, pricings={})


def test_a_due_date_of_the_plan_before_the_start_names_the_plan() -> None:
    terms = {"type": "due_date", "date": "2026-12-31"}
    late = plan(phases=[{**TEAM["phases"][1], "payment_terms": terms}])
    with pytest.raises(ContractProblem, match=r"the plan's phases\.0\.payment_terms\.date must not") as refusal:
        from_plan(late)
    assert refusal.value.loc == ("plan_id",)


@pytest.mark.parametrize(
    "changes",
    [
        {"phases": []},
        {"phases": [TEAM["phases"][1], TEAM["phases"][1]]},
        {"duration": "P0D"},
        {"status": "archived"},
        {"currency": "XXX"},
        {"phases": [{"pricings": []}]},
        {"phases": [{**TEAM["phases"][1], "duration": "1 year"}]},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PlanBody.model_validate({**TEAM, **changes})


def test_a_plan_is_sold_in_one_currency() -> None:
    with pytest.raises(ContractProblem, match=r"phases\.1\.pricings\.0\.pricing_id must be in EUR"):
        plan(currency="EUR")
