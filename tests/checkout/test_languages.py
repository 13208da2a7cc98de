"""Which language a browser asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.languages import LANGUAGES, accepted, language_among


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", ()),
        ("de", ("de",)),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", ("fr-CH", "fr", "en", "de")),
        ("en;q=0.5,pt-BR ; q=0.8,es;q=0", ("pt-BR", "en")),
        ("da, en-gb;q=0.8, en;q=0.7", ("da", "en-gb", "en")),
        ("zh-Hant-TW;q=1.000", ("zh-Hant-TW",)),
        ("de;q=2, ../../etc, fr;q=x, de_AT, e, 'en', es", ("es",)),
        (f"{'x' * 5000}, de", ()),
    ],
)
def test_tags_are_read_best_first_and_nonsense_is_passed_over(header: str, tags: tuple[str, ...]) -> None:
    assert accepted(header) == tags


@pytest.mark.parametrize(
    ("tags", "language"),
    [((), "en"), (("de-AT",), "de"), (("pt-BR", "ES-mx", "de"), "es"), (("ja", "tlh"), "en"), (("eng", "fra"), "en")],
)
def test_the_first_language_that_we_speak_is_spoken(tags: tuple[str, ...], language: str) -> None:
    assert language_among(tags) == language


@given(st.text())
def test_any_header_leads_to_a_language(header: str) -> None:
    assert language_among(accepted(header)) in LANGUAGES
