"""Stripe's objects in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from checkout.outcomes import (
    Captured,
    Closed,
    Declined,
    LookUpAnswer,
    NeedsCustomer,
    NothingToRefund,
    PageOpen,
    Refunded,
    UnderWay,
)
from gateways.port import GatewayUnavailable, SavedMethod
from gateways.stripe_errors import refusal_of
from gateways.stripe_money import from_stripe
from gateways.stripe_objects import Failure, Intent, Method, Refund, Session

TYPES: Final = dict.fromkeys(
    [
        "acss_debit",
        "au_becs_debit",
        "bacs_debit",
        "customer_balance",
        "nz_bank_account",
        "sepa_debit",
        "us_bank_account",
    ],
    "bank_transfer",
) | {"card": "card"}
"""What can be saved at Stripe, in our words. All else is an account with somebody who pays (Link, PayPal, ...): a wallet."""


def of_intent(intent: Intent) -> Captured | Closed | Declined | NeedsCustomer | UnderWay:
    """What became of a charge without the customer."""
    return Closed() if intent.closes_its_key else INTENTS[intent.status](intent)


def of_page(page: Session) -> Captured | Closed | PageOpen | UnderWay:
    """What became of a page. Its intent comes first: a page that is closing may just have been paid."""
    intent = page.intent
    declined = int(intent is not None and intent.last_payment_error is not None)
    if intent and intent.status == "succeeded":
        return _captured(intent)
    if page.status == "open" and page.url:
        return PageOpen(url=page.url, declined=declined, reference=page.id)
    if intent and intent.status == "processing":
        return UnderWay()
    # Complete and waiting for a transfer that the customer was told how to make; once that is expired it can't come.
    if intent and page.status == "complete" and intent.status in {"requires_action", "requires_capture"}:
        return UnderWay()
    if page.status == "complete" and intent is None:
        raise GatewayUnavailable("unreadable answer: a page that is complete without a payment")
    return Closed(declined=declined)


def of_refund(refund: Refund) -> NothingToRefund | Refunded:
    """Refunded once Stripe has taken it on: what is pending is off the merchant's balance, and on its way. One that failed
    is a definite no, and the money is with the merchant again: somebody has to return it in another way.
    """
    if refund.status in {"failed", "canceled"}:
        return NothingToRefund()
    return Refunded(reference=refund.id, amount=from_stripe(refund.amount, refund.currency))


def answer_of(found: Intent | Refund | Session) -> LookUpAnswer:
    return ANSWERS[type(found)](found)


def saved(method: Method, customer: str) -> SavedMethod:
    """A saved method. Its token names customer and method, so that charging it reads neither."""
    return SavedMethod(
        token=f"{customer}/{method.id}",
        type=TYPES.get(method.type, "wallet"),
        brand=method.details.get("brand"),
        last4=method.details.get("last4"),
        expiry_month=method.details.get("exp_month"),
        expiry_year=method.details.get("exp_year"),
    )


def _captured(intent: Intent) -> Captured:
    return Captured(reference=intent.id, amount=from_stripe(intent.amount_received, intent.currency))


def _refused(intent: Intent) -> Declined | NeedsCustomer:
    """Nothing moved, and nobody can move it: the intent's secret was given to no one."""
    return refusal_of(intent.last_payment_error or Failure(code=intent.status))


INTENTS: Final[dict[str, Callable[[Intent], Captured | Declined | NeedsCustomer | UnderWay]]] = {
    "succeeded": _captured,
    "processing": lambda _: UnderWay(),
    "requires_capture": lambda _: UnderWay(),
    "requires_action": lambda _: NeedsCustomer(),
    "requires_payment_method": _refused,
    "requires_confirmation": _refused,
    "canceled": _refused,
}

ANSWERS: Final[dict[type, Callable[[Any], LookUpAnswer]]] = {Intent: of_intent, Session: of_page, Refund: of_refund}
