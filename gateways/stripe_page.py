"""A hosted page as Stripe takes it: the parameters of a Checkout Session, the same for a key however often it is posted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

from gateways.port import GatewayRejected, PageLine, PageRequest
from gateways.stripe_api import facts_of
from gateways.stripe_money import to_stripe

LONGEST: Final = timedelta(hours=23, minutes=45)
"""Stripe takes an expiry from 30 minutes to 24 hours after it is asked. Counted from the first post of a key, this one
suits every repetition within the gateway's memory of it, and clocks that are a quarter of an hour apart.
"""

SHORTEST: Final = timedelta(hours=1)
"""What is asked to close sooner closes then: Stripe takes less only while it is at least half an hour away."""

MOST_LINES: Final = 100
LONGEST_NAME: Final = 250

TYPES: Final[dict[str | None, list[str]]] = {
    "card": ["card"],
    "wallet": [
        "card",  # Apple Pay and Google Pay are cards to Stripe
        "link",
        "paypal",
        "amazon_pay",
        "cashapp",
        "revolut_pay",
        "alipay",
        "wechat_pay",
    ],
    "bank_transfer": [
        "us_bank_account",
        "sepa_debit",
        "bacs_debit",
        "au_becs_debit",
        "card",
    ],
}
"""What the page offers for the type that is preferred. Stripe leaves out what the account, currency or amount does not
allow; cards are always among them, so that something is left. For an invoice, and without a preference, it offers what the
account has switched on in Stripe's dashboard.
"""


def parameters(key: str, page: PageRequest, customer: str | None) -> SessionCreateParams:
    """The session to create; what is paid with is saved for Stripe's *customer* if one is given."""
    if page.success_url is None:
        raise GatewayRejected("open_page: Stripe shows no outcome of its own, and there is no address to go to")
    facts = facts_of(key, page.reference, page.account)
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": _lines(page),
        "client_reference_id": str(page.reference),
        "metadata": facts,
        # Captured when it is paid, not some time later: so the list of captures has it at once.
        "payment_intent_data": {"metadata": facts, "capture_method": "automatic"},
        "success_url": _address(page.success_url, page),
        "expires_at": int(expiry(page).timestamp()),
        # In the currency and amount of the estimate, also for a customer from elsewhere.
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
    }
    if page.cancel_url is not None:
        params["cancel_url"] = _address(page.cancel_url, page)
    if page.preferred in TYPES:
        params["allowed_payment_method_types"] = [*TYPES[page.preferred]]
    if page.description:
        params["payment_intent_data"]["description"] = page.description
    if customer is not None:
        params["customer"] = customer
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
    return params


def expiry(page: PageRequest) -> datetime:
    """When Stripe closes the page by itself."""
    return min(max(page.expires_at, page.first_at + SHORTEST), page.first_at + LONGEST)


def _lines(page: PageRequest) -> list[SessionCreateParamsLineItem]:
    """The page's lines, or its total as one: Stripe takes no negative line (a discount is one), no more than a hundred,
    and none whose amount it can't count; and whatever they say, the total is what is paid.
    """
    total = to_stripe(page.amount)
    whole = [PageLine(page.description or page.merchant, "1", page.amount)]
    try:
        units = [to_stripe(line.amount) for line in page.lines]
    except GatewayRejected:
        units = []
    usable = 0 < len(units) <= MOST_LINES and min(units) >= 0 and sum(units) == total
    return [_line(line) for line in (page.lines if usable else whole)]


def _line(line: PageLine) -> SessionCreateParamsLineItem:
    """One piece of the whole line: a price of its own for each piece need not multiply back to it exactly."""
    name = line.name if line.quantity == "1" else f"{line.quantity} x {line.name}"
    return {
        "quantity": 1,
        "price_data": {
            "currency": line.amount.currency.lower(),
            "unit_amount": to_stripe(line.amount),
            "product_data": {"name": name[:LONGEST_NAME] or "-"},
        },
    }


def _address(url: str, page: PageRequest) -> str:
    """The merchant's URL with the session's id added."""
    parts = urlsplit(url)
    added = urlencode({"checkout_session_id": page.reference})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()
