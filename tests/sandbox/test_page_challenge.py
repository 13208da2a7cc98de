"""Strong authentication at the hosted page, by plain HTTP: the bank asks, and money moves on a yes to its own question."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider, hidden


def ask(provider: Provider, page: str) -> dict[str, str]:
    """Pay with the card whose bank asks; the hidden fields of its question."""
    asked = provider.submit(page, "pay", "card_needs_customer")
    assert asked.status_code == 200
    return hidden(asked.text)


def answer(provider: Provider, page: str, action: str, question: dict[str, str], **changes: Any) -> httpx.Response:
    return provider.http.post(page, data={**question, "action": action, **changes})


def test_the_bank_asks_before_anything_is_captured_or_declined(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    asked = provider.submit(page, "pay", "card_needs_customer")

    assert asked.status_code == 200
    assert "Confirm this payment" in asked.text
    assert hidden(asked.text)["instrument"] == "card_needs_customer"
    assert shop.truth().items() >= {"outcome": "page_open", "url": page, "declined": 0}.items()
    assert provider.effects(key=shop.key) == ["page_opened"]


def test_a_yes_captures_and_leads_to_the_shop(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    confirmed = answer(provider, page, "pay", ask(provider, page))

    assert confirmed.status_code == 303
    assert confirmed.headers["location"].startswith("http://127.0.0.1:9/ok?")
    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


def test_a_no_is_a_decline_and_the_page_stays_payable(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    refused = answer(provider, page, "refuse", ask(provider, page))

    assert refused.status_code == 200
    assert "not confirmed with your bank" in refused.text
    assert shop.truth().items() >= {"outcome": "page_open", "url": page, "declined": 1}.items()
    assert provider.submit(page, "pay").status_code == 303
    assert provider.effects(key=shop.key) == ["page_opened", "declined", "captured"]


def test_who_leaves_at_the_bank_may_come_back_and_is_asked_again(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    left = answer(provider, page, "leave", ask(provider, page))

    assert left.headers["location"].startswith("http://127.0.0.1:9/no?")
    assert shop.truth() == {"outcome": "left", "declined": 0}
    assert answer(provider, page, "pay", ask(provider, page)).status_code == 303


def test_an_answer_that_was_given_does_nothing_a_second_time(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    question = ask(provider, page)
    answer(provider, page, "refuse", question)

    again = [answer(provider, page, action, question) for action in ("pay", "refuse")]

    assert {each.status_code for each in again} == {409}
    assert all("no longer valid" in each.text for each in again)
    assert provider.effects(key=shop.key) == ["page_opened", "declined"]


@pytest.mark.parametrize("action", ["pay", "refuse"])
def test_a_forged_or_foreign_answer_does_nothing(provider: Provider, action: str) -> None:
    shop, other = Shop(provider), Shop(provider)
    page = shop.page()
    foreign, form = ask(provider, other.page()), provider.hidden(page)["form"]

    answers = [answer(provider, page, action, {**foreign, "challenge": it}) for it in (foreign["challenge"], form, "x")]

    assert {each.status_code for each in answers} == {409}
    assert provider.effects(key=shop.key) == ["page_opened"]


def test_nobody_can_refuse_what_no_bank_asked(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    question = ask(provider, page)

    assert answer(provider, page, "refuse", question, instrument="card_ok").status_code == 422
    assert answer(provider, page, "refuse", question, challenge="").status_code == 200
    assert provider.effects(key=shop.key) == ["page_opened"]


def test_a_yes_pressed_twice_pays_once_and_leads_to_the_shop_both_times(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    question = ask(provider, page)

    answers = [answer(provider, page, "pay", question) for _ in range(2)]

    assert {each.headers["location"] for each in answers} == {
        f"http://127.0.0.1:9/ok?from=shop&checkout_session_id={shop.reference}#top"
    }
    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


def test_a_yes_to_a_page_that_was_closed_meanwhile_charges_nothing(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    question = ask(provider, page)
    shop.call("close_page", key=shop.key)

    late = answer(provider, page, "pay", question)

    assert late.status_code == 409
    assert "no longer open" in late.text
    assert provider.effects(key=shop.key) == ["page_opened", "page_closed"]
