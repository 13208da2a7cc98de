"""What Stripe's adapter does beyond the suite: what it asks for, how it closes keys, whose money it is."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from uuid import uuid4

import pytest
import stripe

from checkout.money import Money
from checkout.outcomes import Captured, Closed, Declined, NotFound, NothingToRefund, Refunded
from gateways.port import Account, ForgedEvent, GatewayRejected, GatewayUnavailable, PageLine, Posted, SavedMethod
from gateways.stripe import UNKNOWN_TOKEN, StripeGateway
from gateways.stripe_answers import answer_of
from gateways.stripe_objects import Refund
from gateways.stripe_page import LONGEST, SHORTEST, expiry, parameters
from tests.gateways.conftest import PRICE, Contract
from tests.gateways.stripe_world import STRIPE_SECRETS, StripeDouble, stripe_headers
from tests.gateways.worlds import World
from tests.sandbox.provider import until


@pytest.fixture
def double(worlds: Callable[[str], World]) -> StripeDouble:
    return cast("StripeDouble", worlds("stripe"))


@pytest.fixture
async def purchase(double: StripeDouble) -> AsyncIterator[Contract]:
    async with aclosing(double.gateway()) as gateway:
        yield Contract(gateway, double)
    double.heal()


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


# --- what a page is asked to be --------------------------------------------------------------------------------


async def test_a_page_is_asked_for_exactly_what_is_owed(purchase: Contract, double: StripeDouble) -> None:
    page = purchase.request(
        lines=[PageLine("Seats", "25", usd(100000)), PageLine("Tax", "1", usd(29900))],
        cancel_url="https://shop.example/no?from=1#top",
    )
    opened = await purchase.gateway.open_page(purchase.page_key, page)

    asked = double.asked(opened.url)
    facts = {
        "key": purchase.page_key,
        "session": str(purchase.reference),
        "organisation": str(purchase.account),
    }
    assert asked["mode"] == "payment"
    assert [
        (line["price_data"]["product_data"]["name"], line["price_data"]["unit_amount"], line["quantity"])
        for line in asked["line_items"]
    ] == [("25 x Seats", "100000", "1"), ("Tax", "29900", "1")]
    assert asked["client_reference_id"] == str(purchase.reference)
    assert asked["metadata"] == asked["payment_intent_data"]["metadata"] == facts
    assert asked["payment_intent_data"]["description"] == "Team plan"
    assert asked["success_url"] == f"https://shop.example/ok?checkout_session_id={purchase.reference}"
    assert asked["cancel_url"] == f"https://shop.example/no?from=1&checkout_session_id={purchase.reference}#top"
    assert asked["allowed_payment_method_types"] == ["card"]
    assert asked["adaptive_pricing"] == {"enabled": False}
    assert opened.reference is not None


@pytest.mark.parametrize(
    "lines",
    [
        [PageLine("Seats", "1", usd(130000)), PageLine("Discount", "1", usd(-100))],  # Stripe takes no negative line
        [PageLine("Seats", "1", usd(1))],  # the lines do not add up
        [PageLine("Seat", "1", usd(1299))] * 100 + [PageLine("Free", "1", usd(0))],  # Stripe takes a hundred
        [],
    ],
)
async def test_lines_that_stripe_does_not_take_become_one(purchase: Contract, lines: list[PageLine]) -> None:
    params = parameters(purchase.page_key, purchase.request(lines=lines), None)

    (line,) = params["line_items"]
    assert line["price_data"]["unit_amount"] == PRICE.minor
    assert line["price_data"]["product_data"] == {"name": "Team plan"}


@pytest.mark.parametrize(
    ("asked", "closes"),
    [
        (timedelta(minutes=1), SHORTEST),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=2), LONGEST),
    ],
)
async def test_a_page_closes_when_it_is_asked_to_as_far_as_stripe_can(
    purchase: Contract, asked: timedelta, closes: timedelta
) -> None:
    first = purchase.first_at

    assert expiry(purchase.request(expires_at=first + asked)) == first + closes
    assert LONGEST + timedelta(minutes=15) <= timedelta(hours=24)
    assert purchase.gateway.memory + timedelta(minutes=30) <= LONGEST  # the last time that its key may be posted


async def test_a_page_without_an_address_to_go_to_is_rejected(purchase: Contract) -> None:
    with pytest.raises(GatewayRejected):
        await purchase.gateway.open_page(purchase.page_key, purchase.request(success_url=None))


@pytest.mark.parametrize("amount", [Money(minor=1, currency="KWD"), Money(minor=12345, currency="CLF")])
async def test_an_amount_that_stripe_can_not_take_is_rejected_and_nothing_is_sent(
    purchase: Contract, double: StripeDouble, amount: Money
) -> None:
    before = double.count("payment_intent"), double.count("checkout.session")

    with pytest.raises(GatewayRejected):
        await purchase.gateway.open_page(purchase.page_key, purchase.request(amount))
    with pytest.raises(GatewayRejected):
        await purchase.charge(amount=amount)

    assert (double.count("payment_intent"), double.count("checkout.session")) == before


async def test_an_amount_in_a_currency_of_stripes_own_counting_comes_back_as_it_went(purchase: Contract) -> None:
    amount = Money(minor=5000, currency="UGX")

    captured = await purchase.charge(amount=amount)

    assert isinstance(captured, Captured)
    assert captured.amount == amount
    refunded = await purchase.refund(amount=Money(minor=2000, currency="UGX"))
    assert isinstance(refunded, Refunded)
    assert refunded.amount == Money(minor=2000, currency="UGX")
    (moved,) = await purchase.gateway.captures(purchase.whose, purchase.first_at)
    assert moved.amount == amount


# --- customers and what is saved -------------------------------------------------------------------------------


async def test_a_method_that_was_detached_at_stripe_is_declined(purchase: Contract, double: StripeDouble) -> None:
    """Stripe refuses it as a request that can't be; as a fault it would park the session, and no retry cures it."""
    method = (await purchase.token("card_ok")).rpartition("/")[2]
    client = stripe.StripeClient(double.key, base_addresses={"api": str(double.url)})
    await asyncio.to_thread(client.v1.payment_methods.detach, method)

    assert await purchase.charge() == UNKNOWN_TOKEN
    assert purchase.captured() == 0


