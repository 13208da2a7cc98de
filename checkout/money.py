"""Money: integer minor units of an ISO 4217 currency; no float anywhere."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, Self

from iso4217 import Currency as Iso4217
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LARGEST_MINOR: Final = 10**14
"""No amount may reach this many minor units (a trillion dollars)."""

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


Currency = Annotated[str, Field(min_length=3, max_length=3, examples=["USD"]), AfterValidator(known_currency)]


class Money(BaseModel):
    """An amount of *minor* units (cents, yen, fils) in *currency*."""

    model_config = ConfigDict(frozen=True)

    minor: int
    currency: Currency

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Self:
        """Read *amount* in major units; raise ValueError when it has more digits than the currency."""
        scaled = Decimal(amount).scaleb(EXPONENTS[known_currency(currency)])
        if scaled != scaled.to_integral_value():
            raise ValueError(f"has more than {EXPONENTS[currency]} decimals, too many for {currency}")
        return cls(minor=int(scaled), currency=currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        """Round *amount* in major units, half up, to the currency's minor unit: once per line (api.md, Pricing)."""
        scaled = amount.scaleb(EXPONENTS[known_currency(currency)])
        return cls(minor=int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP)), currency=currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(minor=0, currency=currency)

    @property
    def amount(self) -> str:
        """The amount in major units as a decimal string: "29.99"."""
        exponent = EXPONENTS[self.currency]
        return f"{Decimal(self.minor).scaleb(-exponent):.{exponent}f}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(minor=self.minor - other.minor, currency=self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
