"""Payment terms: when an invoice is due, and in which parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from checkout.billing import Span, after
from checkout.fields import Amount, ContractProblem, Day, Kept, Percent, Strict, in_minor_units
from checkout.money import Money

MOST_INSTALMENTS: Final = 100
MOST_DAYS: Final = 1826
"""Five years."""
LONGEST: Final = Span(months=60, days=0)
"""How long after the contract's start money may fall due."""

Loc = tuple[str | int, ...]


class NetDays(Strict):
    """Due *days* after the invoice's date."""

    type: Literal["net_days"]
    days: Annotated[int, Field(strict=True, ge=0, le=MOST_DAYS)]


class DueDate(Strict):
    """Due on *date*."""

    type: Literal["due_date"]
    date: Day


class Part(Strict):
    """A part of the invoice: either *percent* of it or *amount* in major units, due on *date*."""

    percent: Percent | None = None
    amount: Amount | None = None
    date: Day

    @model_validator(mode="after")
    def _percent_or_amount(self) -> Part:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("needs either percent or amount")
        return self


class Instalments(Strict):
    """Due in parts that add up to the invoice, to the minor unit."""

    type: Literal["instalments"]
    instalments: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST_INSTALMENTS)]

    @field_validator("instalments")
    @classmethod
    def _add_up_in_order(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if any(later.date <= earlier.date for earlier, later in pairwise(parts)):
            raise ValueError("must be sorted by date, each on its own day")
        percents = [part.percent for part in parts if part.percent is not None]
        if percents and len(percents) < len(parts):
            raise ValueError("must be all percents or all amounts")
        if percents and sum(percents) != 100:
            raise ValueError("must add up to 100 percent")
        return parts


PaymentTerms = Annotated[NetDays | DueDate | Instalments, Field(discriminator="type")]


class Due(Kept):
    """A part of the amount due: who pays immediately pays all of them at once. *n* counts from 1."""

    n: int
    due_on: date
    amount: Money


def split(total: int, weights: Sequence[Fraction | Decimal | int]) -> list[int]:
    """Split *total* minor units in proportion to *weights* by largest remainder: nothing is lost, no part is further
    than a unit from its exact share, and of equal remainders the larger weight, then the first, gets the unit.
    """
    ratios = [weight.as_integer_ratio() for weight in weights]
    unit = math.lcm(*(denominator for _, denominator in ratios))
    wholes = [numerator * (unit // denominator) for numerator, denominator in ratios]
    everything = sum(wholes) or 1
    parts = [total * whole // everything for whole in wholes]
    by_remainder = sorted(range(len(parts)), key=lambda n: (-(total * wholes[n] % everything), -wholes[n]))
    missing = total - sum(parts) if any(wholes) else 0
    for n in by_remainder[:missing]:
        parts[n] += 1
    return parts


def check(terms: PaymentTerms | None, start: date | None, currency: str, loc: Loc) -> None:
    """Raise ContractProblem where *terms* ask for money before *start* or more than 5 years after it, or for parts of a
    minor unit; without *start*, as in a plan, for the latter only.
    """
    if isinstance(terms, DueDate):
        _in_time(terms.date, start, (*loc, "date"))
    if not isinstance(terms, Instalments):
        return
    for index, part in enumerate(terms.instalments):
        _in_time(part.date, start, (*loc, "instalments", index, "date"))
        if part.amount is not None:
            in_minor_units(part.amount, currency, (*loc, "instalments", index, "amount"))


def _in_time(day: date, start: date | None, loc: Loc) -> None:
    if start is None:
        return
    if day < start:
        raise ContractProblem(loc, "must not be before the contract starts")
    if day > after(start, LONGEST):
        raise ContractProblem(loc, "must not be more than 5 years after the contract starts")


def due_date(terms: PaymentTerms | None, invoiced: date) -> date:
    """When an invoice of the day *invoiced* is due as a whole; without terms, and at the earliest, on that day."""
    if isinstance(terms, NetDays):
        return invoiced + timedelta(days=terms.days)
    if isinstance(terms, DueDate):
        return max(terms.date, invoiced)
    return invoiced


def schedule(terms: PaymentTerms | None, invoiced: date, total: Money, loc: Loc) -> tuple[Due, ...]:
    """Who pays what when for the invoice *total* of the day *invoiced*: sorted by day, nothing due twice or for zero.

    Raises ContractProblem where instalments in amounts do not add up to *total*.
    """
    if not isinstance(terms, Instalments):
        day = terms.date if isinstance(terms, DueDate) else due_date(terms, invoiced)
        return (Due(n=1, due_on=day, amount=total),) if total.minor else ()
    parts = [part for part in terms.instalments if part.amount is not None]
    if parts:
        amounts = [Money.of(part.amount or 0, total.currency).minor for part in parts]
        if sum(amounts) != total.minor:
            raise ContractProblem((*loc, "instalments"), f"must add up to the amount due, {total}")
    else:
        amounts = split(total.minor, [part.percent or 0 for part in terms.instalments])
    owed = [(part.date, amount) for part, amount in zip(terms.instalments, amounts, strict=True) if amount]
    return tuple(
        Due(n=n, due_on=day, amount=Money(minor=amount, currency=total.currency))
        for n, (day, amount) in enumerate(owed, start=1)
    )
