"""What can't be priced is refused over HTTP by the field that is wrong, and the rule that it breaks."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

Json = dict[str, Any]
Loc = list[str | int]

MONTHLY = {"cadence": "P1M", "offset": "prepaid"}
PRICE = {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "12.00"}
PRICING: Loc = ["phases", 0, "pricings", 0, "pricing"]
DATA: Loc = [*PRICING, "pricing_data"]
QUANTITY: Loc = ["phases", 0, "pricings", 0, "quantity"]


def entry(quantity: Any = "10", **price: Any) -> Json:
    """A product at a price in USD; *price* changes members of the price."""
    data = {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "12.00", **price}
    return {"product": {"name": "Seats"}, "quantity": {"quantity": quantity}, "pricing": {"pricing_data": data}}


def phase(*entries: Json, **more: Any) -> Json:
    return {"pricings": list(entries or (entry(),)), **more}


def contract(*phases: Json, **more: Any) -> Json:
    return {
        "is_plan_based": False,
        "currency": "USD",
        "start_date": "2027-01-01",
        "end_date": "2027-12-31",
        "phases": list(phases or (phase(),)),
        **more,
    }


def tiers(*ends: str | None, kind: str = "tiered") -> Json:
    """A price by tiers that end at *ends*."""
    data = {"pricing_type": kind, "currency": "USD", "tiers": [{"up_to": end, "unit_amount": "1"} for end in ends]}
    return contract(phase({**entry(), "pricing": {"pricing_data": data}}))


def priced(**price: Any) -> Json:
    return contract(phase(entry(**price)))


def recurring(**period: Any) -> Json:
    pricing = {"is_recurring": True, "billing_period": {**MONTHLY, **period}, "pricing_data": PRICE}
    return contract(phase({**entry(), "pricing": pricing}))


def instalments(*parts: Json) -> Json:
    return contract(payment_terms={"type": "instalments", "instalments": list(parts)})


def percent(percent: str, date: str) -> Json:
    return {"percent": percent, "date": date}


REFUSED: dict[str, tuple[Json, Loc, str]] = {
    "no phases": (contract(phases=[]), ["phases"], "must not be empty"),
    "an empty phase": (contract({"pricings": []}), ["phases", 0, "pricings"], "must not be empty"),
    "overlapping phases": (
        contract(phase(end_date="2027-03-31"), phase(start_date="2027-03-31")),
        ["phases", 1, "start_date"],
        "must be after the phase before",
    ),
    "unsorted phases": (
        contract(phase(start_date="2027-06-01", end_date="2027-06-30"), phase(start_date="2027-02-01")),
        ["phases", 1, "start_date"],
        "must be after the phase before",
    ),
    "a phase that ends before it starts": (
        contract(phase(start_date="2027-06-01", end_date="2027-05-01")),
        ["phases", 0, "end_date"],
        "must not be before the phase's start",
    ),
    "a phase before the contract": (
        contract(phase(start_date="2026-12-31")),
        ["phases", 0, "start_date"],
        "must not be before the contract's",
    ),
    "a phase after the contract": (
        contract(phase(end_date="2028-01-01")),
        ["phases", 0, "end_date"],
        "must not be after the contract's",
    ),
    "a contract that ends before it starts": (
        contract(end_date="2026-12-31"),
        ["end_date"],
        "must not be before start_date",
    ),
    "a day that is none": (contract(start_date="2027-02-30"), ["start_date"], "must be a day"),
    "tiers that do not rise": (tiers("500", "500", None), [*DATA, "tiers"], "must rise"),
    "tiers that fall": (tiers("500", "100", None, kind="volume"), [*DATA, "tiers"], "must rise"),
    "tiers without an open end": (tiers("500", "2000", kind="step"), [*DATA, "tiers"], "must end open"),
    "tiers open in the middle": (tiers(None, "500"), [*DATA, "tiers"], "must end open"),
    "no tiers": (tiers(), [*DATA, "tiers"], "needs at least 1"),
    "a tier of nothing": (tiers("0", None), [*DATA, "tiers", 0, "up_to"], "must be greater than 0"),
    "a negative price": (priced(unit_amount="-1"), [*DATA, "unit_amount"], "must not be negative"),
    "minus zero": (priced(unit_amount="-0"), [*DATA, "unit_amount"], "must not be negative"),
    "an absurd price": (priced(unit_amount="1" + "0" * 15), [*DATA, "unit_amount"], "is out of range"),
    "a price too fine": (priced(unit_amount="0.0000000000001"), [*DATA, "unit_amount"], "too many decimals"),
    "a price that is true": (priced(unit_amount=True), [*DATA, "unit_amount"], "must be a decimal number"),
    "a price in words": (priced(unit_amount="NaN"), [*DATA, "unit_amount"], "must be a decimal number"),
    "no price": (priced(unit_amount=None), [*DATA, "unit_amount"], "must be a decimal number"),
    "a negative quantity": (priced(quantity="-1"), [*QUANTITY, "quantity"], "must not be negative"),
    "an absurd quantity": (priced(quantity="1" + "0" * 12), [*QUANTITY, "quantity"], "is out of range"),
    "a quantity in powers": (priced(quantity="1e9"), [*QUANTITY, "quantity"], "must be a decimal number"),
    "a quantity x price past the largest amount": (
        priced(quantity="999999999999", unit_amount="999999999999999"),
        [*QUANTITY],
        "quantity x price must stay below 1000000000000.00 USD",
    ),
    "a metered price": (priced(pricing_type="metered"), DATA, "must be one of"),
    "an unknown price": (priced(pricing_type="free"), DATA, "must be one of"),
    "a price of no type": (priced(pricing_type=None), DATA, "must be one of"),
    "a metered quantity": (
        contract(phase({**entry(), "quantity": {"type": "metered", "quantity": "1"}})),
        [*QUANTITY, "type"],
        "must be one of",
    ),
    "packages of nothing": (
        priced(pricing_type="package", package_size="0"),
        [*DATA, "package_size"],
        "must be greater than 0",
    ),
    "a member of another type of price": (priced(package_size="10"), [*DATA, "package_size"], "is not a known field"),
    "an unknown currency": (priced(currency="XAU"), [*DATA, "currency"], "must be an ISO 4217 currency code"),
    "an hourly cadence": (recurring(cadence="PT1H"), [*PRICING, "billing_period", "cadence"], "ISO 8601 duration"),
    "paid neither before nor after": (
        recurring(offset="midway"),
        [*PRICING, "billing_period", "offset"],
        "must be one of",
    ),
    "a discount past all": (
        contract(phase({**entry(), "discount": {"percent": "100.5"}})),
        ["phases", 0, "pricings", 0, "discount", "percent"],
        "must be at most 100",
    ),
    "a discount in parts of a cent": (
        contract(phase(discount={"amount": "0.001"})),
        ["phases", 0, "discount", "amount"],
        "too many for USD",
    ),
    "a negative tax": (
        contract(phase(tax={"percent": "-1"})),
        ["phases", 0, "tax", "percent"],
        "must not be negative",
    ),
    "instalments that are not all of it": (
        instalments(percent("50", "2027-01-01"), percent("49.99", "2027-02-01")),
        ["payment_terms", "instalments"],
        "must add up to 100 percent",
    ),
    "instalments that are not the amount due": (
        instalments({"amount": "119.99", "date": "2027-01-01"}),
        ["payment_terms", "instalments"],
        "must add up to the amount due, 120.00 USD",
    ),
    "instalments out of order": (
        instalments(percent("50", "2027-02-01"), percent("50", "2027-01-01")),
        ["payment_terms", "instalments"],
        "must be sorted by date",
    ),
    "an instalment before the start": (
        instalments(percent("100", "2026-12-31")),
        ["payment_terms", "instalments", 0, "date"],
        "must not be before the contract starts",
    ),
    "an instalment of less than nothing": (
        instalments(percent("-1", "2027-01-01"), percent("100", "2027-02-01")),
        ["payment_terms", "instalments", 0, "percent"],
        "must not be negative",
    ),
    "a due date before the start": (
        contract(phase(payment_terms={"type": "due_date", "date": "2026-12-31"})),
        ["phases", 0, "payment_terms", "date"],
        "must not be before the contract starts",
    ),
    "a due date more than five years after the start": (
        contract(phase(payment_terms={"type": "due_date", "date": "2032-01-02"})),
        ["phases", 0, "payment_terms", "date"],
        "must not be more than 5 years after the contract starts",
    ),
    "an instalment more than five years after the start": (
        instalments(percent("50", "2027-01-01"), percent("50", "2032-01-02")),
        ["payment_terms", "instalments", 1, "date"],
        "must not be more than 5 years after the contract starts",
    ),
    "more than five years to pay": (
        contract(payment_terms={"type": "net_days", "days": 1827}),
        ["payment_terms", "days"],
        "must be at most 1826",
    ),
    "negative days to pay": (
        contract(payment_terms={"type": "net_days", "days": -1}),
        ["payment_terms", "days"],
        "must be at least 0",
    ),
    "unknown terms": (contract(payment_terms={"type": "whenever"}), ["payment_terms"], "must be one of"),
    "a plan that does not exist": (
        {"is_plan_based": True, "plan_id": str(uuid4()), "currency": "USD", "start_date": "2027-01-01"},
        ["plan_id"],
        "does not exist",
    ),
}


@pytest.fixture
async def customer(api: httpx.AsyncClient) -> str:
    return str((await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"])


@pytest.mark.parametrize(("asked", "loc", "rule"), REFUSED.values(), ids=REFUSED.keys())
async def test_bad_input_is_refused_by_its_field_and_rule(
    api: httpx.AsyncClient, asked: Json, loc: Loc, rule: str, customer: str
) -> None:
    for path in ("/checkout_session", "/checkout_session/summary"):
        refused = await api.post(path, json={"contract": asked, "customer_id": customer})

        assert refused.status_code == 422, refused.text
        assert refused.json()["type"] == "/problems/validation"
        (error,) = refused.json()["errors"]
        assert error["loc"] == ["body", "contract", *loc]
        assert rule in error["msg"]


async def test_what_the_refused_bodies_are_made_from_is_accepted(api: httpx.AsyncClient, customer: str) -> None:
    accepted = (
        contract(),
        tiers("500", "2000", None),
        recurring(),
        instalments(percent("50", "2027-01-01"), percent("50", "2027-02-01")),
    )
    for asked in accepted:
        summary = await api.post("/checkout_session/summary", json={"contract": asked, "customer_id": customer})
        assert summary.status_code == 200, summary.text


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (
            {"contract": contract(phase(entry(), entry(currency="EUR")))},
            ["contract", "phases", 0, "pricings", 1, "pricing"],
        ),
        ({"contract": contract(), "currency": "EUR"}, ["currency"]),
    ],
    ids=["within a contract", "of session and contract"],
)
async def test_currencies_do_not_mix(api: httpx.AsyncClient, customer: str, body: Json, loc: Loc) -> None:
    refused = await api.post("/checkout_session", json={**body, "customer_id": customer})

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/currency-mismatch"
    assert [error["loc"] for error in refused.json()["errors"]] == [["body", *loc]]


async def test_another_organisations_catalogue_is_refused_like_one_that_does_not_exist(
    api: httpx.AsyncClient, other: httpx.AsyncClient, customer: str
) -> None:
    product = (await other.post("/products", json={"name": "Seats"})).json()["id"]
    pricing = (await other.post(f"/products/{product}/pricings", json={"pricing_data": PRICE})).json()["id"]
    phases = [{"pricings": [{"pricing_id": pricing}]}]
    plan = await other.post("/plans", json={"name": "Team", "currency": "USD", "status": "active", "phases": phases})

    async def refusal(asked: Json) -> Json:
        answer = await api.post("/checkout_session", json={"contract": asked, "customer_id": customer})
        assert answer.status_code == 422
        return dict(answer.json())

    def by_plan(plan: str) -> Json:
        return {"is_plan_based": True, "plan_id": plan, "currency": "USD", "start_date": "2027-01-01"}

    def by_price(pricing: str) -> Json:
        return contract({"pricings": [{"pricing_id": pricing}]})

    assert await refusal(by_plan(plan.json()["id"])) == await refusal(by_plan(str(uuid4())))
    assert await refusal(by_price(pricing)) == await refusal(by_price(str(uuid4())))
