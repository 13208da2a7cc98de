"""Products and their pricings over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

SEAT: dict[str, Any] = {
    "name": "Seat, monthly",
    "is_recurring": True,
    "billing_period": {"cadence": "P1M", "offset": "prepaid"},
    "pricing_data": {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "12.00"},
}


@pytest.fixture
async def product(api: httpx.AsyncClient) -> str:
    """A product's path."""
    made = await api.post("/products", json={"name": "Seats", "unit": "seat", "description": "Named users"})
    return made.headers["location"]


async def test_a_product_reads_back_as_it_was_made(api: httpx.AsyncClient, product: str) -> None:
    read = (await api.get(product)).json()

    assert {**read, "id": "", "created_at": ""} == {
        "id": "",
        "name": "Seats",
        "unit": "seat",
        "description": "Named users",
        "created_at": "",
    }
    assert (await api.get("/products")).json()["data"] == [read]


async def test_a_pricing_reads_back_as_it_was_made(api: httpx.AsyncClient, product: str) -> None:
    made = await api.post(f"{product}/pricings", json=SEAT)
    read = await api.get(made.headers["location"])

    assert made.status_code == 201
    assert read.json() == made.json()
    assert product.endswith(read.json()["product_id"])
    assert read.json()["billing_period"] == SEAT["billing_period"]
    assert read.json()["pricing_data"].items() >= SEAT["pricing_data"].items()
    assert (await api.get(f"{product}/pricings")).json() == {"data": [read.json()], "next": None, "total": 1}


async def test_a_pricing_is_found_under_its_own_product_only(api: httpx.AsyncClient, product: str) -> None:
    pricing = (await api.post(f"{product}/pricings", json=SEAT)).json()["id"]
    another = (await api.post("/products", json={"name": "Other"})).headers["location"]

    assert (await api.get(f"{another}/pricings/{pricing}")).status_code == 404
    assert (await api.get(f"{another}/pricings")).json()["total"] == 0
    assert (await api.get(f"/products/{uuid4()}/pricings")).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"billing_period": None},
        {"billing_period": {"cadence": "monthly"}},
        {"billing_period": {"cadence": "P1M", "offset": "later"}},
        {"is_recurring": "yes"},
        {"status": "active"},
        {"pricing_data": {"pricing_type": "free"}},
        *(
            {"pricing_data": {**SEAT["pricing_data"], **wrong}}
            for wrong in (
                {"unit_amount": "-1"},
                {"unit_amount": "1e3"},
                {"unit_amount": True},
                {"unit_amount": "0.0000000000001"},
                {"unit_amount": "\u0661"},
                {"currency": "usd"},
                {"currency": "XAU"},
                {"currency": "\uff35\uff33\uff24"},
                {"extra": 1},
            )
        ),
    ],
)
async def test_a_pricing_that_is_not_right_is_refused(
    api: httpx.AsyncClient, product: str, wrong: dict[str, Any]
) -> None:
    answer = await api.post(f"{product}/pricings", json={**SEAT, **wrong})

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/validation"
    assert (await api.get(f"{product}/pricings")).json()["total"] == 0
