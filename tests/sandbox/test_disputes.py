"""Disputes: what a customer's bank may take back, and what is left to refund."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Listener, Provider, until


def dispute(shop: Shop, **changes: Any) -> httpx.Response:
    body = {"account": shop.account, "key": f"{shop.reference}/charge", "reason": "not_received"}
    return shop.provider.http.post("/disputes", json={**body, **changes})


def decide(shop: Shop, opened: httpx.Response, outcome: str) -> httpx.Response:
    return shop.provider.http.post(f"/disputes/{opened.json()['id']}", json={"outcome": outcome})


def refund(shop: Shop, key: str, amount: int | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"key": key, "of": f"{shop.reference}/charge"}
    answer: dict[str, Any] = shop.call("refund", **body | ({} if amount is None else {"amount_minor": amount})).json()
    return answer


def test_what_a_lost_dispute_took_cannot_be_refunded(shop: Shop) -> None:
    shop.charge(amount=500)
    opened = dispute(shop, amount_minor=300)

    lost = decide(shop, opened, "lost").json()

    assert (opened.status_code, opened.json()["status"], opened.json()["withdrawn_minor"]) == (201, "open", 0)
    assert (lost["status"], lost["withdrawn_minor"]) == ("lost", 300)
    assert refund(shop, "more", 201) == {"error": {"code": "refund_exceeds_capture"}}
    assert refund(shop, "rest")["amount"]["minor"] == 200
    assert refund(shop, "nothing") == {"outcome": "nothing_to_refund"}


def test_a_dispute_that_was_won_takes_nothing(shop: Shop) -> None:
    shop.charge(amount=500)

    assert decide(shop, dispute(shop), "won").json()["withdrawn_minor"] == 0

    assert refund(shop, "all")["amount"]["minor"] == 500


def test_what_was_refunded_meanwhile_is_not_withdrawn_again(shop: Shop) -> None:
    shop.charge(amount=500)
    opened = dispute(shop)
    refund(shop, "part", 400)

    assert opened.json()["amount_minor"] == 500
    assert decide(shop, opened, "lost").json()["withdrawn_minor"] == 100


def test_the_ledger_tells_of_it_without_an_effect(shop: Shop, provider: Provider) -> None:
    shop.charge(amount=500)
    decide(shop, dispute(shop, amount_minor=300), "lost")

    _, opened, closed = provider.ledger(reference=shop.reference)

    assert [(line["call"], line["effect"], line["amount_minor"]) for line in (opened, closed)] == [
        ("dispute", "none", 500)
    ] * 2
    assert [line["withdrawn_minor"] for line in (opened, closed)] == [None, 300]
    assert opened["asked"] == {"amount_minor": 300, "reason": "not_received"}
    assert [line["answer"]["outcome"] for line in (opened, closed)] == ["open", "lost"]


def test_the_service_hears_of_it(shop: Shop, listener: Listener) -> None:
    shop.charge(amount=500)
    opened = dispute(shop)
    decide(shop, opened, "won")

    until(lambda: len(listener.about(shop.reference)) == 3)

    _, *events = [json.loads(body) for _, body in listener.about(shop.reference)]
    assert [(event["type"], event["status"]) for event in events] == [
        ("dispute.opened", "open"),
        ("dispute.closed", "won"),
    ]
    assert {event["dispute"] for event in events} == {opened.json()["id"]}


def test_a_dispute_is_decided_once(shop: Shop, provider: Provider) -> None:
    shop.charge()
    opened = dispute(shop)
    decided = decide(shop, opened, "lost")

    assert decide(shop, opened, "lost").json() == decided.json()
    assert decide(shop, opened, "won").json() == {"error": {"code": "dispute_closed"}}
    assert len([line for line in provider.ledger(account=shop.account) if line["call"] == "dispute"]) == 2


def test_only_what_is_held_can_be_disputed(shop: Shop) -> None:
    assert dispute(shop).status_code == 404
    shop.charge(method="card_declined")
    assert dispute(shop).json() == {"error": {"code": "dispute_exceeds_capture"}}
    shop.charge("paid", amount=500)
    refund_of_a_part: dict[str, Any] = {"key": "part", "of": f"{shop.reference}/paid", "amount_minor": 100}
    shop.call("refund", **refund_of_a_part)

    assert dispute(shop, key=f"{shop.reference}/paid", amount_minor=401).status_code == 422
    assert dispute(shop, key=f"{shop.reference}/paid", amount_minor=400).status_code == 201
    assert shop.provider.http.post("/disputes/dp_none", json={"outcome": "won"}).status_code == 404


@pytest.mark.parametrize("change", [{"reason": "Ada says no"}, {"amount_minor": 0}, {"more": 1}, {"account": "x"}])
def test_a_malformed_dispute_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    shop.charge()

    assert dispute(shop, **change).status_code == 422


def test_another_account_cannot_dispute_it(shop: Shop) -> None:
    shop.charge()

    assert dispute(shop, account=str(uuid4())).status_code == 404