async def test_an_amount_that_stripe_charges_nobody_is_declined_for_good(purchase: Contract) -> None:
    assert await purchase.charge(amount=usd(1)) == Declined(code="amount_too_small", soft=False)


async def test_a_page_saves_nothing_unless_it_is_asked_to(purchase: Contract, double: StripeDouble) -> None:
    asked = double.asked(await purchase.opened())

    assert "customer" not in asked
    assert "setup_future_usage" not in asked["payment_intent_data"]


async def test_a_customer_is_made_once_at_stripe(purchase: Contract, double: StripeDouble) -> None:
    customer, before = uuid4(), double.count("customer")

    async def attach() -> str:
        saved = await purchase.gateway.attach(purchase.whose, customer, "pm_card_visa")
        assert isinstance(saved, SavedMethod)
        return saved.token.split("/")[0]

    first = await asyncio.gather(attach(), purchase.gateway.methods(purchase.whose, customer), return_exceptions=True)
    known = await attach()  # before Stripe's search knows of it: by the key
    assert first[0] == known or isinstance(first[0], GatewayUnavailable)
    until(lambda: double.finds_customer(customer))
    double.forget_keys()
    assert await attach() == known  # after Stripe has forgotten the key: by the search
    assert double.count("customer") == before + 1


async def test_a_card_that_the_bank_refuses_is_not_saved(purchase: Contract) -> None:
    refused = await purchase.gateway.attach(purchase.whose, uuid4(), "pm_card_visa_chargeDeclined")

    assert refused == Declined(code="card_declined")


