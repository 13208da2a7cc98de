"""An Idempotency-Key has its effect once, and its answer for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

ACME = {"customer_name": "Acme GmbH", "email": "billing@acme.example"}


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def names(api: httpx.AsyncClient) -> list[str]:
    return [customer["customer_name"] for customer in (await api.get("/customers")).json()["data"]]


async def test_the_same_request_gets_the_first_answer_again(api: httpx.AsyncClient) -> None:
    first = await api.post("/customers", json=ACME, headers=under("one"))
    again = await api.post("/customers", json=dict(reversed(ACME.items())), headers=under("one"))

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await names(api) == ["Acme GmbH"]


async def test_another_request_with_the_same_key_is_refused_without_effect(api: httpx.AsyncClient) -> None:
    await api.post("/customers", json=ACME, headers=under("one"))
    refused = await api.post("/customers", json={"customer_name": "Other"}, headers=under("one"))

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/idempotency-key-reused"
    assert await names(api) == ["Acme GmbH"]


async def test_twenty_at_once_have_one_effect(api: httpx.AsyncClient) -> None:
    body = {"customer_name": "Acme GmbH"}
    answers = await asyncio.gather(*[api.post("/customers", json=body, headers=under("one")) for _ in range(20)])

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert await names(api) == ["Acme GmbH"]


@pytest.mark.parametrize(("body", "status"), [({"customer_name": ""}, 422), (ACME, 409)])
async def test_a_refused_request_leaves_its_key_free(api: httpx.AsyncClient, body: dict[str, Any], status: int) -> None:
    await api.post("/customers", json=ACME)
    refused = await api.post("/customers", json=body, headers=under("one"))
    then = await api.post("/customers", json={"customer_name": "Other"}, headers=under("one"))

    assert refused.status_code == status
    assert then.status_code == 201


async def test_the_same_key_on_another_call_or_organisation_is_another_key(
    api: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    first = await api.post("/customers", json=ACME, headers=under("one"))
    product = await api.post("/products", json={"name": "Seats"}, headers=under("one"))
    theirs = await other.post("/customers", json={"customer_name": "Another"}, headers=under("one"))

    assert [answer.status_code for answer in (first, product, theirs)] == [201, 201, 201]
    assert theirs.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there", "caf\u00e9"])
async def test_a_malformed_key_is_refused(api: httpx.AsyncClient, key: str) -> None:
    answer = await api.post("/customers", json=ACME, headers={b"Idempotency-Key": key.encode("latin-1")})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]


async def test_putting_again_with_a_key_does_not_undo_what_came_after(api: httpx.AsyncClient) -> None:
    path = (await api.post("/customers", json=ACME)).headers["location"]
    await api.put(path, json={"customer_name": "First"}, headers=under("one"))
    await api.put(path, json={"customer_name": "Second"})
    replayed = await api.put(path, json={"customer_name": "First"}, headers=under("one"))

    assert replayed.json()["customer_name"] == "First"
    assert (await api.get(path)).json()["customer_name"] == "Second"
