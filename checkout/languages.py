"""The languages our pages speak, and which of them a customer's browser asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, get_args

Language = Literal["en", "de", "fr", "es"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

MOST_READ: Final = 1000
"""How many characters of a header are looked at; browsers send some dozens."""

_RANGE = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")


def accepted(header: str) -> tuple[str, ...]:
    """The language tags of an Accept-Language (RFC 9110, 12.5.4), best first; what can't be read is passed over."""
    found = [_RANGE.fullmatch(part) for part in header[:MOST_READ].split(",")]
    weighed = [(match[1], float(match[2] or 1)) for match in found if match]
    best_first = sorted(weighed, key=lambda each: -each[1])
    return tuple(tag for tag, weight in best_first if weight)


def language_among(tags: Sequence[str]) -> Language:
    """The first of ours that *tags* ask for, English where none is."""
    asked = (tag.partition("-")[0].lower() for tag in tags)
    return next((ours for language in asked for ours in LANGUAGES if ours == language), "en")
