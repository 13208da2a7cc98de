"""The saga: each mode, and each step of it refused, failing or silent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from checkout.commands import Acknowledge, Compensate, Retry
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.outcomes import Captured, Declined, Refused, UnderWay
from checkout.session import Mode
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World

OPERATOR = {"actor": "operator test", "reason": "a test"}
GONE = Refused(problem="plan-not-available", detail="The plan is archived.")


def problem_of(error: WorkflowUpdateFailedError) -> str | None:
    assert isinstance(error.cause, ApplicationError)
    return error.cause.type


async def test_nothing_to_pay_makes_a_contract_and_never_calls_the_gateway(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()

    answer = await checkout.confirm(Mode.NO_PAYMENT)

    assert answer.state.status is Status.COMPLETED
    assert answer.state.payment_status is Payment.NO_PAYMENT_REQUIRED
    assert world.view(checkout.id) == answer.state
    assert list(world.contracts.values()) == ["active"]
    assert not world.pages
    assert not world.charges
    await checkout.handle.result()


async def test_a_guest_becomes_a_customer(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True)

    answer = await checkout.confirm(Mode.NO_PAYMENT)

    assert list(world.customers.values()) == ["active"]
    assert answer.state.customer in world.customers


async def test_a_page_is_answered_at_once_and_paid_later(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()

    answer = await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    assert answer.state.status is Status.PROCESSING
    assert answer.state.payment_status is Payment.PENDING
    assert answer.state.confirmation
    assert answer.state.confirmation.redirect_url == f"https://pay.example/{checkout.page()}"

    world.pay(checkout.page(), PRICE)
    state = await checkout.until(lambda s: s.status is Status.COMPLETED)
    assert state.payment_status is Payment.PAID
    assert world.moved(checkout.id) == PRICE.minor
    await checkout.handle.result()


@pytest.mark.parametrize(("declined", "payment"), [(0, Payment.NOT_STARTED), (2, Payment.FAILED)])
async def test_leaving_the_page_reopens_the_session(
    open_session: Open, world: World, declined: int, payment: Payment
) -> None:
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    world.leave(checkout.page(), declined=declined)
    state = await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)

    assert state.payment_status is payment
    assert list(world.contracts.values()) == ["void"]
    assert list(world.customers.values()) == ["archived"]
    assert world.moved(checkout.id) == 0


async def test_a_reopened_session_can_be_confirmed_again(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.leave(checkout.page(), declined=1)
    await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)

    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(attempt=2), PRICE)
    state = await checkout.until(lambda s: s.status is Status.COMPLETED)

    assert state.attempts == 2
    assert sorted(world.contracts.values()) == ["active", "void"]
    assert world.moved(checkout.id) == PRICE.minor


async def test_the_end_of_the_window_closes_the_page_and_reopens(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(window=0.5)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    state = await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)

    assert state.payment_status is Payment.NOT_STARTED
    assert world.pages[checkout.page()].outcome == "closed"


async def test_a_transfer_under_way_is_waited_for_past_the_window(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(window=0.5)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.transfer(checkout.page())
    await world.until_called("payments.close_page")
    assert (await checkout.state()).status is Status.PROCESSING

    world.pay(checkout.page(), PRICE)
    await checkout.hint()
    await checkout.until(lambda s: s.status is Status.COMPLETED)

    assert world.moved(checkout.id) == PRICE.minor


async def test_a_page_paid_with_another_amount_asks_for_attention_and_is_returned(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), Money(minor=100, currency="USD"))
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert state.attention.reason == "wrong_amount"

    await checkout.tell("compensate", Compensate(**OPERATOR))

    assert world.moved(checkout.id) == 0
    assert world.view(checkout.id).status is Status.OPEN
    assert world.view(checkout.id).payment_status is Payment.FAILED


async def test_charge_when_due_completes_now_and_charges_then(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(due=datetime.now(UTC) + timedelta(days=20))

    answer = await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    assert (answer.state.status, answer.state.payment_status) == (Status.COMPLETED, Payment.PENDING)
    assert not world.charges

    await checkout.pass_time(timedelta(days=19))
    assert not world.charges
    await checkout.pass_time(timedelta(days=2))
    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert [i.status for i in state.schedule] == ["paid"]
    assert world.moved(checkout.id) == PRICE.minor
    await checkout.handle.result()


async def test_a_due_payment_that_is_declined_waits_for_a_retry(open_session: Open, world: World) -> None:
    world.next_charge = [Declined(code="insufficient_funds")]
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    state = await checkout.until(lambda s: s.payment_status is Payment.FAILED and s.attention is not None)
    assert state.attention
    assert state.attention.can == ("retry",)

    await checkout.tell("retry", Retry(**OPERATOR))
    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert state.attention is None
    assert sorted(world.charges) == [f"{checkout.id}/1/charge/1/1", f"{checkout.id}/1/charge/1/2"]
    assert world.moved(checkout.id) == PRICE.minor


async def test_a_charge_whose_answer_is_lost_is_looked_up_and_never_made_twice(
    open_session: Open, world: World
) -> None:
    world.trouble.lose_answer["payments.charge"] = 1
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert world.trouble.called["payments.charge"] == 1
    assert "payment.unknown" in world.told(checkout.id)
    assert [p.status for p in state.payments] == ["captured"]


async def test_a_charge_that_never_arrived_is_posted_again_under_the_same_key(open_session: Open, world: World) -> None:
    world.trouble.fail["payments.charge"] = 1
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert world.trouble.called["payments.charge"] == 2
    assert list(world.charges) == [f"{checkout.id}/1/charge/1/1"]


async def test_a_guest_cannot_be_charged_when_due(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True, due=datetime.now(UTC))

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    assert problem_of(refusal.value) == "payment-method-required"
    assert not world.contracts


REFUSALS = [
    ("contracts.draft", Mode.NO_PAYMENT),
    ("contracts.draft", Mode.CHARGE_IMMEDIATELY),
    ("contracts.activate", Mode.NO_PAYMENT),
    ("contracts.activate", Mode.CHARGE_WHEN_DUE),
    ("payments.choose_method", Mode.CHARGE_WHEN_DUE),
]


@pytest.mark.parametrize(("step", "mode"), REFUSALS)
async def test_a_refused_step_undoes_what_was_done_and_says_why(
    open_session: Open, world: World, step: str, mode: Mode
) -> None:
    world.trouble.refuse[step] = GONE
    due = datetime.now(UTC) + timedelta(days=1) if mode is Mode.CHARGE_WHEN_DUE else None
    checkout: Checkout = await open_session(guest=due is None, due=due)

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await checkout.confirm(mode)

    assert problem_of(refusal.value) == "plan-not-available"
    state = world.view(checkout.id)
    assert (state.status, state.payment_status) == (Status.OPEN, Payment.NOT_STARTED)
    assert set(world.contracts.values()) <= {"void"}
    assert set(world.customers.values()) <= {"archived"}
    assert state.schedule == ()


async def test_an_activation_refused_after_the_money_was_captured_returns_it(open_session: Open, world: World) -> None:
    world.trouble.refuse["contracts.activate"] = GONE
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    world.pay(checkout.page(), PRICE)
    state = await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)

    assert state.payment_status is Payment.FAILED
    assert world.moved(checkout.id) == 0
    assert sorted(p.status for p in state.payments) == ["captured", "refunded"]


STEPS = {
    Mode.NO_PAYMENT: ["customers.create", "contracts.draft", "contracts.activate"],
    Mode.CHARGE_IMMEDIATELY: ["contracts.draft", "payments.open_page", "payments.look_up", "contracts.activate"],
    Mode.CHARGE_WHEN_DUE: ["payments.choose_method", "contracts.draft", "contracts.activate", "payments.charge"],
}
FAULTS = [(mode, step) for mode, steps in STEPS.items() for step in steps]


@pytest.mark.parametrize(("mode", "step"), FAULTS)
async def test_a_step_that_fails_for_a_while_only_takes_longer(
    open_session: Open, world: World, mode: Mode, step: str
) -> None:
    world.trouble.fail[step] = 2
    due = datetime.now(UTC) if mode is Mode.CHARGE_WHEN_DUE else None
    checkout: Checkout = await open_session(guest=mode is Mode.NO_PAYMENT, due=due)

    await checkout.confirm(mode)
    if mode is Mode.CHARGE_IMMEDIATELY:
        world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.status is Status.COMPLETED and s.payment_status is not Payment.PENDING)

    assert list(world.contracts.values()) == ["active"]
    assert world.moved(checkout.id) == (0 if mode is Mode.NO_PAYMENT else PRICE.minor)


async def test_a_step_that_goes_on_failing_asks_for_attention_and_can_be_undone(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 1000
    checkout: Checkout = await open_session(guest=True)
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert (state.attention.step, state.attention.can) == ("payments.open_page", ("retry", "compensate"))

    await checkout.tell("compensate", Compensate(**OPERATOR, then="close"))

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await confirming.result()
    assert problem_of(refusal.value) == "confirmation-undone"
    state = world.view(checkout.id)
    assert (state.status, state.payment_status, state.attention) == (Status.CLOSED, Payment.NOT_STARTED, None)
    assert world.moved(checkout.id) == 0
    await checkout.handle.result()


async def test_a_step_that_failed_goes_on_at_once_when_an_operator_retries(open_session: Open, world: World) -> None:
    world.trouble.fail["contracts.draft"] = 1000
    checkout: Checkout = await open_session()
    confirming = await checkout.start_confirming(Mode.NO_PAYMENT)
    await checkout.until(lambda s: s.attention is not None)
    world.trouble.fail["contracts.draft"] = 0

    await checkout.tell("retry", Retry(**OPERATOR))

    assert (await confirming.result()).state.status is Status.COMPLETED
    assert world.view(checkout.id).attention is None


async def test_a_request_that_the_gateway_rejects_parks_until_somebody_decides(
    open_session: Open, world: World
) -> None:
    world.trouble.reject.add("payments.open_page")
    checkout: Checkout = await open_session()
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert state.attention.reason == "rejected"
    assert world.trouble.called["payments.open_page"] == 1

    world.trouble.reject.clear()
    await checkout.tell("retry", Retry(**OPERATOR))

    assert (await confirming.result()).state.payment_status is Payment.PENDING


async def test_compensating_a_paid_page_returns_the_money(open_session: Open, world: World) -> None:
    world.trouble.fail["contracts.activate"] = 1000
    world.trouble.lose_answer["payments.refund"] = 1
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.attention is not None)

    await checkout.tell("compensate", Compensate(**OPERATOR))

    assert world.view(checkout.id).status is Status.OPEN
    assert world.moved(checkout.id) == 0
    assert len(world.refunds) == 1


async def test_cancel_pressed_in_temporal_undoes_everything_before_it_ends(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.handle.cancel()

    with pytest.raises(WorkflowFailureError):
        await checkout.handle.result()

    state = world.view(checkout.id)
    assert (state.status, state.payment_status) == (Status.CLOSED, Payment.NOT_STARTED)
    assert list(world.contracts.values()) == ["void"]
    assert list(world.customers.values()) == ["archived"]
    assert world.pages[checkout.page()].outcome == "closed"
    last = world.events[checkout.id][-1]
    assert (last.type, last.actor) == ("checkout_session.closed", "temporal")
    assert "operator" not in str(last.data)


async def test_a_charge_that_never_arrives_asks_for_attention_and_goes_on_when_it_can(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.charge"] = 1000
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert (state.attention.step, state.attention.can) == ("payments.charge", ("retry",))
    assert [p.status for p in state.payments] == ["unknown"]

    world.trouble.fail["payments.charge"] = 0
    await checkout.tell("retry", Retry(**OPERATOR))
    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert state.attention is None
    assert list(world.charges) == [f"{checkout.id}/1/charge/1/1"]


@pytest.mark.parametrize("failures", [1, 3])
async def test_a_view_that_cannot_be_written_is_written_later_and_nobody_is_stuck(
    open_session: Open, world: World, failures: int
) -> None:
    world.trouble.fail["sessions.publish"] = failures
    checkout: Checkout = await open_session()

    answer = await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()

    assert world.view(checkout.id) == answer.state
    assert [event.sequence for event in world.events[checkout.id]] == list(range(1, answer.state.version + 1))


@pytest.mark.parametrize("away", ["when it begins", "when it ends"])
async def test_cancel_pressed_while_the_end_is_being_published_loses_nothing(
    open_session: Open, world: World, away: str
) -> None:
    checkout: Checkout = await open_session()
    await checkout.until(lambda s: s.version == 1)
    if away == "when it begins":
        world.trouble.fail["sessions.publish"] = 4
    confirming = await checkout.start_confirming(Mode.NO_PAYMENT)
    await world.until_called("contracts.activate")
    if away == "when it ends":
        world.trouble.fail["sessions.publish"] = 4

    await checkout.handle.cancel()
    await asyncio.gather(confirming.result(), checkout.handle.result(), return_exceptions=True)

    final = world.view(checkout.id)
    assert final.status in {Status.COMPLETED, Status.CLOSED}
    assert list(world.contracts.values()) == (["active"] if final.status is Status.COMPLETED else ["void"])


async def test_a_look_up_that_misses_a_paid_page_does_not_return_the_money(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.trouble.miss = 1
    world.pay(checkout.page(), PRICE)
    await checkout.hint()

    await checkout.until(lambda s: s.status is Status.COMPLETED)

    assert world.moved(checkout.id) == PRICE.minor


async def test_money_that_the_gateway_cannot_return_asks_for_attention_and_the_session_goes_on(
    open_session: Open, world: World
) -> None:
    world.trouble.refuse["contracts.activate"] = GONE
    world.trouble.returned_by_hand = True
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert state.attention.reason == "nothing_to_refund"
    assert (state.status, state.payment_status) == (Status.OPEN, Payment.FAILED)

    world.trouble.refuse.clear()
    assert (await checkout.confirm(Mode.NO_PAYMENT)).state.status is Status.COMPLETED


async def test_what_the_customer_pays_with_is_saved_when_asked_and_the_contract_does_not_wait_for_it(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.save_methods"] = 1000
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY, save_method=True)
    world.pay(checkout.page(), PRICE)
    await checkout.hint()
    await checkout.until(lambda s: s.status is Status.COMPLETED and s.attention is not None)

    world.trouble.fail.clear()
    done = await checkout.until(lambda s: not s.saves_method)
    await checkout.handle.result()

    assert done.customer
    assert world.asked[0].saved_for == done.customer
    assert world.kept == {done.customer: [f"pm_{done.customer}"]}


async def test_nothing_is_saved_unless_asked(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.hint()
    await checkout.handle.result()

    assert (world.asked[0].saved_for, world.kept) == (None, {})


async def test_where_nothing_is_to_be_paid_the_gateway_is_not_asked_what_it_has_saved(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session(amount=Money.zero("USD"))
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY, save_method=True)
    await checkout.handle.result()

    assert (world.view(checkout.id).status, world.kept) == (Status.COMPLETED, {})


@pytest.mark.parametrize("mode", [Mode.CHARGE_IMMEDIATELY, Mode.CHARGE_WHEN_DUE])
async def test_what_was_captured_beyond_what_is_due_is_returned_and_somebody_is_told(
    open_session: Open, world: World, mode: Mode
) -> None:
    twice = Money(minor=2 * PRICE.minor, currency="USD")
    world.next_charge = [Captured(reference="ch_twice", amount=twice)]
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(mode)
    if mode is Mode.CHARGE_IMMEDIATELY:
        world.pay(checkout.page(), twice)
        await checkout.hint()

    told = await checkout.until(lambda s: any(p.status == "refunded" for p in s.payments))
    assert (told.status, told.payment_status) == (Status.COMPLETED, Payment.PAID)
    assert told.attention
    assert (told.attention.reason, told.attention.can) == ("wrong_amount", ("acknowledge",))
    assert world.moved(checkout.id) == PRICE.minor
    assert world.trouble.called["payments.refund"] == 1

    await checkout.tell("acknowledge", Acknowledge(**OPERATOR))
    await checkout.handle.result()


@pytest.mark.parametrize("more", [1, -1])
async def test_a_wrong_amount_leaves_its_payment_to_be_returned_should_it_become_loose(
    open_session: Open, world: World, more: int
) -> None:
    """The rows take back nothing of a payment that somebody is asked to see to, or has seen to: a run that was reset would
    leave all of it with the merchant.
    """
    world.next_charge = [Captured(reference="ch_wrong", amount=Money(minor=PRICE.minor + more, currency="USD"))]
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    asked = await checkout.until(lambda s: s.attention is not None)
    assert asked.attention
    assert (asked.attention.reason, asked.attention.key) == ("wrong_amount", None)
    assert asked.payments[0].key in asked.attention.detail
    await checkout.tell("acknowledge", Acknowledge(**OPERATOR))
    assert "key" not in world.events[checkout.id][-1].data


async def test_an_excess_whose_return_got_no_answer_is_returned_once(open_session: Open, world: World) -> None:
    world.trouble.lose_answer["payments.refund"] = 1
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), Money(minor=PRICE.minor + 1, currency="USD"))
    await checkout.hint()

    await checkout.until(lambda s: any(p.status == "refunded" for p in s.payments))

    assert world.moved(checkout.id) == PRICE.minor
    assert len(world.refunds) == 1


async def test_an_excess_that_somebody_else_returned_is_asked_about_and_ends(open_session: Open, world: World) -> None:
    world.trouble.returned_by_hand = True
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), Money(minor=PRICE.minor + 1, currency="USD"))
    await checkout.hint()

    asked = await checkout.until(lambda s: {a.reason for a in s.asks} == {"wrong_amount", "nothing_to_refund"})
    assert {a.key for a in asked.asks} == {None}
    for _ in range(2):
        await checkout.tell("acknowledge", Acknowledge(**OPERATOR))
    await checkout.handle.result()


async def test_a_due_charge_of_too_little_asks_for_attention(open_session: Open, world: World) -> None:
    world.next_charge = [Captured(reference="ch_wrong", amount=Money(minor=PRICE.minor - 1, currency="USD"))]
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    asked = await checkout.until(lambda s: s.attention is not None)
    assert asked.attention
    assert asked.attention.reason == "wrong_amount"
    assert asked.payment_status is Payment.PAID
    await checkout.tell("acknowledge", Acknowledge(**OPERATOR))
    await checkout.handle.result()
    assert world.view(checkout.id).attention is None


async def test_a_due_charge_that_is_under_way_is_waited_for_and_never_made_again(
    open_session: Open, world: World
) -> None:
    world.trouble.lose_answer["payments.charge"] = 1
    world.next_charge = [UnderWay()]
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    await checkout.until(lambda s: any(p.status == "unknown" for p in s.payments))
    key = f"{checkout.id}/1/charge/1/1"
    world.charges[key] = Captured(reference="ch_late", amount=PRICE)

    await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert list(world.charges) == [key]
    assert world.trouble.called["payments.charge"] == 1


async def test_a_gateway_that_cannot_be_asked_about_a_page_asks_for_attention(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    world.trouble.fail["payments.look_up"] = 1000
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    state = await checkout.until(lambda s: s.attention is not None)
    assert state.attention
    assert state.attention.step == "payments.page_outcome"

    world.trouble.fail["payments.look_up"] = 0
    world.pay(checkout.page(), PRICE)
    await checkout.tell("retry", Retry(**OPERATOR))

    state = await checkout.until(lambda s: s.status is Status.COMPLETED)
    assert state.attention is None


async def test_the_window_of_a_page_begins_when_it_is_opened(open_session: Open, world: World) -> None:
    world.trouble.fail["contracts.draft"] = 2
    checkout: Checkout = await open_session(window=1.2)

    answer = await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.hint()

    assert answer.state.status is Status.PROCESSING
    await checkout.until(lambda s: s.status is Status.COMPLETED)
