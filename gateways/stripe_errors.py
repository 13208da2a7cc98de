"""What each error of Stripe's SDK means to us, in one table; and which refusals of a card are final."""

from __future__ import annotations

from typing import Final

import stripe
from stripe import _error as errors  # the SDK's list of its own classes, most of which have no public name
from stripe import oauth_error

from checkout.outcomes import Declined, NeedsCustomer
from gateways.port import GatewayRejected, GatewayUnavailable
from gateways.stripe_objects import Failure

Meaning = type[GatewayUnavailable | GatewayRejected]

MEANINGS: Final[dict[type[stripe.StripeError], Meaning]] = {
    # Outcome unknown, or not now: the same request may work later.
    stripe.APIError: GatewayUnavailable,  # 5xx, 409 while the key is in use, unreadable answers
    stripe.APIConnectionError: GatewayUnavailable,
    stripe.RateLimitError: GatewayUnavailable,
    # Our credentials: mended by whoever runs us, and then the same request works. Nobody gets stuck over a rolled key.
    stripe.AuthenticationError: GatewayUnavailable,
    stripe.PermissionError: GatewayUnavailable,
    # Can't ever work.
    stripe.InvalidRequestError: GatewayRejected,
    stripe.IdempotencyError: GatewayRejected,
    stripe.CardError: GatewayRejected,  # where a refusal of a card is an answer, it is read before it comes here
    # No class of its own is ever raised of these.
    stripe.StripeError: GatewayUnavailable,
    errors.StripeErrorWithParamCode: GatewayUnavailable,
    # Only by calls that are not made here: webhooks have their own seam, we use nothing of API v2, Connect's OAuth or Treasury.
    stripe.SignatureVerificationError: GatewayRejected,
    errors.AlreadyCanceledError: GatewayRejected,
    errors.BlockedByStripeError: GatewayRejected,
    errors.CannotProceedError: GatewayRejected,
    errors.CapabilityNotEnabledError: GatewayRejected,
    errors.ControlledByAlternateResourceError: GatewayRejected,
    errors.FeatureNotEnabledError: GatewayRejected,
    errors.FinancialAccountNotOpenError: GatewayRejected,
    errors.FxQuoteNeedsRefreshError: GatewayRejected,
    errors.InsufficientFundsError: GatewayRejected,
    errors.InvalidPaymentMethodError: GatewayRejected,
    errors.InvalidPayoutMethodError: GatewayRejected,
    errors.InvalidVaultedCredentialError: GatewayRejected,
    errors.NotCancelableError: GatewayRejected,
    errors.QuotaExceededError: GatewayRejected,
    errors.RecipientNotNotifiableError: GatewayRejected,
    errors.TemporarySessionExpiredError: GatewayRejected,
    errors.VerificationAttemptFailedError: GatewayRejected,
    errors.VerificationExpiredError: GatewayRejected,
    errors.VerificationNotInitiatedError: GatewayRejected,
    oauth_error.OAuthError: GatewayRejected,
    oauth_error.InvalidClientError: GatewayRejected,
    oauth_error.InvalidGrantError: GatewayRejected,
    oauth_error.InvalidRequestError: GatewayRejected,
    oauth_error.InvalidScopeError: GatewayRejected,
    oauth_error.UnsupportedGrantTypeError: GatewayRejected,
    oauth_error.UnsupportedResponseTypeError: GatewayRejected,
}
"""Every class of the SDK's; a test fails when it gets another one. One that is not here is unavailable: unknown."""

NOT_NOW: Final = {"balance_insufficient", "insufficient_funds", "lock_timeout", "rate_limit"}
"""Codes of an InvalidRequestError that time cures: the merchant's own balance is too low for a refund, say."""

NOTHING_LEFT: Final = {"charge_already_refunded", "charge_disputed"}
"""Codes of an InvalidRequestError to a refund: somebody returned it, or the customer's bank took it back."""

NEVER_THAT_MUCH: Final = {"amount_too_small", "amount_too_large"}
"""Codes of an InvalidRequestError that no method and no day cures: Stripe takes no charge of such an amount."""

HARD: Final = frozenset(
    [
        "card_not_supported",
        "currency_not_supported",
        "do_not_try_again",
        "expired_card",
        "fraudulent",
        "highest_risk_level",
        "incorrect_number",
        "invalid_account",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "live_mode_test_card",
        "lost_card",
        "merchant_blacklist",
        "new_account_information_available",
        "no_such_card",
        "not_permitted",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "service_not_allowed",
        "stolen_card",
        "stop_payment_order",
        "testmode_decline",
        "transaction_not_allowed",
    ]
)
"""Decline codes (https://docs.stripe.com/declines/codes) after which the same card will not be accepted on another day."""

HARD_ADVICE: Final = {"do_not_try_again", "confirm_card_data"}
"""The issuer's own advice, where it gives one (https://docs.stripe.com/declines/card)."""

NEEDS_CUSTOMER: Final = {
    "authentication_required",
    "authentication_not_handled",
    "payment_intent_authentication_failure",
}


def translated(call: str, error: stripe.StripeError) -> Exception:
    """Our exception for the SDK's. It names class and code: Stripe's own text may name people, and histories keep ours."""
    meaning: type[Exception] = MEANINGS.get(type(error), GatewayUnavailable)
    code = error.code if isinstance(error.code, str) else None
    if code in NOT_NOW:
        meaning = GatewayUnavailable
    return meaning(" ".join(filter(None, (f"{call}:", type(error).__name__, code))))


def was_replayed(error: stripe.StripeError) -> bool:
    """Whether Stripe answered what it had kept for the key: errors of its own, 500, are kept too."""
    return (error.headers or {}).get("idempotent-replayed") == "true"


def is_missing(error: stripe.StripeError, *params: str) -> bool:
    """Whether the object named by one of *params* is not there; with none given, the one that was asked for."""
    named = getattr(error, "param", None)
    return error.code == "resource_missing" and (not params or named in params)


def leaves_nothing(error: stripe.InvalidRequestError) -> bool:
    """Whether a refund is refused because what it should return is no longer there."""
    return error.code in NOTHING_LEFT or error.param == "amount"


def refusal_of(failure: Failure) -> Declined | NeedsCustomer:
    """Why a card was refused. *code* is the issuer's reason where Stripe names it."""
    if NEEDS_CUSTOMER & {failure.code, failure.decline_code}:
        return NeedsCustomer()
    unnamed = failure.decline_code in {None, "", "generic_decline"}
    code = (failure.code if unnamed else failure.decline_code) or "declined"
    return Declined(code=code, soft=code not in HARD and failure.advice_code not in HARD_ADVICE)


def refused(error: stripe.CardError) -> Declined | NeedsCustomer:
    """The refusal that an error of the SDK tells of."""
    told = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    return refusal_of(Failure.model_validate(told or {"code": error.code}))
