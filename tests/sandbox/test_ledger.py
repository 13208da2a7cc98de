"""The ledger: every call and its true effect, in order, for good."""

from __future__ import annotations

import sqlite3

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider, until

MEMBERS = {
    "seq", "at", "call", "key", "reference", "account", "amount_minor", "currency", "effect", "answered",
    "asked", "answer", "withdrawn_minor",
}  # fmt: skip


def test_a_purchase_can_be_followed_by_its_reference(shop: Shop, provider: Provider) -> None:
    provider.submit(shop.page(), "pay")
    shop.call("refund", key=f"{shop.reference}/1/refund", of=shop.key)

    entries = provider.ledger(reference=shop.reference)

    assert {frozenset(entry) for entry in entries} == {frozenset(MEMBERS)}
    assert [(entry["call"], entry["effect"], entry["amount_minor"]) for entry in entries] == [
        ("open_page", "page_opened", 129900),
        ("page", "captured", 129900),
        ("refund", "refunded", 129900),
    ]
    assert [entry["key"] for entry in entries] == [shop.key, shop.key, f"{shop.reference}/1/refund"]


def test_filters_narrow_it(shop: Shop, provider: Provider) -> None:
    shop.page()
    shop.charge()
    first, second = provider.ledger(account=shop.account)

    assert provider.ledger(key=shop.key) == [first]
    assert provider.ledger(account=shop.account, since=first["seq"]) == [second]
    assert provider.ledger(account=shop.account, since=second["at"]) == [second]
    assert provider.ledger(account="nobody") == []


def test_a_malformed_since_is_refused(provider: Provider) -> None:
    assert provider.http.get("/ledger", params={"since": "yesterday"}).status_code == 422


def test_a_call_without_an_effect_stands_in_it_too(shop: Shop, provider: Provider) -> None:
    shop.truth("never used")

    (entry,) = provider.ledger(account=shop.account)

    assert (entry["call"], entry["key"], entry["effect"], entry["reference"]) == ("look_up", "never used", "none", None)


def test_a_call_without_an_effect_is_found_by_the_reference_in_its_key(shop: Shop, provider: Provider) -> None:
    provider.http.post("/faults", json={"call": "charge", "fault": "500_before"})
    shop.charge()
    shop.call("refund", key=f"{shop.key}/refund", of=shop.key)
    shop.truth()

    entries = provider.ledger(reference=shop.reference)

    assert [(entry["call"], entry["effect"]) for entry in entries] == [
        ("charge", "none"),
        ("refund", "none"),
        ("look_up", "none"),
    ]


def test_it_tells_what_was_asked_and_what_was_answered(shop: Shop, provider: Provider) -> None:
    shop.charge(method="card_declined")
    shop.charge(amount=501, method="card_declined")
    shop.call("refund", key="back", of=f"{shop.reference}/charge", amount_minor=70)
    shop.call("attach", token="pm_sandbox_gold")

    lines = provider.ledger(account=shop.account)

    charge = {"amount_minor": 500, "currency": "USD", "method": "pm_sandbox_card_declined"}
    assert [(line["asked"], line["answer"]) for line in lines] == [
        (charge, {"status": 200, "outcome": "declined", "code": None}),
        ({**charge, "amount_minor": 501}, {"status": 409, "outcome": None, "code": "key_reused"}),
        (
            {"amount_minor": 70, "of": f"{shop.reference}/charge"},
            {"status": 200, "outcome": "nothing_to_refund", "code": None},
        ),
        ({"token": "pm_sandbox_gold"}, {"status": 200, "outcome": "declined", "code": None}),
    ]


def test_what_a_customer_does_is_told_and_what_time_does_was_asked_by_nobody(shop: Shop, provider: Provider) -> None:
    provider.submit(shop.page(), "pay", "bank_ok")
    until(lambda: shop.truth()["outcome"] == "captured")

    opened, chosen, *_ = lines = [line for line in provider.ledger(key=shop.key) if line["call"] != "look_up"]

    assert opened["answer"]["outcome"] == "page_open"
    assert chosen["asked"] == {"instrument": "bank_ok"}
    assert [(line["call"], line["effect"], line["asked"], line["answer"]) for line in lines[2:]] == [
        ("page", "captured", None, None)
    ]


def test_it_shows_nothing_of_a_person(shop: Shop, provider: Provider) -> None:
    shop.page(merchant="Ada Byron", description="for Ada Byron", preferred="card")

    assert "Ada" not in provider.http.get("/ledger", params={"account": shop.account}).text
    assert "127.0.0.1" not in provider.http.get("/ledger", params={"account": shop.account}).text


def test_nothing_can_be_changed_or_taken_out(shop: Shop, provider: Provider) -> None:
    shop.charge()
    connection = sqlite3.connect(provider.home / "gateway.db")

    for statement in ("UPDATE ledger SET effect = 'none'", "DELETE FROM ledger"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_calls_need_the_secret_but_the_ledger_does_not(shop: Shop, provider: Provider) -> None:
    body = {"account": shop.account, "token": "pm_sandbox_card_ok"}

    assert provider.http.post("/attach", json=body).status_code == 401
    assert provider.http.post("/attach", json=body, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert provider.http.get("/ledger").status_code == 200
