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
    LookUpAnswer,
    NeedsCustomer,
    NotFound,
    NothingToRefund,
    PageOpen,
    Refunded,
    UnderWay,
)
from gateways.port import Account, GatewayRejected, GatewayUnavailable, SavedMethod
from tests.gateways.conftest import PRICE, Contract
from tests.sandbox.provider import until

OTHER = Money(minor=5000, currency="USD")
UNKNOWN = [
    "500_before", "500_after", "lost_reply", "reset", "truncated", "flood", "redirect", "429", "409_in_progress",
]  # fmt: skip


async def settled(contract: Contract, key: str | None = None) -> LookUpAnswer:
    """What became of a key that was under way."""
    end = time.monotonic() + 15
    while isinstance(found := await contract.look_up(key), UnderWay):
        assert time.monotonic() < end, "it did not settle in time"
        await asyncio.sleep(0.1)
    return found


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("card_declined", Declined(code="card_declined")),
        ("card_insufficient_funds", Declined(code="insufficient_funds")),
        ("card_stolen", Declined(code="stolen_card", soft=False)),
        ("card_expired", Declined(code="expired_card", soft=False)),
        ("card_needs_customer", NeedsCustomer()),
    ],
)
async def test_a_refusal_of_a_charge_is_a_value_and_stays(contract: Contract, method: str, answer: object) -> None:
    assert await contract.charge(method) == answer
    assert await contract.charge(method) == answer
    assert await contract.look_up() == answer
    assert contract.captured() == 0


async def test_a_method_that_is_not_there_is_refused_and_may_leave_no_trace(contract: Contract) -> None:
    unknown = Declined(code="unknown_token", soft=False)

    assert await contract.charge("no_such") == unknown
    assert await contract.charge("no_such") == unknown
    assert await contract.look_up() in {unknown, NotFound()}


async def test_captures_are_listed_once_each_also_those_that_were_returned(contract: Contract) -> None:
    before = datetime.now(UTC).replace(microsecond=0)  # a gateway may tell the time in seconds
    await contract.charge()
    await contract.charge()
    await contract.charge("card_declined", f"{contract.reference}/1/charge/1/2")
    await contract.refund()

    (moved,) = await contract.gateway.captures(contract.whose, before)

    assert (moved.key, moved.reference, moved.amount) == (contract.key, contract.reference, PRICE)
    assert moved.at >= before
    assert not await contract.gateway.captures(contract.whose, datetime.now(UTC) + timedelta(minutes=1))
    assert not await contract.gateway.captures(Account(uuid4()), before)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_a_list_of_captures_is_whole_however_many_pages_it_has(contract: Contract, limit: int) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    keys = [f"{contract.reference}/1/charge/{n}/1" for n in range(4)]
    for key in keys:
        await contract.charge(key=key)
        await contract.look_up(key)

    async with aclosing(contract.world.gateway(limit)) as gateway:
        listed = await gateway.captures(contract.whose, before)
        behind = await gateway.captures(contract.whose, listed[-1].at + timedelta(seconds=1))

    assert [moved.key for moved in listed] == keys
    assert not behind


@pytest.mark.parametrize("method", ["card_ok", "bank_ok", "bank_later", "wallet_ok", "invoice_ok"])
async def test_a_charge_captures_exactly_its_amount_once(contract: Contract, method: str) -> None:
    first = await contract.charge(method)

    assert isinstance(first, Captured | UnderWay)
    assert await contract.charge(method) == first
    found = await settled(contract)
    assert isinstance(found, Captured)
    assert found.amount == PRICE
    assert first in {found, UnderWay()}
    assert contract.captured() == PRICE.minor


async def test_a_charge_by_transfer_may_fail_after_it_was_under_way(contract: Contract) -> None:
    assert await contract.charge("bank_fails") == UnderWay()

    found = await settled(contract)

    assert isinstance(found, Declined)
    assert contract.captured() == 0


async def test_twenty_at_once_under_one_key_capture_once(contract: Contract) -> None:
    await contract.token("card_ok")

    answers = await asyncio.gather(*(contract.charge() for _ in range(20)), return_exceptions=True)

    told = {answer for answer in answers if not isinstance(answer, GatewayUnavailable)}
    assert told == {await contract.charge()}
    assert contract.captured() == PRICE.minor


