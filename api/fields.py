"""Types of fields that several bodies share: what they accept, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from iso3166 import countries_by_alpha2
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
)

from checkout.commands import LONGEST_ADVANCE
from checkout.fields import YEARS, Day, Description, Kept, Name, Strict, Yes
from checkout.hosts import is_host, is_loopback

__all__ = [
    "Address",
    "Advance",
    "Body",
    "Code",
    "Country",
    "Day",
    "Email",
    "Instant",
    "JsonObject",
    "Name",
    "Phone",
    "QueryBool",
    "Resource",
    "Shown",
    "TaxInfo",
    "TaxInfos",
    "Text",
    "Url",
    "Yes",
]

LARGEST_OBJECT: Final = 16 * 1024

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_ADVANCE = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,8})W)?(?:(?P<days>\d{1,8})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")
_URL = re.compile(r"https?://[^/?#]+([/?#].*)?", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@]+)(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_NOT_IN_URL = re.compile(r"[^\x21-\x7e]|[\\\"<>^`{|}]")


Body = Strict
"""What request bodies are made of: frozen, and without a place for unknown fields."""

Shown = Kept
"""What answers are made of: every member always present."""


class Resource(Shown):
    """An answer that has its own address."""

    id: UUID


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None


def _country(code: str) -> str:
    if code not in countries_by_alpha2:
        raise ValueError("must be an ISO 3166 country code of two capitals")
    return code


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text) or not 5 <= sum(character.isdigit() for character in text) <= 15:
        raise ValueError("must be a telephone number: 5 to 15 digits, perhaps with + in front")
    return text


def _time(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value) or int(value[:4]) not in YEARS:
        raise ValueError("must be an RFC 3339 time with a zone")
    return value


def _advance(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = _ADVANCE.fullmatch(value) if isinstance(value, str) else None
    span = timedelta(**{unit: int(many) for unit, many in found.groupdict("0").items()}) if found else timedelta(0)
    if not timedelta(0) < span <= LONGEST_ADVANCE:
        raise ValueError(
            "must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, at most 400 days: P30D, PT36H"
        )
    return span


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _free(value: Any) -> Any:
    """Free-form JSON has JSON's numbers: what was read exactly becomes a double, as every JSON reader takes it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _free(member) for name, member in value.items()}
    return [_free(item) for item in value] if isinstance(value, list) else value


def _small(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > LARGEST_OBJECT:
        raise ValueError("must not be larger than 16 KiB")
    return value


def _url(text: str) -> str:
    """api.md: absolute https, http for loopback only. What a browser would read differently is refused."""
    malformed = ValueError("must be an absolute https URL (http for loopback only)")
    if _NOT_IN_URL.search(text) or not _URL.fullmatch(text):
        raise malformed
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise malformed from None
    if host is None or port == 0 or not _AUTHORITY.fullmatch(parts.netloc) or not is_host(host):
        raise malformed
    if parts.scheme != "https" and not is_loopback(host):
        raise malformed
    return text


Text = Annotated[Description, StringConstraints(max_length=1000)]
"""Lines that people write; at most 1000 characters."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]

Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
"""An address, checked without asking the DNS; its domain in lower case."""

Country = Annotated[str, StringConstraints(min_length=2, max_length=2), AfterValidator(_country)]

Phone = Annotated[str, AfterValidator(_phone)]

Url = Annotated[str, StringConstraints(min_length=1, max_length=2083), AfterValidator(_url)]
"""Where a customer's browser may be sent."""

Instant = Annotated[
    datetime,
    BeforeValidator(_time),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment: RFC 3339 with a zone on input, UTC inside and on output. Years 1970 to 2199."""

JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_free), AfterValidator(_small)]
"""The client's own data: any JSON object up to 16 KiB."""


Advance = Annotated[
    timedelta,
    BeforeValidator(_advance),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["P30D"]}),
]
"""How far a clock is moved: ISO 8601, above zero and up to 400 days. Months and years have no fixed length."""


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


QueryBool = Annotated[bool, BeforeValidator(_truth), Field(strict=True)]
"""true or false in a query string."""


class Address(Body):
    """A postal address; what is unset is null."""

    line1: Name | None = None
    line2: Name | None = None
    line3: Name | None = None
    city: Name | None = None
    state: Name | None = None
    zip_code: Annotated[Name, StringConstraints(max_length=20)] | None = None
    country_code: Country | None = None


class TaxInfo(Body):
    """A tax number: `eu_vat` DE136695976 in DE."""

    country_code: Country
    tax_code: Code
    tax_id: Code


TaxInfos = Annotated[list[TaxInfo], Field(max_length=10)]
