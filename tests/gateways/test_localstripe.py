"""Stripe's adapter against localstripe, as far as that serves: what others understood of Stripe's API agrees with us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from checkout.outcomes import Captured, Declined, NeedsCustomer, Refunded
from gateways.port import SavedMethod
from gateways.stripe import StripeGateway
from tests.gateways.conftest import PRICE, Contract
from tests.gateways.localstripe import PROGRAM, localstripe
from tests.gateways.stripe_world import StripeWorld
from tests.sandbox.provider import Listener, listening, until

KEY = "sk_test_of_the_tests"
SIGNING = "whsec_of_the_tests"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not PROGRAM.exists():
        pytest.skip("localstripe is not installed: make localstripe")
    with localstripe(tmp_path_factory.mktemp("localstripe")) as address:
        yield address


@pytest.fixture
async def purchase(address: str) -> AsyncIterator[Contract]:
    async with aclosing(StripeGateway(KEY, [SIGNING], url=address)) as gateway:
        yield Contract(gateway, StripeWorld(KEY, address))


@pytest.fixture
def listener(address: str) -> Iterator[Listener]:
    """Who is told of captures."""
    with listening() as listener:
        hook = {"url": listener.url, "secret": SIGNING, "events[]": "payment_intent.succeeded"}
        headers = {"Authorization": f"Bearer {KEY}"}
        httpx.post(f"{address}/_config/webhooks/ours", data=hook, headers=headers, trust_env=False).raise_for_status()
        yield listener


async def attached(purchase: Contract, token: str) -> str:
    saved = await purchase.gateway.attach(purchase.whose, uuid4(), token)
    assert isinstance(saved, SavedMethod)
    purchase.tokens[token] = saved.token
    return token


def card(address: str, number: str) -> str:
    """A card that a customer has entered."""
    entered: dict[str, Any] = {"type": "card", "card[number]": number, "card[cvc]": "123"}
    expiry = {"card[exp_month]": "12", "card[exp_year]": "2034"}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{address}/v1/payment_methods", data=entered | expiry, headers=headers, trust_env=False)
    return str(answer.raise_for_status().json()["id"])


async def test_a_saved_card_is_charged_looked_up_and_returned(purchase: Contract) -> None:
    captured = await purchase.charge(await attached(purchase, "pm_card_visa"))

    assert isinstance(captured, Captured)
    assert captured.amount == PRICE
    assert await purchase.look_up() == captured
    assert await purchase.gateway.look_up(purchase.posted(reference=captured.reference)) == captured
    refunded = await purchase.refund()
    assert isinstance(refunded, Refunded)
    assert refunded.amount == PRICE
    assert await purchase.look_up(f"{purchase.key}/refund") == refunded


async def test_what_may_be_shown_of_a_card_is(purchase: Contract, address: str) -> None:
    saved = await purchase.gateway.attach(purchase.whose, uuid4(), card(address, "4242424242424242"))

    assert isinstance(saved, SavedMethod)
    assert (saved.type, saved.brand, saved.last4) == ("card", "visa", "4242")
    assert (saved.expiry_month, saved.expiry_year) == (12, 2034)


async def test_a_card_that_is_refused_when_it_is_charged_is_declined(purchase: Contract) -> None:
    refused = Declined(code="card_declined")

    assert await purchase.charge(await attached(purchase, "pm_card_chargeCustomerFail")) == refused
    assert await purchase.look_up() == refused


async def test_a_card_that_is_refused_when_it_is_saved_is_declined(purchase: Contract) -> None:
    answer = await purchase.gateway.attach(purchase.whose, uuid4(), "pm_card_visa_chargeDeclined")

    assert answer == Declined(code="card_declined")


async def test_a_card_that_wants_its_customer_needs_them(purchase: Contract, address: str) -> None:
    method = await attached(purchase, card(address, "4000002500003155"))

    assert await purchase.charge(method) == NeedsCustomer()
    assert await purchase.look_up() == NeedsCustomer()


async def test_an_event_that_it_signed_is_read(purchase: Contract, listener: Listener) -> None:
    await purchase.charge(await attached(purchase, "pm_card_visa"))
    (arrived,) = until(lambda: listener.about(purchase.reference))

    event = purchase.gateway.read_event(*arrived)

    assert (event.account, event.reference, event.key) == (purchase.account, purchase.reference, purchase.key)
    assert (event.type, event.captured) == ("payment_intent.succeeded", True)
