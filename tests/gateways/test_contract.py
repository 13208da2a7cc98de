"""What every adapter promises (gateways/port.py), over HTTP against a provider in its own process."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from checkout.money import Money
from checkout.outcomes import (
    Captured,
    Closed,
    Declined,
    Left,
    NeedsCustomer,
    NotFound,
    NothingToRefund,
    Refunded,
    UnderWay,
)
from gateways.port import Account, GatewayRejected, GatewayUnavailable, SavedMethod
from gateways.sandbox import SandboxGateway
from tests.gateways.conftest import PRICE, Contract
from tests.sandbox.provider import SECRET, WEBHOOK_SECRET, until

OTHER = Money(minor=1, currency="USD")
UNKNOWN = ["500_before", "500_after", "lost_reply", "reset", "truncated", "429", "409_in_progress"]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("card_declined", Declined(code="card_declined")),
        ("card_insufficient_funds", Declined(code="insufficient_funds")),
        ("card_expired", Declined(code="expired_card", soft=False)),
        ("card_needs_customer", NeedsCustomer()),
        ("no_such", Declined(code="unknown_token", soft=False)),
    ],
)
async def test_a_refusal_of_a_charge_is_a_value_and_stays(contract: Contract, method: str, answer: object) -> None:
    assert await contract.charge(method) == answer
    assert await contract.charge(method) == answer
    assert await contract.look_up() == answer
    assert contract.captured() == 0


async def test_captures_are_listed_once_each_also_those_that_were_returned(contract: Contract) -> None:
    before = datetime.now(UTC)
    await contract.charge()
    await contract.charge()
    await contract.charge("card_declined", f"{contract.key}/2")
    await contract.refund(f"{contract.key}/refund")

    (moved,) = await contract.gateway.captures(Account(contract.account), before)

    assert (moved.key, moved.reference, moved.amount) == (contract.key, contract.reference, PRICE)
    assert moved.at >= before
    assert not await contract.gateway.captures(Account(contract.account), datetime.now(UTC))
    assert not await contract.gateway.captures(Account(uuid4()), before)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_a_list_of_captures_is_whole_however_many_pages_it_has(contract: Contract, limit: int) -> None:
    before, keys = datetime.now(UTC), [f"{contract.key}/{n}" for n in range(4)]
    for key in keys:
        await contract.charge(key=key)
        await contract.look_up(key)

    async with aclosing(SandboxGateway(contract.provider.url, SECRET, WEBHOOK_SECRET, limit=limit)) as gateway:
        listed = await gateway.captures(Account(contract.account), before)
        first = listed[0].at
        behind = await gateway.captures(Account(contract.account), first + timedelta(microseconds=1))

    assert [moved.key for moved in listed] == keys
    assert [moved.key for moved in behind] == keys[1:]


@pytest.mark.parametrize("method", ["card_ok", "bank_ok", "wallet_ok", "invoice_ok"])
async def test_a_charge_captures_exactly_its_amount_once(contract: Contract, method: str) -> None:
    first = await contract.charge(method)

    assert isinstance(first, Captured)
    assert first.amount == PRICE
    assert await contract.charge(method) == first
    assert await contract.look_up() == first
    assert contract.captured() == PRICE.minor


async def test_twenty_at_once_under_one_key_capture_once(contract: Contract) -> None:
    answers = await asyncio.gather(*(contract.charge() for _ in range(20)))

    assert len(set(answers)) == 1
    assert contract.captured() == PRICE.minor


async def test_a_token_becomes_a_method_with_what_may_be_shown_of_it(contract: Contract) -> None:
    card = await contract.gateway.attach(Account(contract.account), uuid4(), "pm_sandbox_card_ok")
    expired = await contract.gateway.attach(Account(contract.account), uuid4(), "pm_sandbox_card_expired")
    bank = await contract.gateway.attach(Account(contract.account), uuid4(), "pm_sandbox_bank_ok")

    assert isinstance(card, SavedMethod)
    assert isinstance(expired, SavedMethod)
    assert isinstance(bank, SavedMethod)
    assert (card.type, card.brand, card.last4) == ("card", "visa", "4242")
    assert (expired.expiry_year or 0) < datetime.now(UTC).year < (card.expiry_year or 0)
    assert (bank.type, bank.expiry_year) == ("bank_transfer", None)
    assert await contract.gateway.attach(Account(contract.account), uuid4(), "pm_nonsense") == Declined(
        code="unknown_token", soft=False
    )


async def test_opening_a_page_again_gives_the_same_page(contract: Contract) -> None:
    page = await contract.gateway.open_page(contract.key, contract.request())

    assert await contract.gateway.open_page(contract.key, contract.request()) == page
    assert contract.provider.effects(account=contract.account) == ["page_opened"]


async def test_a_key_with_other_parameters_is_rejected_without_effect(contract: Contract) -> None:
    await contract.charge()

    with pytest.raises(GatewayRejected):
        await contract.charge(amount=OTHER)
    with pytest.raises(GatewayRejected):
        await contract.gateway.open_page(contract.key, contract.request())
    assert contract.captured() == PRICE.minor


async def test_a_page_with_other_parameters_is_rejected(contract: Contract) -> None:
    await contract.opened()

    with pytest.raises(GatewayRejected):
        await contract.gateway.open_page(contract.key, contract.request(OTHER))


async def test_the_same_key_of_another_account_is_another_key(contract: Contract) -> None:
    await contract.charge()

    assert await contract.gateway.look_up(replace(contract.posted(), account=Account(uuid4()))) == NotFound()


async def test_look_up_follows_a_page(contract: Contract) -> None:
    async def look_up() -> object:
        return await contract.look_up()

    assert await look_up() == NotFound()
    opened = await contract.gateway.open_page(contract.key, contract.request())
    page = opened.url
    assert await look_up() == opened
    await contract.customer(page, "pay", "card_declined")
    assert await look_up() == opened.model_copy(update={"declined": 1})
    await contract.customer(page, "leave")
    assert await look_up() == Left(declined=1)
    await contract.customer(page, "pay")
    found = await look_up()
    assert isinstance(found, Captured)
    assert found.amount == PRICE


async def test_closing_a_page_is_for_good(contract: Contract) -> None:
    page = await contract.opened()
    await contract.customer(page, "pay", "card_declined")

    assert await contract.close_page() == Closed(declined=1)
    assert await contract.close_page() == Closed(declined=1)
    assert await contract.look_up() == Closed(declined=1)


async def test_closing_a_paid_page_says_that_it_was_paid(contract: Contract) -> None:
    await contract.customer(await contract.opened(), "pay")

    paid = await contract.close_page()

    assert paid == await contract.look_up()
    assert isinstance(paid, Captured)


async def test_closing_a_page_under_way_leaves_it_under_way(contract: Contract) -> None:
    await contract.customer(await contract.opened(), "pay", "bank_ok")

    assert await contract.close_page() == UnderWay()
    assert await contract.look_up() == UnderWay()


async def test_what_is_refunded_while_under_way_never_arrives(contract: Contract) -> None:
    await contract.customer(await contract.opened(), "pay", "bank_ok")

    assert await contract.refund() == NothingToRefund()
    assert isinstance(await contract.look_up(), Closed)


async def test_a_refund_returns_everything_once(contract: Contract) -> None:
    await contract.charge()

    first = await contract.refund()

    assert isinstance(first, Refunded)
    assert first.amount == PRICE
    assert await contract.refund() == first
    assert await contract.look_up("back") == first
    assert await contract.refund("again") == NothingToRefund()
    assert contract.captured() == 0


async def test_closing_what_never_happened_is_no_error_and_closes_the_key(contract: Contract) -> None:
    assert await contract.close_page() == Closed()

    with pytest.raises(GatewayRejected):
        await contract.opened()
    assert await contract.charge() == Declined(code="key_closed", soft=False)
    assert await contract.look_up() == Closed()
    assert contract.provider.effects(account=contract.account) == []


async def test_refunding_what_never_happened_is_no_error_and_closes_the_key(contract: Contract) -> None:
    assert await contract.refund() == NothingToRefund()

    assert await contract.charge() == Declined(code="key_closed", soft=False)
    assert contract.captured() == 0


async def test_refunding_an_open_page_closes_it(contract: Contract) -> None:
    await contract.opened()

    assert await contract.refund() == NothingToRefund()
    assert await contract.look_up() == Closed()


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_an_unknown_outcome_is_unavailable_and_look_up_tells_the_truth(contract: Contract, fault: str) -> None:
    contract.fault("charge", fault)

    with pytest.raises(GatewayUnavailable):
        await contract.charge()

    found = await contract.look_up()
    assert isinstance(found, Captured) == (contract.captured() == PRICE.minor)
    assert isinstance(found, NotFound) == (contract.captured() == 0)
    await contract.charge()
    assert contract.captured() == PRICE.minor


@pytest.mark.parametrize("call", ["open_page", "close_page", "refund", "look_up"])
async def test_every_call_can_be_repeated_after_a_lost_reply(contract: Contract, call: str) -> None:
    contract.fault(call, "lost_reply")

    async def run() -> object:
        if call == "open_page":
            return await contract.gateway.open_page(contract.key, contract.request())
        if call == "refund":
            return await contract.refund()
        return await (contract.close_page() if call == "close_page" else contract.look_up())

    with pytest.raises(GatewayUnavailable):
        await run()
    assert await run() == await run()


async def test_no_call_lasts_longer_than_its_timeout(contract: Contract) -> None:
    contract.fault("charge", "hang")
    started = time.monotonic()

    with pytest.raises(GatewayUnavailable):
        await contract.charge()

    assert time.monotonic() - started < contract.gateway.timeout.total_seconds() + 1


async def test_a_kill_loses_nothing_that_was_answered(mortal: Contract) -> None:
    settling = f"{mortal.reference}/2/page"
    charged = await mortal.charge()
    page = (await mortal.gateway.open_page(settling, mortal.request())).url
    await mortal.customer(page, "pay", "bank_ok")
    await mortal.close_page("closed before")

    mortal.provider.kill()
    with pytest.raises(GatewayUnavailable):
        await mortal.look_up()
    mortal.provider.start()

    assert await mortal.charge() == charged
    assert await mortal.look_up() == charged
    assert await mortal.charge(key="closed before") == Declined(code="key_closed", soft=False)
    until(lambda: mortal.provider.effects(key=settling) == ["page_opened", "captured"])
