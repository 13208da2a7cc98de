"""Stripe's test methods (https://docs.stripe.com/testing), those that the suite uses, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Card:
    """*code* and *decline_code* of the refusal of a charge, if it is refused; it can be saved unless it *can_not_be*."""

    code: str | None = None
    decline_code: str | None = None
    can_not_be_saved: bool = False
    settles: bool = False
    last4: str = "4242"

    @property
    def type(self) -> str:
        return "us_bank_account" if self.settles else "card"

    def details(self) -> dict[str, Any]:
        if self.settles:
            return {"us_bank_account": {"bank_name": "STRIPE TEST BANK", "last4": self.last4}}
        return {"card": {"brand": "visa", "last4": self.last4, "exp_month": 12, "exp_year": 2034}}


CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card(),
    "pm_card_visa_chargeDeclined": Card("card_declined", "generic_decline", can_not_be_saved=True, last4="0002"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(
        "card_declined", "insufficient_funds", can_not_be_saved=True, last4="9995"
    ),
    "pm_card_visa_chargeDeclinedStolenCard": Card("card_declined", "stolen_card", can_not_be_saved=True, last4="9979"),
    "pm_card_chargeDeclinedExpiredCard": Card("expired_card", "expired_card", can_not_be_saved=True, last4="0069"),
    "pm_card_chargeCustomerFail": Card("card_declined", "generic_decline", last4="0341"),
    "pm_card_authenticationRequired": Card("authentication_required", "authentication_required", last4="3184"),
    "pm_usBankAccount_success": Card(settles=True, last4="6789"),
}

AT_PAGE: Final[dict[str, Card | None]] = {
    "card_ok": Card(),
    "card_declined": Card("card_declined", "generic_decline"),
    "bank_ok": Card(settles=True),
    "bank_fails": None,
}
"""What a customer can pay with at the double's hosted page. A bank that fails does so after it has taken it on."""
