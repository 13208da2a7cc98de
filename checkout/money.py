"""Money: integer minor units of an ISO 4217 currency; no float anywhere."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Final, Self

from iso4217 import Currency as Iso4217
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LARGEST_MINOR: Final = 10**14
"""No amount may reach this many minor units (a trillion dollars)."""

LONGEST: Final = 40
"""Digits before or behind the point that an amount is read with."""

EXPONENTS: Final[dict[str, int]] = {
    currency.code: currency.exponent for currency in Iso4217 if currency.exponent is not None
}
"""Digits after the point of each currency, ISO 4217's: JPY 0, USD 2, KWD 3, CLF 4. Codes without minor units
(XXX, XTS, XAU, ...) are not here."""


def known_currency(code: str) -> str:
    """Give back *code* when ISO 4217 knows it, with minor units; else raise ValueError."""
    if code not in EXPONENTS:
        raise ValueError("must be an ISO 4217 currency code with minor units, in capitals")
    return code


def in_major_units(minor: int, currency: str) -> str:
    """*minor* units as a decimal string in major units, with all of the currency's decimals: "29.99"."""
    exponent = EXPONENTS[currency]
    digits = f"{abs(minor):0{exponent + 1}}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


Currency = Annotated[str, Field(min_length=3, max_length=3, examples=["USD"]), AfterValidator(known_currency)]


class Money(BaseModel):
    """An amount of *minor* units (cents, yen, fils) in *currency*."""

    model_config = ConfigDict(frozen=True)

    minor: int
    currency: Currency

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Self:
        """Read *amount* in major units; raise ValueError when it is no number, too large, or has more digits than the
        currency.
        """
        exact = cls._exact(amount, currency)
        if exact.denominator != 1:
            raise ValueError(f"has more than {EXPONENTS[currency]} decimals, too many for {currency}")
        return cls(minor=exact.numerator, currency=currency)

    @classmethod
    def rounded(cls, amount: Decimal | Fraction, currency: str) -> Self:
        """Round *amount* in major units, half up (away from zero), to the currency's minor unit: once per line (api.md,
        Pricing).
        """
        exact = cls._exact(amount, currency)
        minor = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
        return cls(minor=minor if exact >= 0 else -minor, currency=currency)

    @staticmethod
    def _exact(amount: Decimal | Fraction | str | int, currency: str) -> Fraction:
        """*amount* in minor units; raise ValueError when it is no finite number or reaches LARGEST_MINOR."""
        scale = 10 ** EXPONENTS[known_currency(currency)]
        if not isinstance(amount, Fraction):
            try:
                amount = Decimal(amount)
            except InvalidOperation:
                raise ValueError("must be a decimal number") from None
            if not amount.is_finite() or abs(amount.adjusted()) > LONGEST:
                raise ValueError("must be a finite number within reason")
        exact: Fraction = Fraction(amount) * scale
        if abs(exact) >= LARGEST_MINOR:
            raise ValueError(f"must stay below {LARGEST_MINOR // scale} {currency}")
        return exact

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(minor=0, currency=currency)

    @property
    def amount(self) -> str:
        """The amount in major units as a decimal string: "29.99"."""
        return in_major_units(self.minor, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(minor=self.minor - other.minor, currency=self.currency)

    def covers(self, other: Money) -> bool:
        """Whether it is as much as *other*, or more, in the same currency."""
        return self.currency == other.currency and self.minor >= other.minor

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