@pytest.mark.parametrize(("method", "shown"), [("card_ok", ("card", "visa", "4242")), ("bank_ok", ("bank_transfer",))])
async def test_a_token_becomes_a_method_with_what_may_be_shown_of_it(
    contract: Contract, method: str, shown: tuple[str, ...]
) -> None:
    contract.needs("bank") if method == "bank_ok" else None
    saved = await contract.gateway.attach(contract.whose, uuid4(), contract.world.front_end(method) or "")

    assert isinstance(saved, SavedMethod)
    assert (saved.type, saved.brand, saved.last4)[: len(shown)] == shown
    if method == "card_ok":
        assert (saved.expiry_year or 0) > datetime.now(UTC).year
    else:
        assert (saved.expiry_month, saved.expiry_year) == (None, None)


async def test_what_was_paid_with_is_saved_where_asked_and_can_be_charged(contract: Contract) -> None:
    contract.needs("page")
    customer = uuid4()
    assert not await contract.gateway.methods(contract.whose, customer)
    page = await contract.gateway.open_page(contract.page_key, contract.request(saved_for=customer))
    await contract.customer(page.url, "pay")

    (saved,) = await contract.gateway.methods(contract.whose, customer)

    assert (saved.type, saved.brand, saved.last4) == ("card", "visa", "4242")
    contract.tokens["saved"] = saved.token
    assert isinstance(await contract.charge("saved"), Captured)
    assert not await contract.gateway.methods(contract.whose, uuid4())


async def test_a_token_that_is_none_is_refused(contract: Contract) -> None:
    refused = await contract.gateway.attach(contract.whose, uuid4(), "pm_nonsense")

    assert refused == Declined(code="unknown_token", soft=False)


async def test_opening_a_page_again_gives_the_same_page(contract: Contract) -> None:
    page = await contract.gateway.open_page(contract.page_key, contract.request())

    assert await contract.gateway.open_page(contract.page_key, contract.request()) == page
    assert contract.effects() == ["page_opened"]


async def test_a_charge_with_other_parameters_is_rejected_without_effect(contract: Contract) -> None:
    await contract.charge()

    with pytest.raises(GatewayRejected):
        await contract.charge(amount=OTHER)
    with pytest.raises(GatewayRejected):
        await contract.gateway.open_page(contract.key, contract.request())
    assert contract.captured() == PRICE.minor


async def test_a_page_with_other_parameters_is_rejected(contract: Contract) -> None:
    await contract.opened()

    with pytest.raises(GatewayRejected):
        await contract.gateway.open_page(contract.page_key, contract.request(OTHER))


async def test_the_same_key_of_another_account_is_another_key(contract: Contract) -> None:
    await contract.charge()

    another = replace(contract.posted(), account=Account(uuid4()))

    assert await contract.gateway.look_up(another) == NotFound()
    assert await contract.gateway.refund(f"{contract.key}/refund", another) == NothingToRefund()
    assert contract.captured() == PRICE.minor


async def test_look_up_follows_a_page(contract: Contract) -> None:
    contract.needs("page")
    assert await contract.look_up_page() == NotFound()
    opened = await contract.gateway.open_page(contract.page_key, contract.request())
    page = opened.url
    assert await contract.look_up_page() == opened
    await contract.customer(page, "pay", "card_declined")
    assert await contract.look_up_page() == opened.model_copy(update={"declined": 1})
    await contract.customer(page, "leave")
    left = await contract.look_up_page()
    assert isinstance(left, Left | PageOpen)  # not every gateway hears of it
    assert left.declined == 1
    await contract.customer(page, "pay")
    found = await contract.look_up_page()
    assert isinstance(found, Captured)
    assert found.amount == PRICE


async def test_what_is_looked_up_by_the_gateways_own_id_is_the_same(contract: Contract) -> None:
    charged = await contract.charge()
    page = await contract.gateway.open_page(contract.page_key, contract.request())
    assert isinstance(charged, Captured)

    assert await contract.gateway.look_up(contract.posted(reference=charged.reference)) == charged
    assert await contract.gateway.look_up(contract.posted(contract.page_key, page.reference)) == page
    refunded = await contract.refund()
    assert isinstance(refunded, Refunded)
    own = contract.posted(f"{contract.key}/refund", refunded.reference)
    assert await contract.gateway.look_up(own) == refunded


async def test_closing_a_page_is_for_good(contract: Contract) -> None:
    page = await contract.opened()
    if "page" not in contract.world.lacks:
        await contract.customer(page, "pay", "card_declined")
    declined = int("page" not in contract.world.lacks)

    assert await contract.close_page() == Closed(declined=declined)
    assert await contract.close_page() == Closed(declined=declined)
    assert await contract.look_up_page() == Closed(declined=declined)


async def test_closing_a_paid_page_says_that_it_was_paid(contract: Contract) -> None:
    contract.needs("page")
    await contract.customer(await contract.opened(), "pay")

    paid = await contract.close_page()

    assert paid == await contract.look_up_page()
    assert isinstance(paid, Captured)


