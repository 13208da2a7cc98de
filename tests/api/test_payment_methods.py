"""Saved payment methods over HTTP, attached at the sandbox provider."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest


@pytest.fixture
async def methods(api: httpx.AsyncClient) -> str:
    """The path of a customer's payment methods."""
    customer = await api.post("/customers", json={"customer_name": "Acme GmbH"})
    return f"{customer.headers['location']}/payment_methods"


async def attached(api: httpx.AsyncClient, methods: str, **more: Any) -> Any:
    answer = await api.post(methods, json={"gateway": "sandbox", "token": "pm_sandbox_card_ok", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def defaults(api: httpx.AsyncClient, methods: str) -> list[str]:
    return [method["id"] for method in (await api.get(methods)).json()["data"] if method["is_default"]]


async def test_a_method_shows_what_it_is_and_never_its_token(api: httpx.AsyncClient, methods: str) -> None:
    method = await attached(api, methods)
    read = await api.get(f"{methods}/{method['id']}")

    assert read.json() == method
    assert method["type"] == "card"
    assert len(method["last4"]) == 4
    assert method["status"] == "active"
    assert method["is_default"] is False
    assert "pm_sandbox" not in read.text


@pytest.mark.parametrize("token", ["pm_sandbox_unheard_of", "pm_elsewhere"])
async def test_a_token_the_gateway_does_not_know_is_unusable(api: httpx.AsyncClient, methods: str, token: str) -> None:
    answer = await api.post(methods, json={"gateway": "sandbox", "token": token})

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/payment-method-unusable"


async def test_an_unknown_gateway_is_refused(api: httpx.AsyncClient, methods: str) -> None:
    answer = await api.post(methods, json={"gateway": "elsewhere", "token": "pm_sandbox_card_ok"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "gateway"]


@pytest.mark.parametrize("extra", [{"card_number": "4242424242424242"}, {"token": "4242424242424242"}, {"cvc": "123"}])
async def test_a_card_itself_is_refused(api: httpx.AsyncClient, methods: str, extra: dict[str, str]) -> None:
    answer = await api.post(methods, json={"gateway": "sandbox", "token": "pm_sandbox_card_ok", **extra})

    assert answer.status_code == 422
    assert "4242" not in answer.text


async def test_a_customer_has_one_default_however_many_ask_at_once(api: httpx.AsyncClient, methods: str) -> None:
    ids = [(await attached(api, methods, set_as_default=True))["id"] for _ in range(4)]
    assert await defaults(api, methods) == [ids[-1]]

    answers = await asyncio.gather(*[api.put(f"{methods}/{method}/default") for method in ids * 3])

    assert {answer.status_code for answer in answers} == {200}
    assert len(await defaults(api, methods)) == 1


async def test_a_removed_method_stays_for_the_record_and_is_no_default(api: httpx.AsyncClient, methods: str) -> None:
    method = await attached(api, methods, set_as_default=True)
    first = await api.delete(f"{methods}/{method['id']}")
    again = await api.delete(f"{methods}/{method['id']}")

    assert first.status_code == again.status_code == 204
    assert (await api.get(f"{methods}/{method['id']}")).json()["status"] == "removed"
    assert (await api.get(methods, params={"status": "active"})).json()["total"] == 0
    assert (await api.put(f"{methods}/{method['id']}/default")).status_code == 422
    assert await defaults(api, methods) == []


async def test_a_replayed_attachment_is_the_first_one(api: httpx.AsyncClient, methods: str) -> None:
    body = {"gateway": "sandbox", "token": "pm_sandbox_card_ok"}
    answers = await asyncio.gather(
        *[api.post(methods, json=body, headers={"Idempotency-Key": "one"}) for _ in range(5)]
    )

    assert len({answer.content for answer in answers}) == 1
    assert (await api.get(methods)).json()["total"] == 1


async def test_a_method_is_found_under_its_own_customer_only(api: httpx.AsyncClient, methods: str) -> None:
    method = await attached(api, methods)
    stranger = await api.post("/customers", json={"customer_name": "Other"})
    path = f"{stranger.headers['location']}/payment_methods/{method['id']}"

    assert (await api.get(path)).status_code == 404
    assert (await api.delete(path)).status_code == 404
    assert (await api.put(f"{path}/default")).status_code == 404
