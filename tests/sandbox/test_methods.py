"""Saved methods: attached by a token, or by paying at a page that saves."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider, until


def saved(shop: Shop, customer: str) -> list[str]:
    answer: list[dict[str, Any]] = shop.call("methods", customer=customer).raise_for_status().json()["data"]
    return [method["token"] for method in answer]


def test_what_is_attached_for_a_customer_is_listed_once_as_it_was_answered(shop: Shop) -> None:
    ada, bob = str(uuid4()), str(uuid4())
    card, _, bank = (
        shop.call("attach", token=f"pm_sandbox_{name}", customer=ada).json()
        for name in ("card_ok", "card_ok", "bank_ok")
    )
    shop.call("attach", token="pm_sandbox_wallet_ok", customer=bob)
    shop.call("attach", token="pm_sandbox_invoice_ok")
    shop.call("attach", token="pm_sandbox_gold", customer=ada)

    assert shop.call("methods", customer=ada).json() == {"outcome": "methods", "data": [card, bank]}
    assert saved(shop, bob) == ["pm_sandbox_wallet_ok"]


@pytest.mark.parametrize("instrument", ["card_ok", "wallet_ok", "invoice_ok", "bank_ok"])
def test_what_a_page_is_paid_with_can_be_charged_later(shop: Shop, instrument: str) -> None:
    customer = str(uuid4())
    page = shop.page(save_for=customer)

    shop.provider.submit(page, "pay", "card_declined")
    assert saved(shop, customer) == []
    shop.provider.submit(page, "pay", instrument)

    until(lambda: shop.truth()["outcome"] == "captured")
    assert saved(shop, customer) == [f"pm_sandbox_{instrument}"]
    assert shop.charge(method=instrument).json()["outcome"] == "captured"


def test_what_did_not_pay_is_not_saved(shop: Shop, provider: Provider) -> None:
    customer = str(uuid4())

    provider.submit(shop.page(save_for=customer), "pay", "bank_fails")

    until(lambda: shop.truth()["outcome"] == "closed")
    assert saved(shop, customer) == []


def test_a_page_saves_only_where_it_is_asked_to(shop: Shop, provider: Provider) -> None:
    customer = str(uuid4())
    provider.submit(shop.page(), "pay")

    assert saved(shop, customer) == []


def test_a_page_has_a_reference_that_does_not_open_it(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    reference = shop.truth()["reference"]

    assert reference.startswith("page_")
    assert provider.http.get(f"/pay/{reference}").status_code == 404
    provider.submit(page, "pay", "card_declined")
    assert shop.truth()["reference"] == reference


@pytest.mark.parametrize("customer", ["Ada Byron", 7, None])
def test_a_customer_is_an_id(shop: Shop, customer: object) -> None:
    assert shop.call("methods", customer=customer).status_code == 422
