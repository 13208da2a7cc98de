"""Charges of saved methods: what each does, and those that take their time."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Listener, Provider, until

UNDER_WAY = {"outcome": "under_way"}
FAILED = {"outcome": "declined", "code": "bank_transfer_failed", "soft": True}


def types(listener: Listener, shop: Shop) -> list[str]:
    return [json.loads(body)["type"] for _, body in listener.about(shop.reference)]


@pytest.mark.parametrize(
    ("method", "code", "soft"),
    [
        ("card_declined", "card_declined", True),
        ("card_insufficient_funds", "insufficient_funds", True),
        ("card_expired", "expired_card", False),
        ("card_stolen", "stolen_card", False),
        ("gold", "unknown_token", False),
    ],
)
def test_a_no_is_soft_where_another_day_may_do(shop: Shop, method: str, code: str, soft: bool) -> None:  # noqa: FBT001
    assert shop.charge(method=method).json() == {"outcome": "declined", "code": code, "soft": soft}


def test_a_transfer_is_under_way_and_arrives_later(shop: Shop, provider: Provider, listener: Listener) -> None:
    key = f"{shop.reference}/charge"

    assert shop.charge(method="bank_later").json() == UNDER_WAY
    assert shop.truth(key) == UNDER_WAY
    assert provider.effects(account=shop.account) == []

    until(lambda: provider.effects(account=shop.account) == ["captured"])
    assert shop.truth(key)["amount"] == {"minor": 500, "currency": "USD"}
    until(lambda: types(listener, shop) == ["charge.under_way", "charge.captured"])
    assert shop.charge(method="bank_later").json() == UNDER_WAY


def test_a_transfer_can_fail_later_and_that_is_a_definite_no(
    shop: Shop, provider: Provider, listener: Listener
) -> None:
    assert shop.charge(method="bank_fails").json() == UNDER_WAY

    until(lambda: provider.effects(account=shop.account) == ["declined"])
    assert shop.truth(f"{shop.reference}/charge") == FAILED
    until(lambda: types(listener, shop) == ["charge.under_way", "charge.failed"])


def test_what_is_refunded_while_under_way_never_arrives(shop: Shop, provider: Provider) -> None:
    key = f"{shop.reference}/charge"
    shop.charge(method="bank_later")

    assert shop.call("close_page", key=key).json() == UNDER_WAY
    assert shop.call("refund", key="back", of=key).json() == {"outcome": "nothing_to_refund"}

    assert shop.truth(key) == {"outcome": "closed", "declined": 0}
    later = Shop(provider, shop.account)
    later.charge(method="bank_later")
    until(lambda: provider.effects(reference=later.reference) == ["captured"])
    assert provider.effects(key=key) == ["declined"]


def test_a_transfer_that_settles_may_break_promises_when_told_to(shop: Shop, provider: Provider) -> None:
    provider.arm(call="charge", fault="double_capture", match={"account": shop.account})

    shop.charge(method="bank_later")

    until(lambda: provider.effects(account=shop.account) == ["captured", "captured"])
