"""A further run of a session: it goes on from where the run before it ended, and takes back what is no part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from checkout.commands import (
    Accepted,
    Acknowledge,
    Compensate,
    Confirm,
    FindLooseEnds,
    FoundAdrift,
    PaymentReported,
    Request,
    Retry,
    Update,
)
from checkout.ids import charge_key, contract_of, page_key, refund_key
from checkout.lifecycle import Payment, Status
from checkout.outcomes import Captured, Closed, Declined, LooseCharge, LooseContract, LooseEnds
from checkout.session import Mode
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World, numbered
from workflows.checkout import CheckoutWorkflow

OPERATOR = {"actor": "operator test", "reason": "a test"}


async def test_a_run_that_was_terminated_at_the_page_goes_on_there(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.handle.terminate()

    await checkout.another_run()
    world.pay(checkout.page(), PRICE)
    state = await checkout.until(lambda s: s.status is Status.COMPLETED)

    assert state.attempts == 1
    assert world.moved(checkout.id) == PRICE.minor
    told = world.told(checkout.id)
    assert told.count("contract.created") == told.count("payment.page_opened") == told.count("customer.created") == 1
    await checkout.handle.result()


async def test_a_run_that_was_terminated_after_the_money_came_does_not_ask_for_it_again(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    world.trouble.fail["contracts.activate"] = 1000
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.payment_status is Payment.PAID)
    await checkout.handle.terminate()
    world.trouble.fail.clear()
    asked = world.trouble.called["payments.open_page"]

    await checkout.another_run()
    await checkout.until(lambda s: s.status is Status.COMPLETED)

    assert world.trouble.called["payments.open_page"] == asked
    assert world.moved(checkout.id) == PRICE.minor


async def test_a_wrong_amount_still_waits_for_somebody_in_a_further_run(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE.model_copy(update={"minor": PRICE.minor - 1}))
    await checkout.until(lambda s: s.attention is not None)
    await checkout.handle.terminate()

    await checkout.another_run()
    await checkout.until(lambda s: world.told(s.id)[-1] == "checkout_session.resumed")
    await checkout.tell("compensate", Compensate(**OPERATOR))
    state = await checkout.until(lambda s: s.status is Status.OPEN)

    assert state.attention is None
    assert world.moved(checkout.id) == 0


async def test_a_further_run_returns_the_excess_that_a_run_before_it_had_seen(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    world.trouble.fail["payments.refund"] = 1000
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE.model_copy(update={"minor": 2 * PRICE.minor}))
    await world.until_called("payments.refund")
    await checkout.handle.terminate()

    world.trouble.fail.clear()
    await checkout.another_run()
    await checkout.until(lambda s: s.excess is None and any(p.status == "refunded" for p in s.payments))

    assert world.moved(checkout.id) == PRICE.minor
    await checkout.tell("acknowledge", Acknowledge(**OPERATOR))


async def test_a_charge_that_a_run_had_begun_is_looked_up_and_not_made_twice(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    world.trouble.lose_answer["payments.charge"] = 1
    world.trouble.fail["payments.look_up"] = 1000
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    await world.until_called("payments.look_up")
    await checkout.until(lambda s: s.schedule[0].status == "charging")
    await checkout.handle.terminate()
    world.trouble.fail.clear()

    await checkout.another_run()
    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert state.schedule[0].attempts == 1
    assert world.trouble.called["payments.charge"] == 1
    assert world.moved(checkout.id) == PRICE.minor
    await checkout.handle.result()


async def test_a_declined_due_payment_waits_for_a_retry_in_a_further_run_too(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    world.next_charge = [Declined(code="card_declined")]
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    before = await checkout.until(lambda s: s.attention is not None)
    await checkout.handle.terminate()

    await checkout.another_run()
    after = await checkout.until(lambda s: world.told(s.id)[-1] == "checkout_session.resumed")
    assert after.attention == before.attention
    await told_when_ready(checkout, "retry", Retry(**OPERATOR))
    await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert world.moved(checkout.id) == PRICE.minor


async def test_money_that_arrives_for_a_session_that_is_over_is_returned_in_a_further_run(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.leave(checkout.page())
    await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)
    await checkout.tell("cancel", Compensate(**OPERATOR))
    await checkout.handle.result()
    world.pay(checkout.page(), PRICE)
    world.loose = lambda cmd: LooseEnds(
        charges=(LooseCharge(key=checkout.page(), amount=PRICE, page=True),),
        contracts=(LooseContract(contract=contract_of(cmd.session, 1), attempt=1, estimation_id="an estimate"),),
    )

    await checkout.another_run()
    state = await checkout.until(lambda s: s.payments[-1].status == "refunded")
    await checkout.handle.result()

    assert state.status is Status.CANCELLED
    assert world.moved(checkout.id) == 0
    assert world.told(checkout.id)[-3:] == ["contract.voided", "payment.late", "payment.refunded"]


async def test_an_open_session_takes_back_what_arrives_late_and_can_be_confirmed_then(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.leave(checkout.page())
    await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)
    world.pay(checkout.page(), PRICE)

    def loose(cmd: FindLooseEnds) -> LooseEnds:
        assert (cmd.kept, cmd.reported) == (None, (checkout.page(),))
        return LooseEnds(charges=(LooseCharge(key=checkout.page(), amount=PRICE, page=True),))

    world.loose = loose
    late = PaymentReported(event="evt", key=checkout.page(), captured=True)
    await checkout.handle.signal(CheckoutWorkflow.payment_reported, late)
    await checkout.until(lambda s: s.payments[-1].status == "refunded")

    assert world.moved(checkout.id) == 0
    await told_when_ready(checkout, "confirm", Confirm(mode=Mode.NO_PAYMENT))
    await checkout.handle.result()


async def test_a_report_about_the_running_confirmation_takes_nothing_back(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)

    paid = PaymentReported(event="evt", key=checkout.page(), captured=True)
    await checkout.handle.signal(CheckoutWorkflow.payment_reported, paid)
    await checkout.until(lambda s: s.status is Status.COMPLETED)
    await checkout.handle.result()

    assert world.trouble.called["sessions.loose_ends"] == 0
    assert world.moved(checkout.id) == PRICE.minor


async def test_money_that_the_gateway_does_not_know_of_asks_somebody(open_session: Open) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()

    await checkout.another_run(FoundAdrift(missing=(page_key(checkout.id, 1),)))
    state = await checkout.until(lambda s: s.attention is not None)

    assert state.attention
    assert state.attention.reason == "payment_missing"


async def test_what_asks_somebody_goes_on_asking_in_a_further_run_until_it_is_seen_to(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()
    await checkout.another_run(FoundAdrift(missing=(page_key(checkout.id, 1),)))
    asked = await checkout.until(lambda s: s.attention is not None)
    await checkout.handle.terminate()

    await checkout.another_run()
    again = await checkout.until(lambda s: world.told(s.id)[-1] == "checkout_session.resumed")
    assert again.attention == asked.attention
    answer = await told_when_ready(checkout, "acknowledge", Acknowledge(**OPERATOR))
    await checkout.handle.result()

    assert answer.state.attention is None
    assert world.events[checkout.id][-1].data == {"reason": "a test", "key": page_key(checkout.id, 1)}


async def test_a_late_refund_that_was_failing_is_made_in_a_further_run_and_nobody_is_asked_any_more(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()
    late = page_key(checkout.id, 7)
    world.pay(late, PRICE)
    world.loose = lambda _: LooseEnds(charges=(LooseCharge(key=late, amount=PRICE, page=True),))
    world.trouble.fail["payments.refund"] = 1000
    await checkout.another_run()
    await checkout.until(lambda s: s.attention is not None)
    await checkout.handle.terminate()
    world.trouble.fail.clear()

    await checkout.another_run()
    await checkout.handle.result()

    assert world.view(checkout.id).attention is None
    assert world.moved(checkout.id) == 0
    assert world.told(checkout.id).count("payment.late") == 1


async def test_a_late_page_that_is_left_while_it_is_being_taken_back_is_closed_for_good(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()
    late = page_key(checkout.id, 7)
    world.transfer(late)
    world.loose = lambda _: LooseEnds(charges=(LooseCharge(key=late, amount=PRICE, page=True),))

    await checkout.another_run()
    await world.until_called("payments.look_up")
    world.leave(late)
    await checkout.handle.result()

    assert isinstance(world.pages[late], Closed)


@pytest.mark.parametrize("page", [True, False])
async def test_money_reported_under_a_key_that_nobody_used_leaves_the_key_as_it_is(
    open_session: Open, world: World, *, page: bool
) -> None:
    checkout: Checkout = await open_session()
    key = checkout.page() if page else charge_key(checkout.id, 1, 1, 1)
    unheard_of = LooseCharge(key=key, amount=PRICE, page=page, recorded=False)
    world.loose = lambda cmd: LooseEnds(charges=(unheard_of,) if cmd.reported else ())

    lie = PaymentReported(event="evt", key=key, captured=True)
    await checkout.handle.signal(CheckoutWorkflow.payment_reported, lie)
    await world.until_called("payments.look_up")
    answer = await told_when_ready(checkout, "confirm", Confirm(mode=Mode.NO_PAYMENT))
    await checkout.handle.result()

    assert answer.state.status is Status.COMPLETED
    assert (world.pages, world.refunds) == ({}, {})
    assert not world.trouble.called["payments.close_page"] + world.trouble.called["payments.refund"]


async def test_money_that_is_there_under_a_key_that_no_row_knows_is_returned(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    world.pay(checkout.page(), PRICE)
    unheard_of = LooseCharge(key=checkout.page(), amount=PRICE, page=True, recorded=False)
    world.loose = lambda cmd: LooseEnds(charges=(unheard_of,) if cmd.reported else ())

    told = PaymentReported(event="evt", key=checkout.page(), captured=True)
    await checkout.handle.signal(CheckoutWorkflow.payment_reported, told)
    await checkout.until(lambda s: [payment.status for payment in s.payments] == ["captured", "refunded"])

    assert world.moved(checkout.id) == 0


async def test_a_charge_whose_key_the_gateway_has_forgotten_is_never_posted_again(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    world.trouble.fail["payments.charge"] = 1
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    await world.until_called("payments.look_up")
    for key in world.keys:
        world.keys[key] -= timedelta(hours=25)

    failed = await checkout.until(lambda s: s.attention is not None and s.attention.reason == "payment_failed")
    assert world.trouble.called["payments.charge"] == 1
    assert failed.attention
    assert failed.attention.detail == "never_arrived"

    await checkout.tell("retry", Retry(**OPERATOR))
    await checkout.until(lambda s: s.payment_status is Payment.PAID)
    assert list(world.charges) == [charge_key(checkout.id, 1, 1, 2)]


async def test_a_refund_whose_key_the_gateway_has_forgotten_goes_on_under_another(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    world.trouble.fail["contracts.activate"] = 1000
    world.trouble.fail["payments.refund"] = 1
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.payment_status is Payment.PAID)
    undoing = checkout.tell("compensate", Compensate(**OPERATOR))
    answer = await aged(world, undoing, refund_key(checkout.page()))

    assert answer.state.status is Status.OPEN
    assert [(p.key, p.status) for p in answer.state.payments] == [
        (checkout.page(), "captured"),
        (refund_key(checkout.page()), "declined"),
        (f"{checkout.page()}/refund/2", "refunded"),
    ]
    assert isinstance(world.pages[checkout.page()], Captured)
    assert world.moved(checkout.id) == 0


async def test_a_run_that_goes_on_takes_its_row_back_from_one_that_is_over(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.until(lambda s: s.status is Status.OPEN)
    world.writers[checkout.id] = "a run that is over, whose call came late"

    answer = await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()

    assert world.view(checkout.id) == answer.state
    assert answer.state.status is Status.COMPLETED


async def test_an_answer_of_a_run_that_was_reset_waits_until_reads_show_it(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    opened = await checkout.until(lambda s: s.version == 1)
    offer = checkout.opening.offer
    world.trouble.fail["sessions.publish"] = 4
    world.events[checkout.id] += [numbered(world.events[checkout.id][0], version) for version in range(2, 8)]

    first = asyncio.create_task(checkout.tell("update", Update(offer=offer, revision=opened.revision)))
    await world.until_called("sessions.publish", times=2)
    second = await checkout.tell("update", Update(offer=offer, revision=opened.revision + 1))

    assert world.events[checkout.id][second.state.version - 1].state == second.state
    assert (await first).state.version == 8
    assert second.state.version == 9


@pytest.mark.parametrize(("first", "then"), [("reopen", "close"), ("close", "reopen")])
async def test_a_session_whose_undo_goes_on_is_closed_where_anybody_said_so(
    open_session: Open, world: World, first: str, then: str
) -> None:
    checkout: Checkout = await open_session()
    world.trouble.fail.update({"contracts.activate": 1000, "contracts.void": 1000})
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)
    await checkout.until(lambda s: s.payment_status is Payment.PAID)
    undoing = asyncio.create_task(checkout.tell("compensate", Compensate(**OPERATOR, then=first)))
    await checkout.until(lambda s: world.told(s.id)[-1] == "payment.refunded")
    await checkout.handle.terminate()
    world.trouble.fail.clear()
    world.trouble.fail["sessions.loose_ends"] = 1000

    await checkout.another_run()
    await world.until_called("sessions.loose_ends")
    again = asyncio.create_task(checkout.tell("compensate", Compensate(**OPERATOR, then=then)))
    await checkout.until(lambda s: world.told(s.id).count("checkout_session.compensating") == 2)
    world.trouble.fail.clear()

    assert (await again).state.status is Status.CLOSED
    assert world.moved(checkout.id) == 0
    with pytest.raises(WorkflowUpdateFailedError):
        await undoing


async def told_when_ready(checkout: Checkout, update: str, cmd: Request) -> Accepted:
    """Its answer once what an earlier run left is seen to: until then it says that it is busy."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await checkout.tell(update, cmd)
            except WorkflowUpdateFailedError as error:
                if not isinstance(error.cause, ApplicationError) or error.cause.type != "temporarily-unavailable":
                    raise


async def aged(world: World, undoing: Coroutine[Any, Any, Accepted], key: str) -> Accepted:
    """The answer to *undoing*, with the *key* made too old once it was posted in vain."""
    answer = asyncio.create_task(undoing)
    await world.until_called("payments.look_up")
    while key not in world.keys:
        await asyncio.sleep(0.01)
    world.keys[key] -= timedelta(hours=25)
    return await answer
