"""Amounts as Stripe counts them: in smallest units of its own, which are not always ISO 4217's.

The rules are those of https://docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and
"Special cases"; what that page says of payouts alone (HUF, TWD) is no rule for payments.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from checkout.money import EXPONENTS, Money
from gateways.port import GatewayRejected, GatewayUnavailable


@dataclass(frozen=True)
class Rule:
    """A major unit is 10 ** *digits* of Stripe's, and Stripe takes whole multiples of *step*."""

    digits: int
    step: int = 1


ZERO: Final = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
"""Counted in major units. MGA is one of them although ISO 4217 gives it two digits: a fraction of it can't be paid."""

WHOLE: Final = ["ISK", "UGX"]
"""Without digits for ISO 4217 and without fractions for Stripe, which still counts them in hundredths: 5 UGX is 500."""

THREE: Final = ["BHD", "JOD", "KWD", "OMR", "TND"]
"""With three digits, of which the last has to be 0."""

RULES: Final = (
    dict.fromkeys((code for code, exponent in EXPONENTS.items() if exponent == 2), Rule(2))
    | dict.fromkeys(ZERO, Rule(0))
    | dict.fromkeys(WHOLE, Rule(2, step=100))
    | dict.fromkeys(THREE, Rule(3, step=10))
)
"""The rule of each currency. What is not here, Stripe counts in no way that is known: IQD, CLF, UYI, ..."""


def to_stripe(amount: Money) -> int:
    """*amount* in Stripe's units; raise GatewayRejected when Stripe can't take exactly that much."""
    rule = RULES.get(amount.currency)
    if rule is None:
        raise GatewayRejected(f"amount: Stripe takes no {amount.currency}")
    exact = Fraction(amount.minor * 10**rule.digits, 10 ** EXPONENTS[amount.currency])
    if exact % rule.step:
        raise GatewayRejected(f"amount: Stripe can't take exactly {amount}")
    return int(exact)


def from_stripe(units: int, currency: str) -> Money:
    """What Stripe calls *units* of *currency*, in small letters; raise GatewayUnavailable when that is no amount of ours."""
    rule = RULES.get(currency.upper())
    if rule is None:
        raise GatewayUnavailable("unreadable answer: a currency without a rule")
    exact = Fraction(units * 10 ** EXPONENTS[currency.upper()], 10**rule.digits)
    if exact.denominator != 1:
        raise GatewayUnavailable("unreadable answer: an amount between two minor units")
    return Money(minor=exact.numerator, currency=currency.upper())
