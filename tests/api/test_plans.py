"""Plans over HTTP: draft, active, archived, and never back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture
async def team(api: httpx.AsyncClient) -> dict[str, Any]:
    """A plan's body, over a product and a pricing of the organisation's own."""
    product = (await api.post("/products", json={"name": "Seats"})).json()["id"]
    pricing = await api.post(
        f"/products/{product}/pricings",
        json={
            "name": "Seat, monthly",
            "is_recurring": True,
            "billing_period": {"cadence": "P1M", "offset": "prepaid"},
            "pricing_data": {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "12.00"},
        },
    )
    line = {"product_id": product, "pricing_id": pricing.json()["id"], "quantity": {"type": "fixed", "quantity": "10"}}
    return {
        "name": "Team",
        "currency": "USD",
        "status": "active",
        "duration": "P1Y",
        "phases": [
            {"name": "Trial", "phase_type": "trial", "duration": "P14D", "pricings": []},
            {
                "name": "Team",
                "phase_type": "active",
                "pricings": [{**line, "discount": {"percent": "10"}}],
                "tax": {"percent": "20", "inclusive": False},
                "payment_terms": {"type": "net_days", "days": 30},
            },
        ],
    }


async def test_a_plan_reads_back_as_it_was_made(api: httpx.AsyncClient, team: dict[str, Any]) -> None:
    made = await api.post("/plans", json=team)
    read = await api.get(made.headers["location"])

    assert made.status_code == 201
    assert read.json() == made.json()
    assert [phase["name"] for phase in read.json()["phases"]] == ["Trial", "Team"]
    assert (await api.get("/plans", params={"status": "active"})).json()["data"] == [read.json()]


async def test_a_plan_goes_from_draft_to_active_to_archived_and_never_back(
    api: httpx.AsyncClient, team: dict[str, Any]
) -> None:
    path = (await api.post("/plans", json={**team, "status": "draft"})).headers["location"]

    statuses = [(await api.post(f"{path}/{step}")).json()["status"] for step in ("activate", "archive", "archive")]
    refused = await api.post(f"{path}/activate")

    assert statuses == ["active", "archived", "archived"]
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/invalid-plan-status"


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "archived"},
        {"currency": "XXX"},
        {"currency": "usd"},
        {"phases": []},
        {"version": 2},
        {"name": ""},
        {"duration": "1 year"},
    ],
)
async def test_a_plan_that_is_not_right_is_refused(
    api: httpx.AsyncClient, team: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert (await api.post("/plans", json={**team, **wrong})).status_code == 422


async def test_a_plan_keeps_the_prices_it_was_made_with(api: httpx.AsyncClient, team: dict[str, Any]) -> None:
    made = (await api.post("/plans", json=team)).json()
    line = made["phases"][1]["pricings"][0]

    assert line["pricing"]["pricing_data"]["unit_amount"] == "12.00"
    assert line["product"]["name"] == "Seats"
    assert line["quantity"] == {"type": "fixed", "quantity": "10"}


@pytest.mark.parametrize("member", ["product_id", "pricing_id"])
async def test_another_organisations_catalogue_does_not_exist(
    api: httpx.AsyncClient, other: httpx.AsyncClient, team: dict[str, Any], member: str
) -> None:
    inline = {"pricing_data": {"pricing_type": "flat_fee", "currency": "USD", "unit_amount": "1"}}
    line = {name: team["phases"][1]["pricings"][0][name] for name in ("product_id", "pricing_id")}
    line = {member: line[member], **({"pricing": inline} if member == "product_id" else {})}
    body = {**team, "phases": [{"name": "Team", "pricings": [line]}]}

    assert (await api.post("/plans", json=body)).status_code == 201
    refused = await other.post("/plans", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"loc": ["body", "phases", 0, "pricings", 0, member], "msg": "does not exist"}]


async def test_a_plan_in_another_currency_than_its_prices_is_refused(
    api: httpx.AsyncClient, team: dict[str, Any]
) -> None:
    answer = await api.post("/plans", json={**team, "currency": "EUR"})

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/currency-mismatch"