# --- closing -----------------------------------------------------------------------------------------------------


async def test_a_page_that_is_paid_while_it_is_being_closed_is_paid(purchase: Contract, double: StripeDouble) -> None:
    await purchase.opened()
    double.fault("close_page", "paid_first", purchase.account)

    closed = await purchase.close_page()

    assert isinstance(closed, Captured)
    assert closed == await purchase.look_up_page()


async def test_a_page_that_is_paid_while_it_is_being_refunded_is_returned(
    purchase: Contract, double: StripeDouble
) -> None:
    await purchase.opened()
    double.fault("close_page", "paid_first", purchase.account)

    assert isinstance(await purchase.refund(purchase.page_key), Refunded)
    assert purchase.captured() == 0


async def test_a_charge_and_the_closing_of_its_key_never_both_win(purchase: Contract) -> None:
    """Whichever comes first at Stripe; and whoever hears "unavailable" asks again."""

    async def told(ask: Callable[[], Any]) -> Any:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                return await ask()
            except GatewayUnavailable:
                await asyncio.sleep(0.02)
        raise AssertionError("unavailable for ever")

    await purchase.token("card_ok")
    for n in range(20):
        key = f"{purchase.reference}/1/charge/1/{n}"

        def charge(key: str = key) -> Any:
            return purchase.charge(key=key)

        def refund(key: str = key) -> Any:
            return purchase.refund(key)

        first, second = (charge, refund) if n % 2 else (refund, charge)
        answers = await asyncio.gather(told(first), told(second))
        charged, refunded = answers if n % 2 else answers[::-1]

        assert isinstance(charged, Captured) == isinstance(refunded, Refunded)
        assert isinstance(charged, Captured) or charged == Declined(code="key_closed", soft=False)
        assert purchase.captured() == 0


async def test_a_charge_while_its_key_is_being_closed_is_unavailable_and_then_refused(
    purchase: Contract, double: StripeDouble
) -> None:
    await purchase.token("card_ok")
    double.arm("POST", "/v1/payment_intents", "slow", "closes")

    closing = asyncio.create_task(purchase.refund())
    await double.has_a_key_in_use()
    with pytest.raises(GatewayUnavailable):
        await purchase.charge()

    assert await closing == NothingToRefund()
    assert await purchase.charge() == Declined(code="key_closed", soft=False)
    assert purchase.captured() == 0


async def test_closing_a_key_under_which_a_charge_is_on_its_way_is_unavailable_and_then_returns_it(
    purchase: Contract, double: StripeDouble
) -> None:
    await purchase.token("card_ok")
    double.arm("POST", "/v1/payment_intents", "slow", "confirm")

    charging = asyncio.create_task(purchase.charge())
    await double.has_a_key_in_use()
    with pytest.raises(GatewayUnavailable):
        await purchase.refund()

    assert isinstance(await charging, Captured)
    assert isinstance(await purchase.refund(), Refunded)
    assert purchase.captured() == 0


async def test_a_key_whose_amount_stripe_would_never_take_is_closed_as_it_is(purchase: Contract) -> None:
    for amount in (usd(1), Money(minor=1, currency="KWD")):
        posted = replace(purchase.posted(purchase.page_key), amount=amount)

        assert await purchase.gateway.close_page(posted) == Closed()
        with pytest.raises(GatewayRejected):
            await purchase.gateway.open_page(purchase.page_key, purchase.request(amount))


async def test_a_page_whose_answer_was_a_kept_error_is_found_by_its_key(
    purchase: Contract, double: StripeDouble
) -> None:
    double.fault("open_page", "500_after", purchase.account)

    with pytest.raises(GatewayUnavailable):
        await purchase.opened()

    opened = await purchase.gateway.open_page(purchase.page_key, purchase.request())
    assert opened == await purchase.look_up_page()
    assert purchase.effects() == ["page_opened"]


# --- returning ---------------------------------------------------------------------------------------------------


