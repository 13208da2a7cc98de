"""Validation errors in our words: they say where and what, and echo nothing of what was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from checkout.fields import ContractProblem

MOST: Final = 50
"""Errors that one answer lists."""

WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "needs the field {discriminator}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "string_type": "must be a string",
    "string_too_short": "is too short: at least {min_length} characters",
    "string_too_long": "is too long: at most {max_length} characters",
    "string_pattern_mismatch": "is malformed",
    "too_short": "needs at least {min_length}",
    "too_long": "has too many: at most {max_length}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "decimal_type": "must be a decimal number",
    "decimal_parsing": "must be a decimal number",
    "finite_number": "must be a finite number",
    "decimal_max_digits": "has too many digits: at most {max_digits}",
    "decimal_max_places": "has too many decimals: at most {decimal_places}",
    "decimal_whole_digits": "has too many digits: at most {whole_digits} before the point",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "dict_type": "must be an object",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be an array",
    "tuple_type": "must be an array",
    "date_type": "must be a day: 2027-01-01",
    "date_parsing": "must be a day: 2027-01-01",
    "date_from_datetime_parsing": "must be a day: 2027-01-01",
    "date_from_datetime_inexact": "must be a day: 2027-01-01",
    "datetime_type": "must be an RFC 3339 time with a zone",
    "datetime_parsing": "must be an RFC 3339 time with a zone",
    "timezone_aware": "must be an RFC 3339 time with a zone",
    "value_error": "{error}",
}
"""pydantic's error types in our words. A `value_error` is one of our own validators, whose text holds no input."""

TAGGED: Final = frozenset({"pricing_data", "payment_terms"})
"""Fields of several forms: pydantic names the form after the field, as if it were a field too."""

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,63}")


def described(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`errors[] {loc, msg}` of a problem, from pydantic's *errors*."""
    return [{"loc": named(_fields(error)), "msg": _words(error)} for error in errors[:MOST]]


def _fields(error: Mapping[str, Any]) -> list[str | int]:
    """The way to the field that *error* is about, through fields only; a ContractProblem knows the last of it."""
    loc = error["loc"]
    way = [part for before, part in pairwise((None, *loc)) if before not in TAGGED]
    problem = error.get("ctx", {}).get("error")
    return [*way, *problem.loc] if isinstance(problem, ContractProblem) else way


def _words(error: Mapping[str, Any]) -> str:
    context = {name: value for name, value in error.get("ctx", {}).items() if name != "tag"}
    if isinstance(problem := context.get("error"), ContractProblem):
        return problem.msg
    try:
        return WORDS.get(error["type"], "is not valid").format_map(context)
    except KeyError:
        return "is not valid"


def named(loc: Sequence[str | int]) -> list[str | int]:
    """The way to an error; an unknown field is named only if it reads like a name."""
    return [part if isinstance(part, int) or _NAME.fullmatch(part) else "?" for part in loc]
