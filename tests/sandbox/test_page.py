"""The hosted page, by plain HTTP: what a customer can do there and what becomes of it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Listener, Provider, until

HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}\"'&\u202e\u200b"


@pytest.mark.parametrize("instrument", ["card_ok", "wallet_ok", "invoice_ok"])
def test_paying_captures_the_amount_once_and_leads_back_to_the_shop(
    shop: Shop, provider: Provider, instrument: str
) -> None:
    page = shop.page()

    answer = provider.submit(page, "pay", instrument)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"http://127.0.0.1:9/ok?from=shop&checkout_session_id={shop.reference}#top"
    assert shop.truth()["amount"] == {"minor": 129900, "currency": "USD"}
    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


@pytest.mark.parametrize("instrument", ["card_declined", "card_insufficient_funds"])
def test_a_refusal_is_shown_and_the_page_stays_payable(shop: Shop, provider: Provider, instrument: str) -> None:
    page = shop.page()

    refused = provider.submit(page, "pay", instrument)

    assert refused.status_code == 200
    assert 'role="alert"' in refused.text
    assert shop.truth().items() >= {"outcome": "page_open", "url": page, "declined": 1}.items()
    assert provider.submit(page, "pay").status_code == 303
    assert provider.effects(key=shop.key) == ["page_opened", "declined", "captured"]


def test_a_transfer_is_under_way_until_it_settles_or_fails(provider: Provider) -> None:
    good, bad = Shop(provider), Shop(provider)
    page, failing = good.page(pending_url="https://shop.example/wait"), bad.page()

    assert provider.submit(page, "pay", "bank_ok").headers["location"].startswith("https://shop.example/wait?")
    assert provider.submit(failing, "pay", "bank_fails").headers["location"].startswith("http://127.0.0.1:9/ok?")

    assert "Payment under way" in provider.http.get(page).text
    assert good.truth() == bad.truth() == {"outcome": "under_way"}
    assert good.call("close_page", key=good.key).json() == {"outcome": "under_way"}
    until(lambda: provider.effects(key=good.key) == ["page_opened", "captured"])
    until(lambda: provider.effects(key=bad.key) == ["page_opened", "declined"])
    assert good.truth()["outcome"] == "captured"
    assert bad.truth() == {"outcome": "closed", "declined": 1}
    assert "did not arrive" in provider.http.get(failing).text


def test_who_leaves_may_come_back_and_pay(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    left = provider.submit(page, "leave")

    assert left.headers["location"] == f"http://127.0.0.1:9/no?checkout_session_id={shop.reference}"
    assert shop.truth() == {"outcome": "left", "declined": 0}
    assert provider.submit(page, "pay").status_code == 303
    assert shop.truth()["outcome"] == "captured"


def test_a_page_no_longer_open_changes_nothing_and_says_so(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    shop.call("close_page", key=shop.key)

    answer = provider.submit(page, "pay")

    assert answer.status_code == 409
    assert "no longer open" in answer.text
    assert shop.truth() == {"outcome": "closed", "declined": 0}
    assert provider.effects(key=shop.key) == ["page_opened", "page_closed"]


def test_paying_twice_captures_once(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    answers = [provider.submit(page, "pay").status_code for _ in range(3)]

    assert answers == [303, 409, 409]
    assert provider.effects(key=shop.key).count("captured") == 1


@pytest.mark.parametrize("instrument", ["card_ok", "bank_ok"])
def test_the_same_form_again_pays_once_and_leads_where_it_led(shop: Shop, provider: Provider, instrument: str) -> None:
    page = shop.page(pending_url="http://127.0.0.1:9/wait")
    form = {**provider.hidden(page), "action": "pay", "instrument": instrument}

    answers = [provider.http.post(page, data=form) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    until(lambda: shop.truth()["outcome"] == "captured")
    assert provider.effects(key=shop.key).count("captured") == 1


def test_ten_forms_at_once_pay_once_and_all_lead_to_the_shop(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    form = {**provider.hidden(page), "action": "pay", "instrument": "card_ok"}

    with ThreadPoolExecutor(10) as tabs:
        answers = list(tabs.map(lambda _: provider.http.post(page, data=form), range(10)))

    assert {answer.headers.get("location", answer.text).partition("?")[0] for answer in answers} == {
        "http://127.0.0.1:9/ok"
    }
    assert provider.effects(key=shop.key).count("captured") == 1


def test_a_form_of_another_page_is_told_that_this_one_is_paid(provider: Provider) -> None:
    paid, other = Shop(provider), Shop(provider)
    page = paid.page()
    provider.submit(page, "pay")

    answer = provider.http.post(page, data={**provider.hidden(other.page()), "action": "pay", "instrument": "card_ok"})

    assert answer.status_code == 409
    assert "Payment complete" in answer.text


def test_leaving_a_page_that_is_paid_does_not_lead_away_from_the_outcome(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    form = {**provider.hidden(page), "action": "leave"}
    provider.submit(page, "pay")

    answer = provider.http.post(page, data=form)

    assert answer.status_code == 409
    assert "no longer open" in answer.text
    assert "Payment complete" in answer.text


def test_leaving_twice_is_leaving_once(shop: Shop, provider: Provider, listener: Listener) -> None:
    page = shop.page()

    assert {provider.submit(page, "leave").headers["location"] for _ in range(3)} == {
        f"http://127.0.0.1:9/no?checkout_session_id={shop.reference}"
    }
    provider.submit(page, "pay")
    until(lambda: any(b"page.paid" in body for _, body in listener.about(shop.reference)))
    assert sum(b"page.left" in body for _, body in listener.about(shop.reference)) == 1


def test_a_page_closes_when_it_expires(shop: Shop, provider: Provider) -> None:
    page = shop.page(expires_at=(datetime.now(UTC) + timedelta(seconds=0.3)).isoformat())

    until(lambda: "page_closed" in provider.effects(key=shop.key))

    assert "expired" in provider.http.get(page).text
    assert provider.submit(page, "pay").status_code == 409
    assert shop.truth()["outcome"] == "closed"


def test_get_answers_in_every_state_under_a_content_security_policy(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    states = [provider.http.get(page)]
    provider.submit(page, "leave")
    states.append(provider.http.get(page))
    provider.submit(page, "pay")
    states.append(provider.http.get(page))

    assert {state.status_code for state in states} == {200}
    assert all("default-src 'none'" in state.headers["content-security-policy"] for state in states)
    assert not any("set-cookie" in state.headers for state in states)


@pytest.mark.parametrize(
    ("success", "leads"), [("https://shop.example/ok", "https:"), ("http://127.0.0.1:9/ok", "http:")]
)
def test_the_policy_allows_nothing_but_the_style_and_the_way_to_the_shop(
    shop: Shop, provider: Provider, success: str, leads: str
) -> None:
    answer = provider.http.get(shop.page(success_url=success, cancel_url=None))

    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self' {leads}"
    )
    assert not re.search(r"<script|style=|\son[a-z]+=|javascript:", answer.text)
    assert answer.headers["x-robots-tag"] == "noindex"


def test_without_an_address_of_the_shop_the_page_shows_the_outcome(shop: Shop, provider: Provider) -> None:
    page = shop.page(success_url=None, cancel_url=None)

    assert "You left this page" in provider.submit(page, "leave").text
    assert "Payment complete" in provider.submit(page, "pay").text


def test_names_are_shown_as_text_whatever_they_contain(shop: Shop, provider: Provider) -> None:
    lines = [{"name": HOSTILE, "quantity": HOSTILE, "amount_minor": 129900}]

    shown = provider.http.get(shop.page(merchant=HOSTILE, description=HOSTILE, lines=lines)).text

    assert "<script" not in shown
    assert "49" not in shown.replace("129900", "")
    assert not set("\u202e\u200b") & set(shown)


def test_the_preferred_instrument_is_preselected(shop: Shop, provider: Provider) -> None:
    shown = provider.http.get(shop.page(preferred="bank_transfer")).text

    assert 'value="bank_ok" required checked' in shown
    assert shown.count("checked") == 1


def test_a_form_without_a_known_choice_changes_nothing(shop: Shop, provider: Provider) -> None:
    page = shop.page()

    answers = [provider.submit(page, "pay", "gold"), provider.submit(page, "steal"), provider.http.post(page)]

    assert {answer.status_code for answer in answers} == {422}
    assert all(answer.text.count("checked") == 1 for answer in answers)
    assert provider.effects(key=shop.key) == ["page_opened"]


def test_whatever_comes_to_a_page_no_longer_open_is_told_so(shop: Shop, provider: Provider) -> None:
    page = shop.page()
    provider.submit(page, "pay")

    answers = [provider.submit(page, "pay", "gold"), provider.submit(page, "refuse"), provider.http.post(page)]

    assert {answer.status_code for answer in answers} == {409}
    assert all("no longer open" in answer.text for answer in answers)
    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


def test_an_unknown_page_is_404(provider: Provider) -> None:
    assert provider.http.get("/pay/guessed").status_code == 404
    assert provider.submit("/pay/guessed", "pay").status_code == 404


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "http:///x", "https://a\tb/"])
def test_only_web_addresses_are_taken_for_the_shop(shop: Shop, url: str) -> None:
    assert shop.call("open_page", key=shop.key, success_url=url).status_code == 422
