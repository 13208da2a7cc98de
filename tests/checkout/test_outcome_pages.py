"""Addresses of outcome pages: whoever was not given one can't make it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from checkout.outcome_pages import is_signed, outcome_address

ORGANISATION, SESSION = UUID(int=1), UUID(int=2)


def signature(base: str = "https://pay.example/api/", pepper: str = "a pepper") -> str:
    return parse_qs(urlsplit(outcome_address(base, pepper, ORGANISATION, SESSION)).query)["signature"][0]


def test_an_address_stands_under_the_base_and_is_the_same_each_time() -> None:
    address = outcome_address("https://pay.example/api/", "a pepper", ORGANISATION, SESSION)

    assert address == f"https://pay.example/api/outcome/{ORGANISATION}/{SESSION}?signature={signature()}"
    assert signature() == signature(base="http://elsewhere")


def test_an_address_is_good_for_its_own_session_only() -> None:
    assert is_signed("a pepper", str(ORGANISATION), str(SESSION), signature())
    assert not is_signed("a pepper", str(SESSION), str(ORGANISATION), signature())
    assert not is_signed("a pepper", str(ORGANISATION), str(uuid4()), signature())
    assert not is_signed("a pepper", f"{ORGANISATION}/{SESSION}", "", signature())
    assert not is_signed("a pepper", str(ORGANISATION), str(SESSION).upper() + " ", signature())


@pytest.mark.parametrize("given", ["", "0" * 64, "é" * 64, "\ud800", signature(pepper="another"), signature()[:-1]])
def test_another_signature_is_none(given: str) -> None:
    assert not is_signed("a pepper", ORGANISATION, SESSION, given)
