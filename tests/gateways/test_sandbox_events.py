"""The sandbox provider's events: each type that it sends is known, any other concerns nobody, and secrets can change."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from gateways.port import ForgedEvent
from gateways.sandbox import CAPTURED, KNOWN, SandboxGateway
from sandbox.records import Event, stamp
from sandbox.store import Store
from sandbox.webhooks import Deliverer
from tests.conftest import ROOT
from tests.sandbox.provider import WEBHOOK_SECRET

NEW = "whsec_dGhlIG5ldyBzZWNyZXQ="
FACTS = {"id": "evt_1", "account": str(uuid4()), "reference": str(uuid4()), "key": "a-key"}
BODY = json.dumps({**FACTS, "type": "page.left"})


def gateway(secrets: str = WEBHOOK_SECRET) -> SandboxGateway:
    return SandboxGateway("http://127.0.0.1:1", "", secrets)


def signed(body: str, *secrets: str) -> dict[str, str]:
    at = datetime.now(UTC)
    signatures = " ".join(Webhook(secret).sign("evt_1", at, body) for secret in secrets)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signatures}


def test_every_type_that_the_provider_sends_is_known() -> None:
    source = "".join((ROOT / "sandbox" / name).read_text() for name in ("paying.py", "calls.py"))

    of_both = {
        f"{call}.{what}" for what in re.findall(r'f"{payment.call}\.([a-z_]+)"', source) for call in ("page", "charge")
    }
    assert set(re.findall(r'"((?:page|charge|refund)\.[a-z_]+)"', source)) | of_both == KNOWN


@pytest.mark.parametrize("kind", [*sorted(KNOWN), "customer.moved", ""])
async def test_an_event_says_whether_it_is_about_a_session_and_whether_money_is_said_to_have_moved(kind: str) -> None:
    body = json.dumps({**FACTS, "type": kind, "captured": True})

    event = gateway().read_event(signed(body, WEBHOOK_SECRET), body.encode())

    assert (event.id, event.type, event.captured) == ("evt_1", kind, kind in CAPTURED)
    assert (event.account is None, event.reference is None) == (kind not in KNOWN, kind not in KNOWN)


@pytest.mark.parametrize(
    "secrets", [f"{NEW} {WEBHOOK_SECRET}", f"{WEBHOOK_SECRET},{NEW}", f" {NEW},\n{WEBHOOK_SECRET} "]
)
@pytest.mark.parametrize("signers", [(WEBHOOK_SECRET,), (NEW,), (NEW, WEBHOOK_SECRET), (WEBHOOK_SECRET, NEW)])
async def test_a_signature_of_any_of_our_secrets_is_enough(secrets: str, signers: tuple[str, ...]) -> None:
    assert gateway(secrets).read_event(signed(BODY, *signers), BODY.encode()).id == "evt_1"


@pytest.mark.parametrize("secrets", ["", WEBHOOK_SECRET, f"{WEBHOOK_SECRET} {WEBHOOK_SECRET}"])
async def test_without_a_secret_of_its_signer_an_event_is_forged(secrets: str) -> None:
    with pytest.raises(ForgedEvent):
        gateway(secrets).read_event(signed(BODY, NEW), BODY.encode())


async def test_the_provider_signs_with_each_of_its_secrets() -> None:
    sent: list[httpx.Request] = []
    deliverer = Deliverer(cast("Store", None), "http://api/webhooks/sandbox", f"{NEW} {WEBHOOK_SECRET}")
    deliverer._client = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: taken(sent, request)))
    now = stamp(datetime.now(UTC))

    assert await deliverer._send(
        "http://api/webhooks/sandbox", Event(id="evt_1", body=BODY, created_at=now, due_at=now)
    )

    for secret in (NEW, WEBHOOK_SECRET):
        assert gateway(secret).read_event(sent[0].headers, sent[0].content).id == "evt_1"
    await deliverer.close()


def taken(sent: list[httpx.Request], request: httpx.Request) -> httpx.Response:
    sent.append(request)
    return httpx.Response(200)
