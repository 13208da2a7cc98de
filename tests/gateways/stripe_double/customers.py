"""Customers, and the methods that are attached to them."""

from __future__ import annotations

import re
import time

from tests.gateways.stripe_double.books import INDEXED, Books, Refused, Thing
from tests.gateways.stripe_double.cards import CARDS


def create(books: Books, account: str, params: Thing) -> Thing:
    return books.add(account, "cus", "customer", metadata=params.get("metadata", {}))


def search(books: Books, account: str, params: Thing) -> Thing:
    """By metadata alone, and only what is indexed by now."""
    wanted = dict(re.findall(r"metadata\['([^']+)'\]:'([^']+)'", params["query"]))
    found = [
        thing
        for thing in books.newest_first(account, "customer")
        if wanted.items() <= thing["metadata"].items() and thing["_at"] + INDEXED <= time.time()
    ]
    return {"object": "search_result", "url": "/v1/customers/search", "has_more": False, "data": found[:1]}


def detach(books: Books, account: str, method: str) -> Thing:
    """It is nobody's from now on, and nobody can be charged with it."""
    found = books.get(account, method, "payment_method")
    found["customer"] = None
    return found


def attach(books: Books, account: str, token: str, params: Thing) -> Thing:
    """A test method becomes a method of its own; one that is attached stays the same."""
    customer = books.get(account, params["customer"], "customer", "customer")
    card = CARDS.get(token)
    if card is None:
        return books.get(account, token, "payment_method")
    if card.can_not_be_saved:
        raise Refused(402, "card_error", card.code, decline_code=card.decline_code)
    return books.add(
        account,
        "pm",
        "payment_method",
        type=card.type,
        customer=customer["id"],
        _test_method=token,
        **card.details(),
    )
