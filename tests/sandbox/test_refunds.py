"""Refunds: all of what was captured or a part of it, never more than is held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from checkout.outcomes import Captured, Refunded
from sandbox import calls, paying, store
from sandbox.requests import LookUp, OpenPage, Refund
from sandbox.turn import Turn
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider

EXCEEDS = {"error": {"code": "refund_exceeds_capture"}}


def refund(shop: Shop, key: str, amount: int | None = None, of: str = "charge") -> httpx.Response:
    body: dict[str, Any] = {"key": f"{shop.reference}/{key}", "of": f"{shop.reference}/{of}"}
    return shop.call("refund", **body | ({} if amount is None else {"amount_minor": amount}))


def returned(shop: Shop, provider: Provider) -> list[int]:
    return [line["amount_minor"] for line in provider.ledger(account=shop.account) if line["effect"] == "refunded"]


def test_a_part_is_returned_exactly_and_then_the_rest(shop: Shop, provider: Provider) -> None:
    shop.charge(amount=500)

    answers = [refund(shop, "first", 120), refund(shop, "second", 80), refund(shop, "rest"), refund(shop, "none")]

    assert [answer.json()["outcome"] for answer in answers] == ["refunded"] * 3 + ["nothing_to_refund"]
    assert [answer.json()["amount"]["minor"] for answer in answers[:3]] == [120, 80, 300]
    assert returned(shop, provider) == [120, 80, 300]


def test_the_same_refund_again_returns_nothing_more(shop: Shop, provider: Provider) -> None:
    shop.charge(amount=500)

    first, second = refund(shop, "part", 120).json(), refund(shop, "part", 120).json()

    assert first == second == shop.truth(f"{shop.reference}/part")
    assert refund(shop, "part", 121).json() == {"error": {"code": "key_reused"}}
    assert refund(shop, "part").json() == {"error": {"code": "key_reused"}}
    assert returned(shop, provider) == [120]


def test_more_than_is_held_is_refused_and_the_key_stays_free(shop: Shop, provider: Provider) -> None:
    shop.charge(amount=500)
    refund(shop, "first", 200)

    refused = refund(shop, "second", 301)

    assert (refused.status_code, refused.json()) == (422, EXCEEDS)
    assert shop.truth(f"{shop.reference}/second") == {"outcome": "not_found"}
    assert refund(shop, "second", 300).json()["outcome"] == "refunded"
    assert refund(shop, "third", 1).json() == EXCEEDS
    assert returned(shop, provider) == [200, 300]


@pytest.mark.parametrize("amount", [None, 100])
def test_refunding_what_never_happened_closes_the_key(shop: Shop, provider: Provider, amount: int | None) -> None:
    assert refund(shop, "back", amount).json() == {"outcome": "nothing_to_refund"}

    assert shop.charge().json() == {"outcome": "declined", "code": "key_closed", "soft": False}
    assert provider.effects(account=shop.account) == []


@pytest.mark.parametrize("amount", [None, 700, 1000])
def test_of_two_captures_under_one_key_all_or_exactly_a_part_is_returned(
    shop: Shop, provider: Provider, amount: int | None
) -> None:
    provider.arm(call="charge", fault="double_capture", match={"account": shop.account})
    shop.charge(amount=500)

    assert refund(shop, "back", amount).json()["amount"]["minor"] == (amount or 1000)

    assert refund(shop, "more", 1001 - (amount or 1000)).json() == EXCEEDS


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, "100"])
def test_a_part_is_a_positive_whole_number_of_minor_units(shop: Shop, amount: object) -> None:
    shop.charge()

    assert shop.call("refund", key="back", of=f"{shop.reference}/charge", amount_minor=amount).status_code == 422


def test_a_transfer_that_is_due_to_arrive_is_returned_although_nobody_looked_yet(tmp_path: Path) -> None:
    connection = store.connected(tmp_path / "gateway.db")
    account, now = uuid4(), datetime.now(UTC)
    turn = Turn(connection, now, "open_page", "", timedelta(seconds=3))
    later = Turn(connection, now + timedelta(seconds=4), "refund", "", timedelta(seconds=3))
    calls.open_page(turn, OpenPage.model_validate(page(account, now)))
    payment = store.payment_of(connection, str(account), "page")
    assert payment
    paying.pay(turn, payment, "bank_ok")

    answer = calls.refund(later, Refund(account=account, key="back", of="page"))

    assert isinstance(answer, Refunded)
    assert isinstance(calls.look_up(later, LookUp(account=account, key="page")), Captured)
    connection.close()


def page(account: object, now: datetime) -> dict[str, object]:
    return {
        "account": account, "key": "page", "reference": uuid4(), "amount_minor": 100, "currency": "USD",
        "merchant": "", "description": "", "lines": (), "success_url": None, "cancel_url": None,
        "pending_url": None, "preferred": None, "expires_at": now + timedelta(hours=1),
    }  # fmt: skip
