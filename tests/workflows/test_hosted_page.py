"""The hosted page while the gateway is away: its window, its key, and what is shown of its payment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from checkout.commands import Compensate
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.outcomes import Refused
from checkout.session import Mode, PaymentRecord, SessionState
from gateways.sandbox import SandboxGateway
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World
from tests.workflows.test_confirmation import problem_of
from workflows.hosted_page import BACKSTOP

OPERATOR = {"actor": "operator test", "reason": "a test"}
GONE = Refused(problem="plan-not-available", detail="The plan is archived.")


def page_of(state: SessionState) -> PaymentRecord:
    return state.payments[0]


async def test_an_outage_of_the_gateway_takes_nothing_from_the_window_of_its_page(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 3
    checkout: Checkout = await open_session(window=1.2)

    answer = await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.hint()
    state = await checkout.until(lambda s: s.status is not Status.PROCESSING)

    assert answer.state.confirmation
    assert answer.state.confirmation.redirect_url
    assert state.status is Status.COMPLETED


async def test_a_page_stays_payable_at_the_gateway_for_all_of_its_window_however_late_it_opened(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 3
    checkout: Checkout = await open_session(window=1.2)

    state = (await checkout.confirm(Mode.CHARGE_IMMEDIATELY)).state

    assert state.confirmation
    assert state.confirmation.page_until
    assert SandboxGateway.memory < BACKSTOP
    assert {request.expires_at for request in world.asked} == {world.keys[checkout.page()] + BACKSTOP + WINDOW}
    assert state.confirmation.page_until < world.asked[0].expires_at


WINDOW = timedelta(seconds=1.2)


async def test_a_further_run_gives_a_page_no_second_window(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    before = (await checkout.confirm(Mode.CHARGE_IMMEDIATELY)).state
    await checkout.handle.terminate()

    await checkout.another_run()
    await checkout.until(lambda s: world.told(s.id)[-1] == "checkout_session.resumed")
    await world.until_called("payments.look_up")

    after = await checkout.state()
    assert before.confirmation
    assert after.confirmation
    assert after.confirmation.page_until == before.confirmation.page_until is not None
    assert world.told(checkout.id).count("payment.page_opened") == 1


async def test_a_page_whose_opening_lost_its_answer_is_looked_up_and_not_posted_again(
    open_session: Open, world: World
) -> None:
    world.trouble.lose_answer["payments.open_page"] = 1
    checkout: Checkout = await open_session()

    answer = await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    assert answer.state.confirmation
    assert answer.state.confirmation.redirect_url == f"https://pay.example/{checkout.page()}"
    assert world.trouble.called["payments.open_page"] == 1
    assert world.trouble.called["payments.look_up"] >= 1


async def test_a_page_whose_key_the_gateway_has_forgotten_is_never_posted_again(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 1000
    checkout: Checkout = await open_session()
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)
    await checkout.until(lambda s: s.attention is not None)
    world.keys[checkout.page()] -= timedelta(hours=25)
    posted = world.trouble.called["payments.open_page"]
    world.trouble.fail["payments.open_page"] = 0

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await confirming.result()

    assert problem_of(refusal.value) == "payment-not-made"
    assert str(refusal.value.cause).endswith("The payment page could not be opened.")
    assert world.trouble.called["payments.open_page"] - posted <= 1
    assert not world.moved(checkout.id)
    state = world.view(checkout.id)
    assert (state.status, state.payment_status, state.attention) == (Status.OPEN, Payment.NOT_STARTED, None)
    assert [payment.status for payment in state.payments] == ["declined"]


async def test_a_page_that_is_open_is_found_although_its_key_is_too_old_to_be_posted(
    open_session: Open, world: World
) -> None:
    world.trouble.lose_answer["payments.open_page"] = 1000
    world.trouble.fail["payments.look_up"] = 1000
    checkout: Checkout = await open_session()
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)
    await checkout.until(lambda s: s.attention is not None)
    world.keys[checkout.page()] -= timedelta(hours=25)
    world.trouble.fail["payments.look_up"] = 0

    answer = await confirming.result()

    assert answer.state.confirmation
    assert answer.state.confirmation.redirect_url
    world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.status is Status.COMPLETED)


async def test_the_payment_of_a_page_that_cannot_be_opened_is_unknown_until_it_is_open(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 3
    checkout: Checkout = await open_session()
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)

    failing = await checkout.until(lambda s: s.attention is not None)
    opened = (await confirming.result()).state

    assert (page_of(failing).status, page_of(opened).status) == ("unknown", "pending")


async def test_a_refund_shows_and_asks_for_what_the_page_captured(open_session: Open, world: World) -> None:
    world.trouble.refuse["contracts.activate"] = GONE
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    less = Money(minor=PRICE.minor - 1, currency=PRICE.currency)
    world.pay(checkout.page(), less)
    await checkout.until(lambda s: s.attention is not None)
    world.trouble.lose_answer["payments.refund"] = 1

    await checkout.tell("compensate", Compensate(**OPERATOR))

    unknown = [e.state.payments[-1] for e in world.events[checkout.id] if e.type == "payment.unknown"]
    assert [(payment.kind, payment.amount) for payment in unknown] == [("refund", less)]
    assert world.moved(checkout.id) == 0
