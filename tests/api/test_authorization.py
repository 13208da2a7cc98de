"""Who may call what, generated from the route table: a new route can't be forgotten."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.routes import required
from store import api_keys
from store.database import Database
from tests.api.conftest import client_of
from tests.conftest import PEPPER, Keys, new_keys

ELSEWHERE = ("/payments", "/checkout_session")
"""Whose ids of another organisation are tried where such rows are made: test_contracts_and_payments.py,
test_checkout_sessions.py.
"""

PUBLIC = {
    "/docs",
    "/docs/{file}",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/outcome/{organisation}/{session}",
    "/problems/{name}",
    "/webhooks/{gateway}",
}

ROUTES = [
    (method, route.path, [requires.scope for requires in required(route.dependant)])
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
GUARDED = [(method, path) for method, path, scopes in ROUTES if scopes]
FOR_OPERATORS = [(method, path) for method, path, scopes in ROUTES if {"operator", "admin"} & set(scopes)]
WITH_ID = [(method, path) for method, path in GUARDED if "{" in path and not path.startswith(ELSEWHERE)]

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/customers/{customer_id}"): {"customer_name": "Mallory"},
    ("POST", "/customers/{customer_id}/payment_methods"): {"gateway": "sandbox", "token": "pm_sandbox_card_ok"},
    ("PUT", "/plans/{plan_id}"): {
        "name": "Mallory",
        "currency": "USD",
        "phases": [
            {
                "pricings": [
                    {
                        "product": {"name": "Seats"},
                        "pricing": {
                            "pricing_data": {"pricing_type": "flat_fee", "currency": "USD", "unit_amount": "1"}
                        },
                    }
                ]
            }
        ],
    },
    ("POST", "/products/{product_id}/pricings"): {
        "name": "Seat",
        "pricing_data": {"pricing_type": "per_unit", "currency": "USD", "unit_amount": "1.00"},
    },
}
"""A valid body for each guarded route with an id that takes one."""


def at(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)(:path)?}", lambda found: ids.get(found[1], str(uuid4())), path)


def test_every_route_but_the_public_ones_asks_for_a_key() -> None:
    assert {path for _, path, scopes in ROUTES if not scopes} <= PUBLIC


async def keyed(client: httpx.AsyncClient, method: str, path: str, key: str) -> httpx.Response:
    return await client.request(method, path, headers={b"x-api-key": key.encode("latin-1")})


@pytest.fixture
async def revoked(database: Database, organisation: UUID) -> str:
    """A key that was good until just now."""
    key = (await new_keys(database, organisation, PEPPER)).admin
    async with database.unbound() as connection:
        found = await api_keys.find(connection, api_keys.hash_of(key, PEPPER))
        assert found is not None
        await api_keys.revoke(connection, organisation, found["id"])
    return key


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_without_a_valid_key_every_call_is_refused_alike(
    nobody: httpx.AsyncClient, revoked: str, method: str, path: str
) -> None:
    target = at(path, {})
    malformed = ("", "x", "é" * 20, "x" * 300)
    answers = [
        await nobody.request(method, target, content=b"{"),
        *[await keyed(nobody, method, target, key) for key in (*malformed, revoked)],
        await nobody.request(method, target, params={"x-api-key": revoked}),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1


@pytest.mark.parametrize(("method", "path"), FOR_OPERATORS)
async def test_a_merchant_is_refused_what_operators_do(api: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await api.request(method, at(path, {}))

    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/forbidden"


@pytest.fixture
async def ids(api: httpx.AsyncClient, database: Database, organisation: UUID) -> dict[str, str]:
    """One of each resource of the merchant's organisation, by the name that paths have for it."""

    async def made(path: str, body: dict[str, Any]) -> str:
        answer = await api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    customer = await made("/customers", {"customer_name": "Acme GmbH"})
    product = await made("/products", {"name": "Seats"})
    pricing = await made(f"/products/{product}/pricings", BODIES["POST", "/products/{product_id}/pricings"])
    line = {"product_id": product, "pricing_id": pricing, "quantity": {"type": "fixed", "quantity": "1"}}
    phase = {"name": "Team", "phase_type": "active", "pricings": [line]}
    return {
        "customer_id": customer,
        "product_id": product,
        "pricing_id": pricing,
        "plan_id": await made("/plans", {"name": "Team", "currency": "USD", "duration": "P1Y", "phases": [phase]}),
        "business_entity_id": await made(
            "/business_entities", {"name": "Northwind", "country_code": "GB", "default_currency": "GBP"}
        ),
        "payment_method_id": await made(
            f"/customers/{customer}/payment_methods", {"gateway": "sandbox", "token": "pm_sandbox_card_ok"}
        ),
        "contract_id": await contract(database, organisation, customer),
    }


async def contract(database: Database, organisation: UUID, customer: str) -> str:
    """A contract as checkout would have made it."""
    made = str(uuid4())
    async with database.of(organisation) as connection:
        await connection.execute(
            "INSERT INTO contents (organisation_id, estimation_id, content) VALUES (%s, 'est', '{}')", (organisation,)
        )
        await connection.execute(
            """
            INSERT INTO contracts (id, organisation_id, session_id, attempt, customer_id, estimation_id, currency,
                                   start_date, status)
            VALUES (%s, %s, %s, 1, %s, 'est', 'USD', '2027-01-01', 'active')
            """,
            (made, organisation, uuid4(), customer),
        )
    return made


@pytest.mark.parametrize(("method", "path"), WITH_ID)
async def test_another_organisations_id_answers_like_one_that_does_not_exist(
    api: httpx.AsyncClient, other: httpx.AsyncClient, ids: dict[str, str], method: str, path: str
) -> None:
    body = BODIES.get((method, path))
    assert (await api.get(at(re.sub("/(archive|activate|default)$", "", path), ids))).status_code == 200
    theirs = await other.request(method, at(path, ids), json=body)
    unknown = await other.request(method, at(path, {}), json=body)

    assert theirs.status_code == unknown.status_code == 404
    assert {**theirs.json(), "instance": ""} == {**unknown.json(), "instance": ""}


async def test_the_organisation_header_must_name_the_keys_own(api: httpx.AsyncClient, organisation: UUID) -> None:
    own = await api.get("/customers", headers={"organisation": str(organisation)})
    foreign = await api.get("/customers", headers={"organisation": str(uuid4())})

    assert own.status_code == 200
    assert foreign.status_code == 403


async def test_an_operator_may_do_what_a_merchant_may(app: FastAPI, keys: Keys) -> None:
    async with client_of(app, keys.operator) as operator:
        assert (await operator.get("/customers")).status_code == 200


async def test_a_list_never_shows_another_organisations_rows(other: httpx.AsyncClient, ids: dict[str, str]) -> None:
    for path in ("/customers", "/products", "/plans", "/business_entities", "/contracts", "/payments"):
        answer = await other.get(path)
        assert answer.json() == {"data": [], "next": None, "total": 0}
    assert ids
