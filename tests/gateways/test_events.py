"""Events in, by the promise of gateways/port.py: what is signed is read, everything else is forged."""

from __future__ import annotations

from typing import Any

import pytest

from gateways.port import ForgedEvent
from tests.gateways.conftest import Contract


def _about(contract: Contract) -> dict[str, Any]:
    return {"account": contract.account, "reference": contract.reference, "key": contract.page_key}


async def test_a_signed_event_is_read(contract: Contract) -> None:
    event = contract.gateway.read_event(*contract.world.signed(_about(contract)))

    assert (event.id, event.account, event.reference) == ("evt_1", contract.account, contract.reference)
    assert (event.key, event.captured) == (contract.page_key, True)
    assert event.type


async def test_anything_else_is_forged(contract: Contract) -> None:
    headers, body = contract.world.signed(_about(contract))

    assert contract.gateway.read_event(headers, body)
    for change in contract.world.headers.values():
        with pytest.raises(ForgedEvent):
            contract.gateway.read_event({**headers, **change}, body)
    with pytest.raises(ForgedEvent):
        contract.gateway.read_event({}, body)


async def test_a_byte_that_is_not_as_it_was_signed_is_forged(contract: Contract) -> None:
    headers, body = contract.world.signed(_about(contract))

    for position in range(0, len(body), 7):
        changed = bytearray(body)
        changed[position] ^= 1
        with pytest.raises(ForgedEvent):
            contract.gateway.read_event(headers, bytes(changed))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{}", b'{"id": "evt_1"}'])
async def test_a_body_without_shape_is_forged_whoever_signed_it(contract: Contract, body: bytes) -> None:
    for headers in (contract.world.signed_anyhow(body), contract.world.signed(_about(contract))[0], {}):
        with pytest.raises(ForgedEvent):
            contract.gateway.read_event(headers, body)
