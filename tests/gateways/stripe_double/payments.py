"""PaymentIntents, their charges and refunds, and the balance that they move."""

from __future__ import annotations

import time
from typing import Final

from tests.gateways.stripe_double.books import Books, Refused, Thing, visible
from tests.gateways.stripe_double.cards import CARDS, Card

SETTLING: Final = 2.0
"""Seconds that a bank takes."""

SMALLEST: Final = 50
"""What can't be charged is refused when it is asked for; half a dollar is Stripe's least."""

CANCELLABLE: Final = {"requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"}


def create_intent(books: Books, account: str, params: Thing) -> Thing:
    amount = int(params["amount"])
    if amount < SMALLEST:
        raise Refused(400, "invalid_request_error", "amount_too_small", param="amount", kept=False)
    if params.get("off_session") and not params.get("confirm"):
        raise Refused(400, "invalid_request_error", "parameter_invalid", param="off_session", kept=False)
    card = _card(books, account, params)
    intent = new_intent(books, account, amount, params["currency"], params.get("metadata", {}))
    if not params.get("confirm"):
        return intent
    if card is None:
        raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state", param="payment_method")
    confirm(books, intent, card)
    if (error := intent["last_payment_error"]) is not None:
        shown = visible(intent)
        raise Refused(402, "card_error", error["code"], decline_code=error["decline_code"], payment_intent=shown)
    return intent


def new_intent(books: Books, account: str, amount: int, currency: str, metadata: Thing) -> Thing:
    return books.add(
        account,
        "pi",
        "payment_intent",
        amount=amount,
        amount_received=0,
        currency=currency,
        metadata=metadata,
        status="requires_payment_method",
        last_payment_error=None,
        latest_charge=None,
        capture_method="automatic",
    )


def confirm(books: Books, intent: Thing, card: Card | None) -> None:
    """What a *card* does to an intent; None is a bank that fails after a while."""
    if card is None or card.settles:
        intent |= {"status": "processing", "_settles_at": time.time() + SETTLING, "_fails": card is None}
        return
    if card.code is not None:
        intent["last_payment_error"] = {"type": "card_error", "code": card.code, "decline_code": card.decline_code}
        if card.code != "authentication_required":
            books.enter("declined", intent, intent["amount"])
        return
    capture(books, intent)


def capture(books: Books, intent: Thing) -> None:
    charge = books.add(
        intent["_account"],
        "ch",
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"],
        amount_refunded=0,
        currency=intent["currency"],
        metadata={**intent["metadata"]},
        payment_intent=intent["id"],
        status="succeeded",
    )
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    books.add(
        intent["_account"],
        "txn",
        "balance_transaction",
        type="charge",
        amount=intent["amount"],
        currency=intent["currency"],
        source=charge["id"],
    )
    books.enter("captured", intent, intent["amount"])


def brought_up_to_date(books: Books, intent: Thing) -> Thing:
    """Settle what has settled by now."""
    if intent["status"] == "processing" and intent["_settles_at"] <= time.time():
        if intent["_fails"]:
            error = {"type": "card_error", "code": "payment_intent_payment_attempt_failed", "decline_code": None}
            intent |= {"status": "requires_payment_method", "last_payment_error": error}
        else:
            capture(books, intent)
    return intent


def cancel_intent(books: Books, account: str, identifier: str) -> Thing:
    intent = brought_up_to_date(books, books.get(account, identifier, "payment_intent"))
    of_page = "_page" in intent  # "Otherwise, you must expire the Checkout Session."
    if intent["status"] not in CANCELLABLE or (of_page and intent["status"] != "requires_capture"):
        raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
    intent["status"] = "canceled"
    return intent


def create_refund(books: Books, account: str, params: Thing) -> Thing:
    intent = brought_up_to_date(books, books.get(account, params["payment_intent"], "payment_intent", "payment_intent"))
    if intent["status"] != "succeeded":
        raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
    charge = books.things[intent["latest_charge"]]
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise Refused(400, "invalid_request_error", "charge_already_refunded")
    amount = int(params.get("amount", left))
    if amount > left:
        raise Refused(400, "invalid_request_error", None, param="amount")
    charge["amount_refunded"] += amount
    refund = books.add(
        account,
        "re",
        "refund",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        metadata=params.get("metadata", {}),
        status="succeeded",
    )
    books.add(
        account,
        "txn",
        "balance_transaction",
        type="refund",
        amount=-amount,
        currency=refund["currency"],
        source=refund["id"],
    )
    books.enter("refunded", refund, amount)
    return refund


def _card(books: Books, account: str, params: Thing) -> Card | None:
    """The card behind a test method, or behind a saved one, which only its own customer's charges may use."""
    name = params.get("payment_method")
    if name is None or name in CARDS:
        return CARDS.get(name or "")
    method = books.get(account, name, "payment_method", "payment_method")
    if method["customer"] != params.get("customer"):
        raise Refused(400, "invalid_request_error", None)
    return CARDS[method["_test_method"]]
