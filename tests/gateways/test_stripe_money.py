"""Amounts at Stripe, for every currency of ISO 4217."""

from __future__ import annotations

import pytest

from checkout.money import EXPONENTS, Money
from gateways.port import GatewayRejected, GatewayUnavailable
from gateways.stripe_money import RULES, from_stripe, to_stripe

PUBLISHED = {
    # https://docs.stripe.com/currencies
    ("10", "USD"): 1000,
    ("500", "JPY"): 500,
    ("10", "MGA"): 10,
    ("5", "ISK"): 500,
    ("5", "UGX"): 500,
    ("5.120", "KWD"): 5120,
    ("5.130", "KWD"): 5130,
    ("10.45", "HUF"): 1045,
    ("800.45", "TWD"): 80045,
}


@pytest.mark.parametrize(("amount", "units"), PUBLISHED.items())
def test_stripes_own_examples_are_counted_as_stripe_counts_them(amount: tuple[str, str], units: int) -> None:
    money = Money.of(*amount)

    assert to_stripe(money) == units
    assert from_stripe(units, money.currency.lower()) == money


@pytest.mark.parametrize("amount", [("5.124", "KWD"), ("1.001", "BHD"), ("0.01", "MGA"), ("1.20", "MGA")])
def test_what_stripe_would_round_is_rejected(amount: tuple[str, str]) -> None:
    with pytest.raises(GatewayRejected):
        to_stripe(Money.of(*amount))


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_an_amount_comes_back_as_it_went_or_is_rejected(currency: str) -> None:
    went = 0
    for minor in (1, 9, 10, 99, 100, 1000, 12340, 129900, 10**13):
        money = Money(minor=minor, currency=currency)
        try:
            units = to_stripe(money)
        except GatewayRejected:
            continue
        went += 1
        assert from_stripe(units, currency.lower()) == money
        assert units >= 0

    assert bool(went) == (currency in RULES)


def test_what_stripe_has_no_rule_for_is_rejected() -> None:
    for currency in ("IQD", "LYD", "CLF", "UYI"):
        with pytest.raises(GatewayRejected):
            to_stripe(Money(minor=10000, currency=currency))


@pytest.mark.parametrize(("units", "currency"), [(150, "isk"), (1, "xxx"), (1, "iqd")])
def test_an_amount_of_stripes_that_is_none_of_ours_is_unreadable(units: int, currency: str) -> None:
    with pytest.raises(GatewayUnavailable):
        from_stripe(units, currency)
