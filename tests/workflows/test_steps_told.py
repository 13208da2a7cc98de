"""The steps of a confirmation as they are told: each as it is now, also those that were left, and the undos."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from checkout.commands import Compensate
from checkout.lifecycle import Payment, Status
from checkout.outcomes import Refused
from checkout.session import Mode, SessionState
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World

OPERATOR = {"actor": "operator test", "reason": "a test"}
GONE = Refused(problem="plan-not-available", detail="The plan is archived.")


def steps_of(state: SessionState) -> dict[str, str]:
    """How far each step is, in the order in which they came there."""
    assert state.confirmation
    return {step.name: step.status for step in state.confirmation.steps}


async def test_steps_that_failed_for_a_while_are_done_in_the_end(open_session: Open, world: World) -> None:
    world.trouble.fail["payments.open_page"] = world.trouble.fail["contracts.activate"] = 3
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.trouble.fail["payments.look_up"] = 3
    await checkout.hint()
    await checkout.until(lambda s: s.attention is not None)
    world.pay(checkout.page(), PRICE)

    state = await checkout.until(lambda s: s.status is Status.COMPLETED)

    told = {step for event in world.events[checkout.id] if event.state.confirmation for step in failing(event.state)}
    assert told == {"payments.open_page", "payments.page_outcome", "contracts.activate"}
    assert steps_of(state) == dict.fromkeys(
        ("contracts.draft", "payments.open_page", "payments.page_outcome", "contracts.activate"), "done"
    )


def failing(state: SessionState) -> list[str]:
    return [name for name, status in steps_of(state).items() if status == "failing"]


async def test_a_page_that_waits_for_its_customer_shows_that_it_does(open_session: Open) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    assert steps_of(await checkout.state())["payments.page_outcome"] == "running"


async def test_a_step_that_was_left_is_told_as_interrupted_and_its_undos_as_done(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.open_page"] = 1000
    checkout: Checkout = await open_session(guest=True)
    confirming = await checkout.start_confirming(Mode.CHARGE_IMMEDIATELY)
    await checkout.until(lambda s: s.attention is not None)

    await checkout.tell("compensate", Compensate(**OPERATOR, then="close"))

    with pytest.raises(WorkflowUpdateFailedError):
        await confirming.result()
    assert steps_of(world.view(checkout.id)) == {
        "customers.create": "done",
        "contracts.draft": "done",
        "payments.open_page": "interrupted",
        "payments.close_page": "done",
        "payments.refund": "done",
        "contracts.void": "done",
        "customers.archive": "done",
    }


async def test_a_page_left_by_cancel_in_temporal_is_told_as_interrupted(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.handle.cancel()

    with pytest.raises(WorkflowFailureError):
        await checkout.handle.result()

    assert steps_of(world.view(checkout.id))["payments.page_outcome"] == "interrupted"


async def test_a_refund_that_failed_for_a_while_is_done_in_the_end(open_session: Open, world: World) -> None:
    world.trouble.refuse["contracts.activate"] = GONE
    world.trouble.lose_answer["payments.refund"] = 1
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.pay(checkout.page(), PRICE)

    state = await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)

    assert steps_of(state)["contracts.activate"] == "refused"
    assert steps_of(state)["payments.refund"] == "done"


async def test_collecting_what_is_due_is_no_step_of_the_confirmation(open_session: Open, world: World) -> None:
    world.trouble.fail["payments.charge"] = 1
    checkout: Checkout = await open_session(due=datetime.now(UTC))
    confirmed = (await checkout.confirm(Mode.CHARGE_WHEN_DUE)).state

    state = await checkout.until(lambda s: s.payment_status is Payment.PAID)

    assert list(steps_of(confirmed)) == ["payments.choose_method", "contracts.draft", "contracts.activate"]
    assert steps_of(state) == steps_of(confirmed) == dict.fromkeys(steps_of(confirmed), "done")
