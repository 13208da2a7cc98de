"""Checkout Sessions, and what a customer does at the hosted page."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

from tests.gateways.stripe_double import payments
from tests.gateways.stripe_double.books import Books, Refused, Thing
from tests.gateways.stripe_double.cards import AT_PAGE

SOONEST: Final = 30 * 60
LATEST: Final = 24 * 60 * 60


def create(books: Books, account: str, params: Thing, base: str) -> Thing:
    expires_at = int(params.get("expires_at", time.time() + LATEST))
    if not SOONEST <= expires_at - time.time() <= LATEST:
        raise Refused(400, "invalid_request_error", None, param="expires_at", kept=False)
    lines = [line["price_data"] | {"quantity": int(line["quantity"])} for line in params["line_items"]]
    total = sum(int(line["unit_amount"]) * line["quantity"] for line in lines)
    if any(int(line["unit_amount"]) < 0 or not line["product_data"]["name"] for line in lines):
        raise Refused(400, "invalid_request_error", "parameter_invalid_integer", param="line_items", kept=False)
    if total < payments.SMALLEST:
        raise Refused(400, "invalid_request_error", "amount_too_small", kept=False)
    for name in ("success_url", "cancel_url"):
        if name in params and not urlsplit(params[name]).hostname:
            raise Refused(400, "invalid_request_error", "url_invalid", param=name, kept=False)
    page = books.add(
        account,
        "cs_test",
        "checkout.session",
        amount_total=total,
        currency=lines[0]["currency"],
        client_reference_id=params.get("client_reference_id"),
        customer=params.get("customer"),
        expires_at=expires_at,
        metadata=params.get("metadata", {}),
        mode=params["mode"],
        payment_intent=None,
        payment_status="unpaid",
        status="open",
        success_url=params["success_url"],
        _intent=params.get("payment_intent_data", {}),
        _lines=lines,
        _params=params,
    )
    page["url"] = f"{base}/c/pay/{page['id']}"
    books.enter("page_opened", page, total)
    return page


def expire(books: Books, account: str, identifier: str) -> Thing:
    page = brought_up_to_date(books, books.get(account, identifier, "checkout.session"))
    if page["status"] != "open":
        raise Refused(400, "invalid_request_error", None)
    return _expired(books, page)


def brought_up_to_date(books: Books, page: Thing) -> Thing:
    """The page as it is by now: expired, and its payment settled, where that is due."""
    if page["payment_intent"] is not None:
        intent = payments.brought_up_to_date(books, books.things[page["payment_intent"]])
        page["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
    return _expired(books, page) if page["status"] == "open" and page["expires_at"] <= time.time() else page


def act(books: Books, identifier: str, action: str, instrument: str) -> bool:
    """The customer pays with an *instrument* of AT_PAGE, or leaves: of which Stripe knows nothing. Whether it was open."""
    page = brought_up_to_date(books, books.things[identifier])
    if page["status"] != "open":
        return False
    if action != "pay":
        return True
    intent = books.things.get(page["payment_intent"] or "") or _intent(books, page)
    intent["last_payment_error"] = None
    payments.confirm(books, intent, AT_PAGE[instrument])
    if intent["last_payment_error"] is None:
        page |= {"status": "complete", "url": None}
        if page["_intent"].get("setup_future_usage"):
            _save(books, page)
    brought_up_to_date(books, page)
    return True


def _intent(books: Books, page: Thing) -> Thing:
    """The page's intent: made when somebody first tries to pay."""
    facts = page["_intent"].get("metadata", {})
    intent = payments.new_intent(books, page["_account"], page["amount_total"], page["currency"], facts)
    intent["_page"] = page["id"]
    page["payment_intent"] = intent["id"]
    return intent


def _save(books: Books, page: Thing) -> None:
    details = {"card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}}
    books.add(
        page["_account"],
        "pm",
        "payment_method",
        type="card",
        customer=page["customer"],
        _test_method="pm_card_visa",
        **details,
    )


def _expired(books: Books, page: Thing) -> Thing:
    page |= {"status": "expired", "url": None}
    intent = books.things.get(page["payment_intent"] or "")
    if intent is not None and intent["status"] in payments.CANCELLABLE:
        intent["status"] = "canceled"
    books.enter("page_closed", page, page["amount_total"])
    return page
