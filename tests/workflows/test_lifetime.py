"""A session from its opening to its end: expiry, updates, cancelling, and simultaneous calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from checkout.commands import Cancel, Confirm, RefusedUpdate, Update
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Mode
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World


def refusal_of(error: WorkflowUpdateFailedError) -> RefusedUpdate:
    assert isinstance(error.cause, ApplicationError)
    return RefusedUpdate.model_validate(error.cause.details[0])


async def test_a_session_that_nobody_confirms_is_closed_when_it_expires(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()

    await checkout.pass_time(timedelta(hours=24, minutes=1))
    await checkout.handle.result()

    assert world.view(checkout.id).status is Status.CLOSED
    assert world.told(checkout.id) == ["checkout_session.opened", "checkout_session.closed"]


async def test_a_cancelled_session_takes_nothing_any_more(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()

    answer = await checkout.tell("cancel", Cancel(actor="merchant test"))
    await checkout.handle.result()

    assert answer.state.status is Status.CANCELLED
    assert answer.state.cancelled_at is not None
    assert world.view(checkout.id) == answer.state


async def test_an_update_replaces_the_offer_and_the_expiry(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(expires_in=3600)
    offer = checkout.opening.offer.model_copy(
        update={
            "amount_due": Money(minor=100, currency="USD"),
            "expires_at": checkout.opening.offer.expires_at + timedelta(hours=3),
        }
    )

    answer = await checkout.tell("update", Update(offer=offer, revision=1))
    assert answer.state.offer == offer

    await checkout.pass_time(timedelta(hours=2))
    assert (await checkout.state()).status is Status.OPEN
    await checkout.pass_time(timedelta(hours=3))
    await checkout.handle.result()
    assert world.view(checkout.id).status is Status.CLOSED


async def test_an_update_made_from_an_older_offer_is_refused(open_session: Open) -> None:
    checkout: Checkout = await open_session()
    update = Update(offer=checkout.opening.offer, revision=1)
    await checkout.tell("update", update)

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await checkout.tell("update", update)

    assert refusal_of(refusal.value).problem == "stale-revision"


async def test_a_second_confirm_is_refused_while_the_first_runs(open_session: Open) -> None:
    checkout: Checkout = await open_session()
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await checkout.confirm(Mode.NO_PAYMENT)

    refused = refusal_of(refusal.value)
    assert refused.problem == "invalid-status-transition"
    assert (refused.session_status, refused.payment_status) == (Status.PROCESSING, Payment.PENDING)
    assert refused.allowed == ("compensate",)


async def test_of_simultaneous_calls_exactly_one_wins(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()

    answers = await asyncio.gather(
        *(checkout.confirm(Mode.NO_PAYMENT) for _ in range(3)),
        *(checkout.tell("cancel", Cancel()) for _ in range(3)),
        return_exceptions=True,
    )

    accepted = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(accepted) == 1
    assert world.view(checkout.id).status is accepted[0].state.status
    assert list(world.contracts.values()) == (["active"] if accepted[0].state.status is Status.COMPLETED else [])


async def test_the_same_update_id_gives_the_first_answer_again(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session()
    cmd = Confirm(mode=Mode.NO_PAYMENT, request="first", fingerprint="f")
    first = await checkout.handle.execute_update("confirm", cmd, id="confirm/key")
    await checkout.handle.result()

    again = await checkout.handle.execute_update(
        "confirm", cmd.model_copy(update={"request": "second"}), id="confirm/key"
    )

    assert again == first
    assert len(world.contracts) == 1


async def test_a_confirm_that_names_an_older_estimate_is_refused_with_both(open_session: Open) -> None:
    checkout: Checkout = await open_session()

    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await checkout.confirm(Mode.NO_PAYMENT, estimation_id="another estimate")

    refused = refusal_of(refusal.value)
    assert refused.problem == "estimate-changed"
    assert (refused.estimation_id, refused.current_estimation_id) == ("another estimate", "an estimate")


async def test_expiry_does_not_undo_a_confirmation_that_was_accepted(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(expires_in=1)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.until_expired()
    assert (await checkout.state()).status is Status.PROCESSING

    world.pay(checkout.page(), PRICE)
    await checkout.hint()

    await checkout.until(lambda s: s.status is Status.COMPLETED)


async def test_a_confirmation_undone_after_the_expiry_closes_the_session(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(expires_in=1)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.until_expired()

    world.leave(checkout.page())
    await checkout.hint()
    await checkout.handle.result()

    assert world.view(checkout.id).status is Status.CLOSED


async def test_every_change_is_one_event_numbered_without_gaps(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.leave(checkout.page(), declined=1)
    await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()

    events = world.events[checkout.id]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.state.version for event in events] == [event.sequence for event in events]
    transitions = [event.type for event in events if event.type.startswith("checkout_session.")]
    assert transitions == [
        "checkout_session.opened",
        "checkout_session.confirmed",
        "checkout_session.reopened",
        "checkout_session.confirmed",
        "checkout_session.completed",
    ]