async def test_what_was_declined_is_nothing_to_refund(purchase: Contract) -> None:
    await purchase.charge("card_declined")

    assert await purchase.refund() == NothingToRefund()


@pytest.mark.parametrize("status", ["failed", "canceled"])
async def test_a_refund_that_failed_is_a_definite_no(status: Literal["failed", "canceled"]) -> None:
    """Its key answers the same for ever: where that were an exception, a session would wait for ever."""
    assert answer_of(Refund(id="re_1", status=status, amount=1, currency="usd")) == NothingToRefund()


# --- whose money it is -------------------------------------------------------------------------------------------


async def test_a_connected_account_has_its_own_keys_pages_customers_and_lists(purchase: Contract) -> None:
    own, limit = replace(purchase.whose, at_gateway="acct_own"), 1
    connected = purchase.world.gateway(limit)
    keys = [f"{purchase.reference}/1/charge/{n}/1" for n in range(3)]
    async with aclosing(connected):
        saved = await connected.attach(own, uuid4(), "pm_card_visa")
        assert isinstance(saved, SavedMethod)
        for key in keys:
            await connected.charge(key, own, purchase.reference, saved.token, PRICE, "")

        listed = await connected.captures(own, purchase.first_at)
        elsewhere = await connected.captures(purchase.whose, purchase.first_at)
        posted = purchase.posted(keys[0])
        assert isinstance(await connected.look_up(replace(posted, account=own)), Captured)
        assert await connected.look_up(posted) == NotFound()
        assert isinstance(await connected.refund("back", replace(posted, account=own)), Refunded)

    assert [moved.key for moved in listed] == keys
    assert not elsewhere


# --- the wire ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["charge", "look_up"])
async def test_an_answer_that_is_none_of_stripes_is_unavailable(
    purchase: Contract, double: StripeDouble, call: str
) -> None:
    await purchase.token("card_ok")
    double.fault(call, "no_json", purchase.account)

    with pytest.raises(GatewayUnavailable):
        await (purchase.charge() if call == "charge" else purchase.look_up())


