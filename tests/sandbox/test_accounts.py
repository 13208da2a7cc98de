"""Accounts: what belongs to one organisation is, to another, as if it were not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider

CUSTOMER = str(uuid4())
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
def owner(shop: Shop) -> Shop:
    """A shop with an open page, a charge, and a customer who saved a card."""
    shop.page()
    shop.charge()
    shop.call("attach", token="pm_sandbox_card_ok", customer=CUSTOMER)
    return shop


@pytest.fixture
def stranger(owner: Shop, provider: Provider) -> Shop:
    """Another account, that knows every key and id of the owner's."""
    return Shop(provider, reference=owner.reference)


ASKED: dict[str, tuple[Callable[[Shop], Any], Any]] = {
    "look_up of a page": (lambda shop: shop.truth(), {"outcome": "not_found"}),
    "look_up of a charge": (lambda shop: shop.truth(f"{shop.reference}/charge"), {"outcome": "not_found"}),
    "close_page": (lambda shop: shop.call("close_page", key=shop.key).json(), {"outcome": "closed", "declined": 0}),
    "refund": (
        lambda shop: shop.call("refund", key="back", of=f"{shop.reference}/charge").json(),
        {"outcome": "nothing_to_refund"},
    ),
    "refund of a part": (
        lambda shop: shop.call("refund", key="back", of=f"{shop.reference}/charge", amount_minor=1).json(),
        {"outcome": "nothing_to_refund"},
    ),
    "captures": (
        lambda shop: shop.call("captures", since=SINCE).json(),
        {"outcome": "captures", "data": [], "after": None},
    ),
    "methods": (
        lambda shop: shop.call("methods", customer=CUSTOMER).json(),
        {"outcome": "methods", "data": []},
    ),
}


@pytest.mark.parametrize("call", ASKED)
def test_another_account_learns_and_changes_nothing(owner: Shop, stranger: Shop, call: str) -> None:
    ask, nothing = ASKED[call]
    before = theirs(owner)

    assert ask(stranger) == nothing

    assert theirs(owner) == before


def test_the_same_key_of_another_account_is_another_key(owner: Shop, stranger: Shop, provider: Provider) -> None:
    stranger.page(amount_minor=1)
    stranger.charge(amount=2)

    assert [line["amount_minor"] for line in provider.ledger(account=stranger.account)] == [1, 2]
    assert [line["amount_minor"] for line in provider.ledger(account=owner.account)][:2] == [129900, 500]
    assert stranger.truth() != owner.truth()


def theirs(owner: Shop) -> list[Any]:
    """All that the owner can see."""
    return [
        owner.truth(),
        owner.truth(f"{owner.reference}/charge"),
        owner.truth("back"),
        owner.call("captures", since=SINCE).json(),
        owner.call("methods", customer=CUSTOMER).json(),
    ]
