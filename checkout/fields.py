"""What bodies and documents are made of: exact amounts, days, one-line names, and the two kinds of models."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from checkout.money import EXPONENTS

YEARS: Final = range(1970, 2200)

_DECIMAL: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T00:00:00(\.0{1,9})?(Z|\+00:00)?)?")
_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


class Strict(BaseModel):
    """A part of a request body: frozen, and without a place for unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kept(BaseModel):
    """A part of a stored document: frozen, and tolerant of members that another version wrote."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ContractProblem(ValueError):
    """What is asked for breaks a rule. *loc* is the way to the field inside the body, *msg* the rule (and,
    beside `validation`, the field too), *problem* the name of a problem type of api.md: `validation`,
    `currency-mismatch` or `plan-not-available`.
    """

    def __init__(self, loc: tuple[str | int, ...], msg: str, problem: str = "validation") -> None:
        super().__init__(f"{'.'.join(map(str, loc))} {msg}" if loc else msg)
        self.loc = loc
        self.msg = msg if problem == "validation" else str(self)
        self.problem = problem

    def within_a_plan(self) -> ContractProblem:
        """The same, for a body that names the plan whose phases break the rule."""
        if self.loc[:1] != ("phases",):
            return self
        loc = ("quantities",) if self.loc[-1] == "quantity" else ("plan_id",)
        return ContractProblem(loc, f"the plan's {self}", self.problem)


def tolerant(kind: Any) -> WrapValidator:
    """Let a stored document hold the request type *kind*, and ignore in it what another version wrote."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(value: Any, strict: ValidatorFunctionWrapHandler) -> Any:
        return adapter.validate_python(value, extra="ignore") if isinstance(value, dict) else strict(value)

    return WrapValidator(read)


@dataclass(frozen=True)
class Exact:
    """Reads a decimal of at most *whole* digits before the point and *places* behind it, from a string, a Decimal or
    an int; never from a float, and never negative (-0 included).
    """

    whole: int
    places: int

    def __call__(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError("must be a decimal number, or a string with one")  # noqa: TRY004 - pydantic reads ValueError
        if isinstance(value, str) and not _DECIMAL.fullmatch(value):
            raise ValueError("must be a decimal number in plain digits: 29.99")
        number = Decimal(value)
        if not number.is_finite():
            raise ValueError("must be a finite number")
        if number.is_signed():
            raise ValueError("must not be negative")
        if number and not -30 <= number.adjusted() < self.whole:
            raise ValueError(f"is out of range: at most {self.whole} digits before the point")
        number = Decimal(f"{number:f}") if number else Decimal(0)
        if decimals(number) > self.places:
            raise ValueError(f"has too many decimals: at most {self.places}")
        return number


def decimals(number: Decimal) -> int:
    """How many digits *number* has behind the point, zeros at the end not counted."""
    _, _, fraction = f"{number:f}".partition(".")
    return len(fraction.rstrip("0"))


def in_minor_units(amount: Decimal, currency: str, loc: tuple[str | int, ...]) -> None:
    """Raise ContractProblem where *amount* has more decimals than *currency*."""
    if decimals(amount) > EXPONENTS[currency]:
        raise ContractProblem(loc, f"has more than {EXPONENTS[currency]} decimals, too many for {currency}")


def _positive(number: Decimal) -> Decimal:
    if not number:
        raise ValueError("must be greater than 0")
    return number


def _at_most_all(number: Decimal) -> Decimal:
    if number > 100:
        raise ValueError("must be at most 100")
    return number


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if any(unicodedata.category(character) == "Cc" or character in _DIRECTION for character in text):
        raise ValueError("must not have control characters, line ends or direction marks")
    return text


def _lines(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in "\n\r\t" for character in text):
        raise ValueError("must not have control characters")
    return text


def _day(value: Any) -> date:
    if isinstance(value, str) and (match := _DAY.fullmatch(value)):
        try:
            value = date.fromisoformat(match[1])
        except ValueError:
            value = None
    if not isinstance(value, date) or isinstance(value, datetime) or value.year not in YEARS:
        raise ValueError(f"must be a day like 2027-01-01, of the years {YEARS[0]} to {YEARS[-1]}")
    return value


_TEXT = PlainSerializer(lambda number: f"{number:f}", return_type=str, when_used="json")
_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,12})?$"}, {"type": "number", "minimum": 0}]}
)

UnitAmount = Annotated[Decimal, BeforeValidator(Exact(15, 12)), _TEXT, _SCHEMA]
"""A price in major units, up to 12 decimals: 0.0004 a call."""

Amount = Annotated[Decimal, BeforeValidator(Exact(15, 4)), _TEXT, _SCHEMA]
"""An amount in major units. Its currency, and so its number of decimals, stands elsewhere."""

Quantity = Annotated[Decimal, BeforeValidator(Exact(12, 6)), _TEXT, _SCHEMA]
"""How many: zero or more, up to 6 decimals."""

Size = Annotated[Decimal, BeforeValidator(Exact(12, 6)), AfterValidator(_positive), _TEXT, _SCHEMA]
"""A quantity that is not zero."""

Percent = Annotated[Decimal, BeforeValidator(Exact(3, 6)), AfterValidator(_at_most_all), _TEXT, _SCHEMA]
"""0 to 100, up to 6 decimals."""

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day of the organisation; a time at midnight is taken as that day (api.md, By example)."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_one_line)]
"""One line that people read."""

Description = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_lines)]
"""Lines that people write."""

Yes = Annotated[bool, Field(strict=True)]
