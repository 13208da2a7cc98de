"""Amounts and quantities as customers write them: in any locale that CLDR knows, never rounded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_decimal, get_currency_symbol, parse_pattern

from checkout.money import EXPONENTS, in_major_units

FALLBACK: Final = Locale("en")

_TURNS: Final = dict.fromkeys(map(ord, "\u061c\u200e\u200f"))
"""Marks of direction, which are none of an amount that stands in one of our languages: they all run to the right."""

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,12})?")


def locale_among(tags: Sequence[str]) -> Locale:
    """The first locale that *tags* ask for, be it only by its language; English where none is known."""
    wanted = (name for tag in tags for name in (tag, tag.partition("-")[0]))
    return next((known for name in wanted if (known := _locale(name))), FALLBACK)


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def amount(minor: int, currency: str, locale: Locale) -> str:
    """*minor* units of *currency* in *locale*, with all of ISO 4217's decimals: $1,234.50, 1.234,50 €, JP¥1,234."""
    major = in_major_units(minor, currency)
    with localcontext(prec=len(major)):
        shown: str = _pattern(currency, locale).apply(Decimal(major), locale, currency=currency, currency_digits=False)
    return shown.translate(_TURNS)


def quantity(text: str, locale: Locale) -> str:
    """A plain number as *locale* writes it; any other *text* as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    return format_decimal(Decimal(text), locale=locale, decimal_quantization=False)


@lru_cache(maxsize=256)
def _pattern(currency: str, locale: Locale) -> NumberPattern:
    """How *locale* writes *currency*: CLDR's pattern with ISO's decimals, which it knows otherwise for some, and with
    space between a number and a letter of the currency's symbol (UTS 35, currencySpacing).
    """
    symbol = get_currency_symbol(currency, locale=locale)
    text = locale.currency_formats["standard"].pattern
    if symbol[-1].isalpha():
        text = text.replace("¤#", "¤\xa0#")
    if symbol[0].isalpha():
        text = text.replace("0¤", "0\xa0¤")
    pattern = parse_pattern(text)
    pattern.frac_prec = (EXPONENTS[currency],) * 2
    return pattern
