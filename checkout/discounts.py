"""Discounts and taxes: what is taken off a price, and what is put on top of it."""

from __future__ import annotations

from pydantic import model_validator

from checkout.fields import Amount, Percent, Strict, Yes


class Discount(Strict):
    """Off the price: *percent* of it, or *amount* in major units, at most down to zero."""

    percent: Percent | None = None
    amount: Amount | None = None

    @model_validator(mode="after")
    def _percent_or_amount(self) -> Discount:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("needs either percent or amount")
        return self


class Tax(Strict):
    """*percent* on top of the price, or *inclusive*: contained in it."""

    percent: Percent
    inclusive: Yes = False