async def test_closing_a_page_under_way_leaves_it_under_way(contract: Contract) -> None:
    contract.needs("page")
    await contract.customer(await contract.opened(), "pay", "bank_ok")

    assert await contract.close_page() == UnderWay()
    assert await contract.look_up_page() == UnderWay()


async def test_what_is_refunded_while_under_way_does_not_stay(contract: Contract) -> None:
    """A gateway that can't stop it says "unavailable" until it has settled, and then returns it."""
    contract.needs("page")
    await contract.customer(await contract.opened(), "pay", "bank_ok")

    answer: object = None
    while answer is None:
        try:
            answer = await contract.refund(contract.page_key)
        except GatewayUnavailable:
            await settled(contract, contract.page_key)

    assert isinstance(answer, NothingToRefund | Refunded)
    assert contract.captured() == 0
    if answer == NothingToRefund():
        assert isinstance(await contract.look_up_page(), Closed)


async def test_a_refund_returns_everything_once(contract: Contract) -> None:
    await contract.charge()

    first = await contract.refund()

    assert isinstance(first, Refunded)
    assert first.amount == PRICE
    assert await contract.refund() == first
    assert await contract.look_up(f"{contract.key}/refund") == first
    assert await contract.refund(again="/2") == NothingToRefund()
    assert contract.captured() == 0


async def test_a_part_is_returned_and_then_the_rest_and_never_more(contract: Contract) -> None:
    await contract.charge()
    part = Money(minor=29900, currency="USD")

    assert await contract.refund(amount=part) == await contract.refund(amount=part)
    assert await contract.refund(amount=PRICE, again="/2") == NothingToRefund()
    rest = await contract.refund(again="/3")
    assert isinstance(rest, Refunded)
    assert rest.amount == PRICE - part
    assert await contract.refund(amount=part, again="/4") == NothingToRefund()
    assert contract.captured() == 0


async def test_closing_what_never_happened_is_no_error_and_closes_the_key(contract: Contract) -> None:
    assert await contract.close_page() == Closed()
    assert await contract.close_page() == Closed()

    with pytest.raises(GatewayRejected):
        await contract.opened()
    assert await contract.look_up_page() == Closed()
    assert contract.effects() == []


async def test_refunding_what_never_happened_is_no_error_and_closes_the_key(contract: Contract) -> None:
    assert await contract.refund() == NothingToRefund()
    assert await contract.refund() == NothingToRefund()

    assert await contract.charge() == Declined(code="key_closed", soft=False)
    assert await contract.charge() == Declined(code="key_closed", soft=False)
    assert await contract.look_up() == Closed()
    assert contract.captured() == 0


async def test_refunding_an_open_page_closes_it(contract: Contract) -> None:
    await contract.opened()

    assert await contract.refund(contract.page_key) == NothingToRefund()
    assert await contract.look_up_page() == Closed()


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_an_unknown_outcome_is_unavailable_and_look_up_tells_the_truth(contract: Contract, fault: str) -> None:
    contract.needs("faults")
    await contract.token("card_ok")
    contract.fault("charge", fault)

    with pytest.raises(GatewayUnavailable):
        await contract.charge()

    found = await contract.look_up()
    assert isinstance(found, Captured) == (contract.captured() == PRICE.minor)
    assert isinstance(found, NotFound) == (contract.captured() == 0)
    assert isinstance(await contract.charge(), Captured)
    assert contract.captured() == PRICE.minor


@pytest.mark.parametrize("call", ["open_page", "close_page", "refund", "look_up"])
async def test_every_call_can_be_repeated_after_a_lost_reply(contract: Contract, call: str) -> None:
    contract.needs("faults")
    if call == "refund":
        await contract.charge()
    contract.fault(call, "lost_reply")

    async def run() -> object:
        if call == "open_page":
            return await contract.gateway.open_page(contract.page_key, contract.request())
        if call == "refund":
            return await contract.refund()
        return await (contract.close_page() if call == "close_page" else contract.look_up_page())

    with pytest.raises(GatewayUnavailable):
        await run()
    assert await run() == await run()


async def test_no_call_lasts_longer_than_its_timeout(contract: Contract) -> None:
    contract.needs("faults")
    await contract.token("card_ok")
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
    await mortal.close_page()

    mortal.world.kill()
    with pytest.raises(GatewayUnavailable):
        await mortal.look_up()
    mortal.world.start()

    assert await mortal.charge() == charged
    assert await mortal.look_up() == charged
    with pytest.raises(GatewayRejected):
        await mortal.opened()
    assert isinstance(await settled(mortal, settling), Captured)
    until(lambda: mortal.effects(key=settling) == ["page_opened", "captured"])