@pytest.mark.parametrize(
    "answer",
    [
        "200 {}",
        '200 {"data": null}',
        '200 {"object": "list"}',
        '200 {"object": "list", "data": 5}',
        '200 {"object": "list", "data": [5], "has_more": false}',
        '200 {"object": "list", "data": [], "has_more": true}',
        '200 {"id": "pi_1", "object": "payment_intent", "status": "unheard_of", "amount": 1, "currency": "usd"}',
        '200 {"object": "list", "data": [{"type": "charge", "created": 1e30, "source": {}}], "has_more": false}',
        '400 {"error": "denied"}',
        '402 {"error": []}',
        '500 {"error": null}',
        '500 {"error": {"code": 5}}',
    ],
)
async def test_json_that_stripe_would_never_send_raises_nothing_but_what_the_port_allows(answer: str) -> None:
    status, _, body = answer.partition(" ")

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0] or 0))
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        writer.close()

    whose, first = Account(uuid4()), datetime.now(UTC)
    charge, page = Posted("key", whose, "charge", PRICE, first), Posted("key", whose, "page", PRICE, first)
    async with await asyncio.start_server(answering, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with aclosing(StripeGateway("sk_test_any", STRIPE_SECRETS, url=url)) as gateway:
            for call in (
                gateway.attach(whose, uuid4(), "pm_1"),
                gateway.methods(whose, uuid4()),
                gateway.close_page(page),
                gateway.charge("key", whose, uuid4(), "cus_1/pm_1", PRICE, ""),
                gateway.refund("key/refund", charge),
                gateway.look_up(charge),
                gateway.captures(whose, first),
            ):
                with suppress(GatewayUnavailable, GatewayRejected):
                    await call


async def test_wrong_credentials_are_unavailable_and_say_nothing_of_the_key(double: StripeDouble) -> None:
    async with aclosing(StripeGateway("sk_test_rolled_away", STRIPE_SECRETS, url=double.url)) as gateway:
        with pytest.raises(GatewayUnavailable) as raised:
            await gateway.captures(Account(uuid4()), datetime.now(UTC))

    assert str(raised.value) == "captures: AuthenticationError"
    assert raised.value.__cause__ is None  # histories keep causes


async def test_a_provider_that_is_away_is_unavailable() -> None:
    async with aclosing(StripeGateway("sk_test_double", STRIPE_SECRETS, url="http://127.0.0.1:9")) as gateway:
        with pytest.raises(GatewayUnavailable, match="APIConnectionError"):
            await gateway.captures(Account(uuid4()), datetime.now(UTC))


# --- events ------------------------------------------------------------------------------------------------------


def event(kind: str = "checkout.session.completed", **about: Any) -> bytes:
    told = {"id": "evt_1", "object": "event", "type": kind, "account": "acct_1", "data": {"object": about}}
    return json.dumps(told).encode()


async def test_each_of_our_secrets_is_good_while_one_is_rolled(purchase: Contract) -> None:
    for secret in STRIPE_SECRETS:
        assert purchase.gateway.read_event(stripe_headers(event(), secret), event()).id == "evt_1"
    with pytest.raises(ForgedEvent):
        purchase.gateway.read_event(stripe_headers(event(), "whsec_of_somebody"), event())


async def test_an_event_is_good_for_five_minutes(purchase: Contract) -> None:
    now = int(time.time())

    assert purchase.gateway.read_event(stripe_headers(event(), STRIPE_SECRETS[0], now - 290), event())
    with pytest.raises(ForgedEvent):
        purchase.gateway.read_event(stripe_headers(event(), STRIPE_SECRETS[0], now - 310), event())


@pytest.mark.parametrize(
    "body",
    [
        event("customer.created", metadata={}),
        event("payout.paid"),
        event("payment_intent.succeeded", metadata={"organisation": "somebody's own", "session": "7", "key": "k"}),
        event("payment_intent.succeeded", metadata=[1]),
        json.dumps({"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}).encode(),
    ],
)
async def test_an_event_about_what_is_not_ours_is_nobodys(purchase: Contract, body: bytes) -> None:
    read = purchase.gateway.read_event(stripe_headers(body, STRIPE_SECRETS[0]), body)

    assert (read.account, read.reference, read.key, read.captured) == (None, None, None, False)


@pytest.mark.parametrize(
    ("says", "kind", "payment_status"),
    [
        ("captured", "checkout.session.completed", "paid"),
        ("no", "checkout.session.completed", "unpaid"),
        ("captured", "checkout.session.async_payment_succeeded", "paid"),
        ("no", "checkout.session.async_payment_failed", "unpaid"),
        ("no", "checkout.session.expired", "unpaid"),
        ("captured", "payment_intent.succeeded", None),
        ("no", "payment_intent.payment_failed", None),
        ("no", "refund.created", None),
    ],
)
async def test_an_event_says_whether_money_is_said_to_have_moved(
    purchase: Contract, says: str, kind: str, payment_status: str | None
) -> None:
    named = {"key": purchase.page_key, "session": str(purchase.reference), "organisation": str(purchase.account)}
    body = event(kind, payment_status=payment_status, metadata=named)

    read = purchase.gateway.read_event(stripe_headers(body, STRIPE_SECRETS[0]), body)

    assert (read.account, read.reference, read.key) == (purchase.account, purchase.reference, purchase.page_key)
    assert (read.type, read.captured) == (kind, says == "captured")


def test_the_suite_is_run_on_stripe_itself() -> None:
    """By ADAPTERS of conftest.py; this test is here to be seen skipped."""
    if not os.environ.get("STRIPE_TEST_KEY"):
        pytest.skip("STRIPE_TEST_KEY is not set: the suite ran on a double of Stripe alone (docs/gateways.md)")
