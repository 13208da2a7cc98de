"""Reading bodies strictly: bounded, UTF-8 JSON, exact numbers, nothing ambiguous, no card numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from starlette.requests import Request

from api.problems import Problem, invalid

LARGEST_BODY: Final = 256 * 1024
DEEPEST: Final = 32
LONGEST_NUMBER: Final = 64
LARGEST_EXPONENT: Final = 40

_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_RUN = re.compile(r"\d(?:[ -]?\d){12,}")
_CARD = range(13, 20)
"""How many digits a card number may have."""
_SHORTEST_GROUP: Final = 3
_MOST_GROUPS: Final = 7
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The sum of the digits of twice a digit."""


class StrictRequest(Request):
    """A request whose body is read once, at most LARGEST_BODY bytes of it, and parsed by `parsed`."""

    async def body(self) -> bytes:
        """The raw body; raises the problem `content-too-large`."""
        if not hasattr(self, "_body"):
            self._body = await self._bounded()
        return self._body

    async def _bounded(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:20]) > LARGEST_BODY:
            raise Problem("content-too-large", headers={"Connection": "close"})
        chunks = bytearray()
        async for chunk in self.stream():
            chunks += chunk
            if len(chunks) > LARGEST_BODY:
                raise Problem("content-too-large", headers={"Connection": "close"})
        return bytes(chunks)

    async def read(self) -> None:
        """Read and parse the body, so that `json` has it; an empty body is left to the route."""
        body = await self.body()
        if not body:
            return
        _refuse_other_than_json(self.headers.get("content-type", ""), self.headers.get("content-encoding", "identity"))
        self._json = parsed(body)


def _refuse_other_than_json(content_type: str, encoding: str) -> None:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"} or encoding != "identity":
        raise Problem("unsupported-media-type")


def parsed(body: bytes) -> Any:
    """The JSON value of *body*; numbers with a point or exponent are Decimals. Raises the problem `validation`."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise invalid(("body",), "must be JSON in UTF-8") from None
    except RecursionError:
        raise invalid(("body",), f"must not be nested deeper than {DEEPEST} levels") from None
    for place, text in _texts(value, ("body",)):
        _refuse_text(place, text)
    return value


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid(("body",), "has a number out of range") from None
    if len(text) > LONGEST_NUMBER or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise invalid(("body",), "has a number out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise invalid(("body",), "has a number out of range")
    return int(text)


def _no_constant(_: str) -> NoReturn:
    raise invalid(("body",), "must not have NaN or Infinity")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise invalid(("body",), "has an object with the same member twice")
    return members


def _texts(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in *value*, member names too, and integers that are as long as a card number, with its place."""
    if len(place) > DEEPEST:
        raise invalid(("body",), f"must not be nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, int) and value >= 2 * 10**12:
        yield place, str(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield place, name
            yield from _texts(member, (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*place, index))


def _refuse_text(place: tuple[str | int, ...], text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise invalid(place, "must not have a NUL or half a surrogate pair")
    telephone = place[-1] == "phone_number" and text.startswith("+")
    if not telephone and has_card_number(text):
        raise invalid(place, "looks like a card number; card numbers are accepted nowhere")


def has_card_number(text: str) -> bool:
    """Whether *text* has 13 to 19 digits, perhaps with spaces or dashes, that pass Luhn; ids (UUIDs) do not count."""
    return any(_luhn(digits) for run in _RUN.findall(_UUID.sub(" ", text)) for digits in _candidates(run))


def _candidates(run: str) -> Iterator[str]:
    """What in *run* may be a card number: all of it, or neighbouring groups of three digits and more."""
    groups = re.split("[ -]", run)
    whole = "".join(groups)
    if len(whole) in _CARD:
        yield whole
    for start in range(len(groups)):
        digits = ""
        for group in groups[start : start + _MOST_GROUPS]:
            digits += group
            if len(group) < _SHORTEST_GROUP or len(digits) > _CARD[-1]:
                break
            if len(digits) in _CARD:
                yield digits


def _luhn(run: str) -> bool:
    digits = [int(digit) for digit in reversed(run)]
    return (sum(digits[::2]) + sum(_DOUBLED[digit] for digit in digits[1::2])) % 10 == 0
