"""What the hosted page says, in the customer's language."""

from __future__ import annotations

import re
from string import Formatter
from uuid import uuid4

import httpx
import pytest

from checkout.languages import LANGUAGES, Language
from sandbox.instruments import AT_PAGE
from sandbox.page_view import STANDINGS
from sandbox.phrases import PHRASES, phrase
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider


@pytest.mark.parametrize("name", PHRASES)
def test_every_language_has_every_phrase_with_the_same_gaps(name: str) -> None:
    spoken = [phrase(name, language) for language in LANGUAGES]
    gaps = [{gap for _, gap, _, _ in Formatter().parse(text) if gap} for text in spoken]

    assert len(PHRASES[name]) == len(LANGUAGES)
    assert all(text.strip() for text in spoken)
    assert all(each == gaps[0] for each in gaps)


def test_everything_the_page_may_show_has_a_phrase() -> None:
    labels = {name for name, instrument in AT_PAGE.items() if not instrument.last4}
    refusals = {instrument.code for instrument in AT_PAGE.values() if instrument.code}
    standings = {*STANDINGS, *(f"{name}_text" for name in STANDINGS)}

    assert {*labels, *refusals, *standings, *(f"{name}_hint" for name in AT_PAGE)} <= set(PHRASES)


def shown_to(shop: Shop, accept_language: str, **page: object) -> httpx.Response:
    return shop.provider.http.get(shop.page(**page), headers={"Accept-Language": accept_language})


@pytest.mark.parametrize(
    ("asked", "language", "total"),
    [
        ("en-US", "en", "$1,299.00"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "$ 1.299,00"),
        ("fr-FR", "fr", "1 299,00 $US"),
        ("es", "es", "1.299,00 US$"),
        ("pt-BR,pt;q=0.9", "en", "US$ 1.299,00"),
        ("xx, hi-IN;q=0.5", "en", "$1,299.00"),
        ("nonsense!!", "en", "$1,299.00"),
    ],
)
def test_the_page_is_in_the_customers_language_and_amounts_in_their_locale(
    shop: Shop, asked: str, language: Language, total: str
) -> None:
    answer = shown_to(shop, asked)

    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept-Language"
    assert f'<html lang="{language}">' in answer.text
    assert phrase("how", language) in answer.text
    assert total in re.sub(r"[\u00a0\u202f]", " ", answer.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_challenges_and_outcomes_are_in_the_customers_language_too(
    provider: Provider, language: Language
) -> None:
    page = Shop(provider).page(success_url=None)
    browser = httpx.Client(headers={"Accept-Language": language}, trust_env=False)

    def posted(instrument: str) -> str:
        return browser.post(page, data={"action": "pay", "instrument": instrument}).text

    for name, text in [
        ("insufficient_funds", posted("card_insufficient_funds")),
        ("only_yours", posted("card_needs_customer")),
        ("captured_text", posted("card_ok")),
        ("late", posted("card_ok")),
        ("unknown_text", browser.get(f"{page}x").text),
    ]:
        assert phrase(name, language) in text.replace("&#39;", "'")


def test_discounts_and_taxes_are_told_from_what_is_bought(shop: Shop) -> None:
    lines = [
        {"name": "Seats", "quantity": "25", "amount_minor": 100000},
        {"name": "less", "quantity": "1", "amount_minor": -10000, "kind": "discount"},
        {"name": "plus", "quantity": "1", "amount_minor": 39900, "kind": "tax"},
        {"name": "within", "quantity": "1", "amount_minor": 1000, "kind": "included_tax"},
    ]

    rows = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown_to(shop, "en", lines=lines).text)

    assert [tuple(re.sub(r"<.*?>", "", cell) for cell in row) for row in rows] == [
        ("Seats \u00d7&nbsp;25", "$1,000.00"),
        ("Subtotal", "$1,000.00"),
        ("Discount", "-$100.00"),
        ("Tax", "$399.00"),
        ("Total USD", "$1,299.00"),
        ("Tax included", "$10.00"),
    ]


def test_without_discount_or_tax_there_is_no_subtotal(shop: Shop) -> None:
    assert "Subtotal" not in shown_to(shop, "en").text


def test_a_customer_is_told_when_what_they_pay_with_is_saved(shop: Shop) -> None:
    told = "What you pay with is saved, for later payments to <bdi>Northwind Software Ltd</bdi>."

    assert told in shown_to(shop, "en", save_for=str(uuid4())).text
    assert "saved" not in shown_to(Shop(shop.provider), "en").text
