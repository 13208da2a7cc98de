"""Customers over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

ACME: dict[str, Any] = {
    "customer_name": "Acme GmbH",
    "email": "billing@acme.example",
    "external_id": "crm-1042",
    "address": {"line1": "Hauptstr. 1", "city": "Berlin", "zip_code": "10115", "country_code": "DE"},
    "tax_info": [{"country_code": "DE", "tax_code": "eu_vat", "tax_id": "DE136695976"}],
}
MEMBERS = {
    "id", "customer_name", "email", "external_id", "phone_number", "address", "tax_info", "custom_data",
    "business_entity_id", "status", "created_at", "updated_at",
}  # fmt: skip


async def test_a_customer_reads_back_as_it_was_made(api: httpx.AsyncClient) -> None:
    made = await api.post("/customers", json=ACME)
    read = await api.get(made.headers["location"])

    assert made.status_code == 201
    assert made.json() == read.json()
    assert set(made.json()) == MEMBERS
    assert made.json()["address"] == {**dict.fromkeys(("line2", "line3", "state")), **ACME["address"]}
    assert made.json()["created_at"].endswith("Z")
    assert made.json()["status"] == "active"


async def test_put_leaves_what_is_absent_and_unsets_what_is_null(api: httpx.AsyncClient) -> None:
    path = (await api.post("/customers", json=ACME)).headers["location"]
    changed = (await api.put(path, json={"email": None, "phone_number": "+49 30 1234"})).json()

    assert changed["email"] is None
    assert changed["phone_number"] == "+49 30 1234"
    assert changed["customer_name"] == "Acme GmbH"
    assert changed["tax_info"] == ACME["tax_info"]


async def test_an_email_belongs_to_one_active_customer(api: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    bodies = [{"customer_name": "Acme", "email": email} for email in ("a@acme.example", "A@ACME.example") * 5]
    answers = await asyncio.gather(*[api.post("/customers", json=body) for body in bodies])

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert (await other.post("/customers", json=bodies[0])).status_code == 201


async def test_changing_to_anothers_email_is_refused(api: httpx.AsyncClient) -> None:
    await api.post("/customers", json=ACME)
    path = (await api.post("/customers", json={"customer_name": "Other"})).headers["location"]
    answer = await api.put(path, json={"email": "BILLING@acme.example"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/customer-exists"


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer_name": None},
        {"customer_name": " "},
        {"customer_name": "line\nend"},
        {"customer_name": "right\u202eleft"},
        {"customer_name": "x" * 256},
        {"email": "nobody"},
        {"email": "a@localhost"},
        {"external_id": "x" * 256},
        {"phone_number": "call me"},
        {"phone_number": "+4111111111111111"},
        {"address": {"country_code": "XX"}},
        {"address": {"country_code": "de"}},
        {"address": {"planet": "Mars"}},
        {"tax_info": [{"country_code": "DE"}]},
        {"custom_data": []},
        {"custom_data": {"a": "x" * 16_384}},
        {"custom_data": {"card": "4242 4242 4242 4242"}},
        {"business_entity_id": str(uuid4())},
        {"status": "archived"},
        {"organisation_id": str(uuid4())},
    ],
)
async def test_a_customer_that_is_not_right_is_refused(api: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    made = await api.post("/customers", json=ACME)

    assert (await api.post("/customers", json={**ACME, "email": None, **wrong})).status_code == 422
    assert (await api.put(made.headers["location"], json=wrong)).status_code == 422
    assert (await api.get(made.headers["location"])).json() == made.json()


async def test_custom_data_keeps_its_numbers(api: httpx.AsyncClient) -> None:
    data = {"a": 1.5, "b": 12345678901, "c": [None, True, {"d": "e"}]}
    made = await api.post("/customers", json={"customer_name": "Acme", "custom_data": data})

    assert made.json()["custom_data"] == data


async def test_another_organisations_business_entity_does_not_exist(
    api: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    entity = {"name": "Northwind", "country_code": "GB", "default_currency": "GBP"}
    theirs = (await other.post("/business_entities", json=entity)).json()["id"]
    own = (await api.post("/business_entities", json=entity)).json()["id"]

    refused = await api.post("/customers", json={**ACME, "business_entity_id": theirs})
    made = await api.post("/customers", json={**ACME, "business_entity_id": own})

    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"loc": ["body", "business_entity_id"], "msg": "does not exist"}]
    assert made.json()["business_entity_id"] == own
