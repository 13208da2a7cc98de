"""Events in that are none, or that say what is not so: refused or disbelieved, without effect, and counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from gateways.sandbox import SandboxGateway
from store.database import Database
from tests.api.interruptions import PRICE, completed, due_today, page_of
from tests.api.messenger import PATIENCE, Deaf, Door, Messenger, Said, kept, silent
from tests.api.shop import Shop


def altered(said: Said, **headers: str | None) -> Said:
    """With other headers, or without."""
    given = {name: value for name, value in (said.headers | headers).items() if value is not None}
    return replace(said, headers=given)


def now() -> datetime:
    return datetime.now(UTC)


FORGED: dict[str, Callable[[Messenger, Said], Said]] = {
    "unsigned": lambda _, said: replace(said, headers={}),
    "signed by somebody else": lambda m, said: replace(
        said, headers=replace(m, secret="whsec_c29tZWJvZHkgZWxzZQ==").signed(json.loads(said.body)).headers
    ),
    "one byte changed": lambda _, said: replace(said, body=said.body.replace(b"page.left", b"page.paid")),
    "another id": lambda _, said: altered(said, **{"webhook-id": "evt_other"}),
    "ten minutes old": lambda m, said: m.signed(json.loads(said.body), now() - timedelta(minutes=10)),
    "of tomorrow": lambda m, said: m.signed(json.loads(said.body), now() + timedelta(days=1)),
    "ten minutes old, said to be new": lambda m, said: altered(
        m.signed(json.loads(said.body), now() - timedelta(minutes=10)),
        **{"webhook-timestamp": str(int(now().timestamp()))},
    ),
    "no id": lambda _, said: altered(said, **{"webhook-id": None}),
    "no time": lambda _, said: altered(said, **{"webhook-timestamp": None}),
    "time is no number": lambda _, said: altered(said, **{"webhook-timestamp": "NaN"}),
    "time without end": lambda _, said: altered(said, **{"webhook-timestamp": "1e400"}),
    "signature without a version": lambda _, said: altered(said, **{"webhook-signature": "nonsense"}),
    "signature of too many parts": lambda _, said: altered(said, **{"webhook-signature": "v1,a,b"}),
    "signature no base64": lambda _, said: altered(said, **{"webhook-signature": "v1,a"}),
    "empty": lambda m, _: m.signed(""),
    "no UTF-8": lambda _, said: replace(said, body=said.body + b"\xff"),
    "no object": lambda m, _: m.signed("[]"),
    "no JSON": lambda m, _: m.signed("{"),
    "deeper than anybody reads": lambda m, _: m.signed("[" * 100_000),
    "without an id": lambda m, _: m.signed({"id": None, "type": "page.paid", "account": None, "reference": None}),
    "of a session that is no id": lambda m, _: m.event("page.paid", "../../etc/passwd"),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_bears_no_signature_of_ours_or_is_no_event_is_refused_and_counted(
    door: Door, deaf: Deaf, database: Database, how: str
) -> None:
    said = FORGED[how](door.messenger, door.messenger.event("page.left", uuid4(), "a-key"))

    answer = await door.messenger.bring(said)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await door.counted() == {"unverified": 1}
    assert deaf.hints == 0
    assert "evt_" not in answer.text
    if said.id != "evt_1":
        assert await kept(database, said) is None


@pytest.mark.parametrize(
    "wrong",
    [{"id": "evt_\0"}, {"id": "evt_" + "1" * 300}, {"id": " "}, {"type": ""}, {"type": "page.\nleft"},
     {"key": "\ud800"}, {"key": "k" * 300}],
    ids=str,
)  # fmt: skip
async def test_an_event_whose_words_cannot_be_kept_is_refused_and_counted(
    door: Door, deaf: Deaf, wrong: dict[str, str]
) -> None:
    facts = {"id": f"evt_{uuid4().hex}", "type": "page.left", "account": door.messenger.organisation,
             "reference": str(uuid4()), "key": "a-key"}  # fmt: skip

    answer = await door.messenger.bring(door.messenger.signed({**facts, **wrong}))

    assert answer.status_code == 400
    assert await door.counted() == {"unreadable": 1}
    assert deaf.hints == 0


async def test_a_body_that_is_too_large_is_refused_and_counted_whether_or_not_it_says_so(
    shop: Shop, door: Door
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 4096

    said = await door.messenger.bring(door.messenger.signed(" " * 300_000))
    unsaid = await door.http.post("/webhooks/sandbox", content=chunks())
    with suppress(httpx.ReadError, httpx.WriteError):  # who hangs up early may take the answer along (RFC 9112, 9.6)
        assert (await shop.http.post("/webhooks/sandbox", content=chunks())).status_code == 413

    assert [answer.status_code for answer in (said, unsaid)] == [413, 413]
    assert await door.counted() == {"too_large": 2}
    counted = (await shop.http.get("/metrics")).text
    assert 'checkout_gateway_events_total{gateway="sandbox",outcome="too_large"} 1.0' in counted


async def test_there_is_nothing_at_the_address_of_a_gateway_that_nobody_knows(door: Door) -> None:
    for name in ("paypal", "sandbox%00", "x" * 2000):
        answer = await door.messenger.bring(door.messenger.event("page.paid", uuid4()), gateway=name)
        assert answer.status_code == 404
    assert await door.counted() == {}


async def test_an_event_is_verified_with_any_of_several_secrets_while_one_replaces_another(
    door: Door,
) -> None:
    new = "whsec_dGhlIG5ldyBzZWNyZXQ="
    rotating = SandboxGateway("http://127.0.0.1:1", "", f"{new}, {door.messenger.secret}")
    door.app.state.gateways = {"sandbox": rotating}
    old, newer = door.messenger, replace(door.messenger, secret=new)
    stranger = replace(door.messenger, secret="whsec_c29tZWJvZHkgZWxzZQ==")

    await old.brought(old.event("customer.moved", uuid4()))
    await newer.brought(newer.event("customer.moved", uuid4()))
    answer = await stranger.bring(stranger.event("customer.moved", uuid4()))

    assert answer.status_code == 401
    assert await door.counted() == {"ignored": 2, "unverified": 1}
    await rotating.aclose()


async def test_an_event_about_another_organisations_session_reaches_nobody(
    door: Door, shop: Shop, database: Database, organisation: UUID
) -> None:
    session = (await shop.session())["id"]
    await page_of(shop, session)
    before = await shop.read(session)
    stranger = replace(door.messenger, organisation=str(organisation))
    said = stranger.event("page.paid", session, f"{session}/1/page")

    await stranger.brought(said)

    assert await door.counted() == {"accepted": 1, "waiting": 1}
    assert await shop.read(session) == before
    row = await kept(database, said)
    assert row
    assert row["passed_on_at"] is None


async def test_an_event_with_another_sessions_key_has_no_effect(door: Door, shop: Shop) -> None:
    session, other = [(await shop.session())["id"] for _ in range(2)]
    await page_of(shop, session)
    before = [await shop.read(each) for each in (session, other)]
    said = door.messenger.event("page.paid", session, f"{other}/1/page")

    async with asked_once_more(shop, session):
        await door.messenger.brought(said)

    assert await door.counted() == {"accepted": 1, "told": 1}
    assert [await shop.read(each) for each in (session, other)] == before
    assert await effects(shop, other) == []


async def test_what_an_event_says_was_paid_is_believed_only_of_the_gateway(door: Door, shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = await page_of(shop, session)
    await silent(shop, session)
    before = await shop.read(session)
    lie = door.messenger.event("page.paid", session, f"{session}/1/page", amount="1.00", currency="USD", captured=True)

    async with asked_once_more(shop, session):
        await door.messenger.brought(lie)

    assert await shop.read(session) == before
    assert await effects(shop, session) == ["page_opened"]
    await shop.at_the_page(page)
    await door.messenger.brought(door.messenger.event("page.paid", session, f"{session}/1/page", amount="1.00"))
    done = await shop.until(session, completed)
    assert [(p["amount"], p["status"]) for p in done["payments"]] == [("500.00", "captured")]


async def test_a_lie_about_a_page_that_is_still_to_be_opened_does_not_keep_it_from_being_paid(
    messenger: Messenger, shop: Shop
) -> None:
    session = (await shop.session())["id"]
    await shop.until_listed(session)

    async with asked_once_more(shop, session):
        await messenger.brought(messenger.event("page.paid", session, f"{session}/1/page"))
    await shop.at_the_page(await page_of(shop, session))

    await shop.until(session, completed)
    assert await shop.moved(session) == PRICE.minor


async def test_a_lie_about_a_charge_that_is_still_to_be_made_does_not_keep_it_from_being_made(
    messenger: Messenger, shop: Shop
) -> None:
    session = (await shop.session(due_today(await shop.customer("pm_sandbox_card_ok"))))["id"]
    await shop.until_listed(session)

    async with asked_once_more(shop, session):
        await messenger.brought(messenger.event("charge.captured", session, f"{session}/1/charge/1/1"))
    while (answer := await shop.confirmed(session, "charge_when_due")).status_code == 503:
        assert answer.headers["Retry-After"]

    await shop.until(session, lambda s: s["payment_status"] == "paid")
    assert await shop.moved(session) == PRICE.minor


async def effects(shop: Shop, session: str) -> list[str]:
    """What truly happened at the gateway."""
    return [row["effect"] for row in await shop.ledger(session) if row["effect"] != "none"]


@asynccontextmanager
async def asked_once_more(shop: Shop, session: str) -> AsyncIterator[None]:
    """Does not end before the gateway was asked about the session once more."""
    known = len(await shop.ledger(session))
    yield
    async with asyncio.timeout(PATIENCE):
        while len(await shop.ledger(session)) == known:
            await asyncio.sleep(0.02)
