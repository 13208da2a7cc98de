"""How the hosted page writes amounts and quantities."""

from __future__ import annotations

import re

import pytest
from babel import Locale

from checkout.money import EXPONENTS
from sandbox.amounts import amount, locale_among, quantity


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (129900, "USD", "en-US", "$1,299.00"),
        (129900, "USD", "en-GB", "US$1,299.00"),
        (-1250, "EUR", "de", "-12,50 €"),
        (1299, "JPY", "en", "¥1,299"),
        (1234, "KWD", "en", "KWD 1.234"),
        (150, "CHF", "en", "CHF 1.50"),
        (12345, "LBP", "en", "LBP 123.45"),
        (0, "EUR", "fr", "0,00 €"),
        (129900, "USD", "ar", "1,299.00 US$"),
        (10**18 + 1, "EUR", "en", "€10,000,000,000,000,000.01"),
        (10**40 + 1, "JPY", "en", f"¥10{',000' * 12},001"),
    ],
)
def test_an_amount_is_written_as_its_reader_would_and_never_rounded(
    minor: int, currency: str, locale: str, written: str
) -> None:
    assert amount(minor, currency, locale_among([locale])).replace("\xa0", " ") == written


@pytest.mark.parametrize("currency", EXPONENTS)
def test_every_currency_has_all_of_its_decimals(currency: str) -> None:
    digits = re.sub(r"\D", "", amount(10_101, currency, Locale("en")))

    assert digits == "10101"


def test_a_quantity_is_a_number_of_the_locale_or_text_as_it_is() -> None:
    german = locale_among(["de"])

    assert [quantity(text, german) for text in ("25", "1234.5", "1e9", "two", "0.000001")] == [
        "25",
        "1.234,5",
        "1e9",
        "two",
        "0,000001",
    ]
