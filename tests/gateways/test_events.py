"""Events in, by the promise of gateways/port.py: what is signed is read, everything else is forged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from gateways.port import ForgedEvent
from tests.gateways.conftest import Contract
from tests.sandbox.provider import WEBHOOK_SECRET


def _signed(body: str) -> dict[str, str]:
    at = datetime.now(UTC)
    signature = Webhook(WEBHOOK_SECRET).sign("evt_1", at, body)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def _body(contract: Contract) -> str:
    return (
        f'{{"id": "evt_1", "type": "page.paid", "account": "{contract.account}", "reference": "{contract.reference}",'
        ' "key": "k", "timestamp": "2026-01-01T00:00:00Z"}'
    )


async def test_a_signed_event_is_read(contract: Contract) -> None:
    body = _body(contract)

    event = contract.gateway.read_event(_signed(body), body.encode())

    assert (event.id, event.type, event.account, event.reference) == (
        "evt_1",
        "page.paid",
        contract.account,
        contract.reference,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,bm90IHRoZSBzaWduYXR1cmU="},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "NaN"},
        {"webhook-timestamp": "1e400"},
        {"webhook-id": "evt_2"},
    ],
)
async def test_anything_else_is_forged(contract: Contract, change: dict[str, str]) -> None:
    body = _body(contract)
    headers = {**_signed(body), **change}

    with pytest.raises(ForgedEvent):
        contract.gateway.read_event(headers, body.encode())


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null"])
async def test_a_changed_or_shapeless_body_is_forged(contract: Contract, body: bytes) -> None:
    signed = _signed(body.decode("latin-1"))

    for headers in (signed, _signed(_body(contract)), {}):
        with pytest.raises(ForgedEvent):
            contract.gateway.read_event(headers, body)
