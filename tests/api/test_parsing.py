"""Bodies are read strictly, and nothing of a refused one comes back."""

from __future__ import annotations

import time
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from api.parsing import has_card_number, parsed
from api.problems import Problem

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 100_000,
        b"[" * 33 + b"]" * 33,
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": 1' + b"0" * 5_000 + b"}",
        b'{"a": 0.' + b"1" * 5_000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a\\u0000": 1}',
        b'"\xff"',
        '{"a": 1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a": 1}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b'{"a": "4111 1111 1111 1111"}',
        b'{"a": ["order 12 4111-1111-1111-1111"]}',
        b'{"4111111111111111": 1}',
        b'{"a": 4111111111111111}',
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refusal:
        parsed(body)

    assert refusal.value.name == "validation"
    assert "4111" not in str(refusal.value.members)


def test_numbers_are_read_exactly() -> None:
    assert parsed(b'{"amount": 29.990, "count": 3}') == {"amount": Decimal("29.990"), "count": 3}
    assert str(parsed(b"29.990")) == "29.990"


@pytest.mark.parametrize(
    "text", ["4242424242424242", "3782 822463 10005", "see 5555-5555-5555-4444.", "6011000990139424"]
)
def test_a_card_number_is_seen(text: str) -> None:
    assert has_card_number(text)


def test_an_id_or_a_telephone_number_is_not_a_card() -> None:
    assert not any(has_card_number(f"https://shop.example/ok?session={uuid4()}") for _ in range(20_000))
    assert parsed(b'{"phone_number": "+49 30 424242424"}')
    assert not has_card_number("4111111111111112")
    assert not has_card_number("41111111111111111111111")


def test_a_body_full_of_digits_is_read_in_a_moment() -> None:
    begun = time.process_time()
    parsed(b'"' + b"1234 " * 50_000 + b'"')

    assert time.process_time() - begun < 3


async def test_a_body_over_256_kib_is_refused_before_it_is_read(api: httpx.AsyncClient) -> None:
    async def endless() -> object:
        for _ in range(10_000):
            yield b" " * 65_536

    for content in (b" " * (256 * 1024 + 1), endless()):
        answer = await api.post("/customers", content=content, headers=JSON)  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/content-too-large"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {},
    ],
)
async def test_a_body_that_is_not_said_to_be_json_is_refused(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await api.post("/customers", content=b'{"customer_name": "Acme"}', headers=headers)

    assert answer.status_code == 415
    assert answer.json()["type"] == "/problems/unsupported-media-type"


async def test_a_refusal_echoes_nothing_that_was_sent(api: httpx.AsyncClient) -> None:
    body = {
        "customer_name": "",
        "email": "secret-marker",
        "<script>secret-marker": 1,
        "phone_number": "secret-marker",
        "address": {"country_code": "secret-marker"},
        "tax_info": "secret-marker",
        "business_entity_id": "secret-marker",
    }
    answer = await api.post("/customers", json=body)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 7
    assert "secret" not in answer.text
