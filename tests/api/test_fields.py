"""Field types: what they accept, and what browsers, parsers and clocks would misread."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.fields import Email, Instant, JsonObject, Name, Phone, Url
from api.validation import described

URL: TypeAdapter[Any] = TypeAdapter(Url)
INSTANT: TypeAdapter[Any] = TypeAdapter(Instant)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/ok",
        "https://shop.example",
        "https://shop.example:8443/ok?session=1&x=%20#done",
        "HTTPS://SHOP.example/OK",
        "https://xn--bcher-kva.example/",
        "https://192.0.2.7/ok",
        "https://[2001:db8::1]:444/ok",
        "http://localhost:3000/ok",
        "http://127.0.0.1:3000/ok",
        "http://[::1]/ok",
    ],
)
def test_an_absolute_https_url_is_taken_as_it_is(url: str) -> None:
    assert URL.validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//shop.example/ok",
        "/ok",
        "https:shop.example",
        "https:/shop.example",
        "https:///ok",
        "https://",
        "http://shop.example/ok",
        "http://localhost.evil.example/ok",
        "http://2130706433/ok",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "http://[::1%25lo]/",
        "ftp://shop.example/ok",
        "https://user@shop.example/",
        "https://user:pw@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://shop.example\\ok",
        "https://shop.example/a b",
        "https://shop.example/\tok",
        "https://shop.example/\r\nSet-Cookie: a=b",
        " https://shop.example/",
        "https://shop.example/<script>",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example:/",
        "https://sh\u00f6p.example/",
        "https://shop.example\uff0fok",
        "https://-shop.example/",
        "https://shop..example/",
        "https://[::1",
        "https://[2001:db8::1]evil.example/",
        "http://[::1]evil.example/",
        "http://[::1].evil.example:80/",
        "https://evil.example[::1]/",
        "https://shop.example/\x00",
        "https://%73hop.example/",
        "https://shop.example/" + "x" * 2083,
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(url)


@given(st.text())
def test_no_text_makes_a_field_fail_otherwise_than_by_refusing(text: str) -> None:
    for kind in (Url, Instant, Email, Phone, Name):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        try:
            adapter.validate_python(text)
        except ValidationError as refusal:
            described(refusal.errors())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-01T00:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01t01:30:00.5+01:30", datetime(2027, 1, 1, microsecond=500_000, tzinfo=UTC)),
    ],
)
def test_a_time_with_a_zone_is_read_and_answered_in_utc(text: str, moment: datetime) -> None:
    read = INSTANT.validate_python(text)

    assert read == moment
    assert INSTANT.dump_json(read).endswith(b'Z"')


@pytest.mark.parametrize(
    "value",
    [
        "2027-01-01T00:00:00",
        "2027-01-01",
        "2027-01-01T23:59:60Z",
        "2027-02-29T00:00:00Z",
        "2027-01-01T24:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "1700000000",
        1700000000,
        "\u0662\u0660\u0662\u0667-01-01T00:00:00Z",
        "../../etc/localtime",
        True,
        None,
    ],
)
def test_a_time_that_could_be_misread_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


def test_free_objects_have_plain_json_numbers() -> None:
    read = TypeAdapter(JsonObject).validate_python({"a": [Decimal("1.5"), 2], "b": {"c": Decimal(3)}})

    assert read == {"a": [1.5, 2], "b": {"c": 3.0}}
