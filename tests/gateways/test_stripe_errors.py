"""Stripe's errors: every class of the SDK has a meaning, and none of its words reach ours."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import stripe
from stripe import _api_version, _error, oauth_error

from checkout.outcomes import Declined, NeedsCustomer
from gateways.port import GatewayRejected, GatewayUnavailable
from gateways.stripe_api import VERSION
from gateways.stripe_errors import MEANINGS, leaves_nothing, refusal_of, translated
from gateways.stripe_objects import Failure

CLASSES = {
    member
    for module in (stripe, _error, oauth_error)
    for _, member in inspect.getmembers(module, inspect.isclass)
    if issubclass(member, stripe.StripeError)
}


def test_every_error_class_of_the_sdk_has_a_meaning() -> None:
    """When this fails, the SDK has got a class: find out what it means, and add it to the table."""
    assert MEANINGS.keys() == CLASSES


def test_a_class_that_is_not_in_the_table_is_an_unknown_outcome() -> None:
    class FreshFromStripe(stripe.StripeError):
        pass

    assert type(translated("charge", FreshFromStripe())) is GatewayUnavailable


def test_the_pinned_version_is_of_the_release_that_the_sdk_was_made_for() -> None:
    """When this fails, read Stripe's changelog between the two, then move the pin."""
    assert VERSION.endswith(f".{_api_version._ApiVersion.CURRENT_MAJOR}")


def test_nobody_is_told_how_long_our_requests_took() -> None:
    assert stripe.enable_telemetry is False


def _error_of(kind: Any, code: str | None) -> stripe.StripeError:
    words = "The card of Ada Byron was declined."
    body = {"error": {"code": code, "message": words}}
    if issubclass(kind, stripe.CardError | stripe.InvalidRequestError):
        return kind(words, "param", code, json_body=body)  # type: ignore[no-any-return]
    return kind(words, json_body=body, code=code)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("code", "param", "nothing"),
    [
        ("charge_already_refunded", None, True),
        ("charge_disputed", "charge", True),
        (None, "amount", True),
        ("resource_missing", "payment_intent", False),
        (None, None, False),
    ],
)
def test_a_refund_of_what_is_no_longer_there_is_an_answer(
    code: str | None,
    param: str | None,
    nothing: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """As a fault it would be tried for ever: the answer stays the same."""
    assert leaves_nothing(stripe.InvalidRequestError("words", param, code)) is nothing  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("kind", "code", "meaning"),
    [
        (stripe.APIError, None, GatewayUnavailable),
        (stripe.RateLimitError, "rate_limit", GatewayUnavailable),
        (stripe.AuthenticationError, "api_key_expired", GatewayUnavailable),
        (stripe.PermissionError, None, GatewayUnavailable),
        (stripe.InvalidRequestError, "parameter_unknown", GatewayRejected),
        (stripe.InvalidRequestError, "balance_insufficient", GatewayUnavailable),
        (stripe.IdempotencyError, None, GatewayRejected),
        (stripe.CardError, "card_declined", GatewayRejected),
    ],
)
def test_an_error_says_class_and_code_and_nothing_of_stripes_words(kind: Any, code: str | None, meaning: type) -> None:
    ours = translated("charge", _error_of(kind, code))

    assert type(ours) is meaning
    assert str(ours) == " ".join(filter(None, ("charge:", kind.__name__, code)))


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (Failure(code="card_declined", decline_code="generic_decline"), Declined(code="card_declined")),
        (Failure(code="card_declined", decline_code="insufficient_funds"), Declined(code="insufficient_funds")),
        (Failure(code="card_declined", decline_code="lost_card"), Declined(code="lost_card", soft=False)),
        (Failure(code="expired_card", decline_code="expired_card"), Declined(code="expired_card", soft=False)),
        (
            Failure(code="card_declined", decline_code="do_not_honor", advice_code="do_not_try_again"),
            Declined(code="do_not_honor", soft=False),
        ),
        (
            Failure(code="card_declined", decline_code="do_not_honor", advice_code="try_again_later"),
            Declined(code="do_not_honor"),
        ),
        (Failure(code="authentication_required"), NeedsCustomer()),
        (Failure(code="card_declined", decline_code="authentication_required"), NeedsCustomer()),
        (Failure(), Declined(code="declined")),
    ],
)
def test_a_refusal_is_soft_unless_stripe_or_the_issuer_says_that_it_stays(failure: Failure, answer: object) -> None:
    assert refusal_of(failure) == answer
