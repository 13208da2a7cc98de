"""Payments that fall due: announced, charged, dunned and changed over whole years, on the session's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from checkout.commands import Acknowledge, ChangePayment, FoundAdrift, MethodSaved, Retry
from checkout.ids import action_key, charge_key
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.outcomes import Captured, Closed, Declined, NeedsCustomer, NotDueYet, NotOwed, UnderWay
from checkout.session import Instalment, Mode, SessionState
from tests.workflows.conftest import Checkout, Open
from tests.workflows.parties import World

PRICE = Money(minor=120000, currency="USD")
DAY = timedelta(days=1)
DUNNING = tuple(DAY * days for days in (1, 3, 5, 7))
SOFT = Declined(code="insufficient_funds")
HARD = Declined(code="stolen_card", soft=False)
WHO = {"actor": "merchant test", "reason": "a test"}


def in_days(*days: float) -> list[datetime]:
    """Instants that many days from now."""
    return [datetime.now(UTC) + timedelta(days=each) for each in days]


def statuses(state: SessionState) -> list[str]:
    return [i.status for i in state.schedule]


def at(state: SessionState, *expected: str) -> bool:
    return statuses(state) == list(expected)


def paid(state: SessionState) -> bool:
    return state.payment_status is Payment.PAID


def key(checkout: Checkout, n: int = 1, charge: int = 1) -> str:
    return charge_key(checkout.id, 1, n, charge)


def captured(world: World, checkout: Checkout) -> dict[str, int]:
    """What was captured, by key, in minor units."""
    answers = {**world.charges, **world.pages}
    return {k: a.amount.minor for k, a in answers.items() if k.startswith(str(checkout.id)) and isinstance(a, Captured)}


async def scheduled(open_session: Open, *days: float, **rules: Any) -> Checkout:
    """A completed session whose instalments fall due in so many days."""
    checkout: Checkout = await open_session(due=in_days(*days), amount=PRICE, **({"notice": timedelta(0)} | rules))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    return checkout


async def passed(checkout: Checkout, days: float, holds: Callable[[SessionState], bool]) -> SessionState:
    """Let days pass, and wait until the published session is so."""
    await checkout.pass_time(timedelta(days=days))
    return await checkout.until(holds)


async def changed(checkout: Checkout, action: str, n: int = 1, **more: Any) -> SessionState:
    cmd = ChangePayment.model_validate({**WHO, "n": n, "action": action, **more})
    return (await checkout.tell("change_payment", cmd)).state


async def refused(checkout: Checkout, action: str, n: int = 1, **more: Any) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await changed(checkout, action, n, **more)
    assert isinstance(error.value.cause, ApplicationError)
    return error.value.cause


def only(state: SessionState) -> Instalment:
    (instalment,) = state.schedule
    return instalment


async def test_twelve_instalments_of_a_year_are_each_charged_once_when_due(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, *(30 * month + 1 for month in range(12)))

    for month in range(12):
        before = await checkout.state()
        assert statuses(before).count("paid") == month
        await passed(checkout, 30, lambda s, month=month: statuses(s).count("paid") == month + 1)  # type: ignore[misc]

    await checkout.until(paid)
    assert captured(world, checkout) == {key(checkout, n): 10000 for n in range(1, 13)}
    await checkout.handle.result()


async def test_a_year_with_declines_authentication_and_a_removed_card_ends_paid(
    open_session: Open, world: World
) -> None:
    checkout = await scheduled(open_session, 30, 60, 90, 120, dunning=DUNNING)

    world.next_charge = [SOFT, SOFT]
    await passed(checkout, 31, lambda s: at(s, "declined", "scheduled", "scheduled", "scheduled"))
    await passed(checkout, 4, lambda s: at(s, "paid", "scheduled", "scheduled", "scheduled"))

    world.next_charge = [NeedsCustomer()]
    waiting = await passed(checkout, 26, lambda s: s.schedule[1].action_url is not None)
    assert waiting.schedule[1].status == "needs_customer"
    world.pay(action_key(key(checkout, 2)), waiting.schedule[1].amount)
    await checkout.hint()
    await checkout.until(lambda s: at(s, "paid", "paid", "scheduled", "scheduled"))

    world.saved = [uuid4()]
    world.removed = [await confirmed_method(checkout)]
    await passed(checkout, 30, lambda s: at(s, "paid", "paid", "paid", "scheduled"))
    await passed(checkout, 30, paid)

    assert sum(captured(world, checkout).values()) == PRICE.minor
    assert len(captured(world, checkout)) == 4


async def confirmed_method(checkout: Checkout) -> UUID:
    confirmation = (await checkout.state()).confirmation
    assert confirmation is not None
    assert confirmation.method is not None
    return confirmation.method


async def test_a_due_payment_is_announced_before_it_is_charged(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, 10, notice=3 * DAY)

    await passed(checkout, 7.5, lambda s: only(s).noticed)
    assert not captured(world, checkout)
    await passed(checkout, 3, paid)

    told = world.told(checkout.id)
    assert told.count("payment.due_soon") == 1
    assert told.index("payment.due_soon") < told.index("payment.charging")


async def test_what_is_due_at_once_is_charged_without_a_notice(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, -1, notice=3 * DAY)

    state = await checkout.until(paid)
    assert "payment.due_soon" not in world.told(checkout.id)
    assert not only(state).late


async def test_a_soft_decline_is_tried_again_after_one_three_five_and_seven_days(
    open_session: Open, world: World
) -> None:
    world.next_charge = [SOFT] * 5
    checkout = await scheduled(open_session, -1, dunning=DUNNING)
    first = await checkout.until(lambda s: at(s, "declined"))
    began = only(first).declined_at
    assert began is not None

    for tried, day in enumerate((1, 3, 5, 7), start=1):
        state = await checkout.until(lambda s, tried=tried: only(s).attempts == tried and at(s, "declined"))  # type: ignore[misc]
        assert only(state).next_at == began + day * DAY
        assert state.payment_status is Payment.PENDING
        await checkout.pass_time(timedelta(days=1 if day == 1 else 2))

    state = await checkout.until(lambda s: at(s, "failed") and s.attention is not None)
    assert state.payment_status is Payment.FAILED
    assert (only(state).attempts, only(state).code) == (5, "insufficient_funds")
    assert state.attention
    assert (state.attention.reason, state.attention.can) == ("payment_failed", ("retry",))
    assert list(world.contracts.values()) == ["active"]
    assert captured(world, checkout) == {}


async def test_an_operators_retry_pays_what_had_failed_and_lowers_the_attention(
    open_session: Open, world: World
) -> None:
    world.next_charge = [SOFT]
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: s.attention is not None)

    answer = await checkout.tell("retry", Retry(**WHO))
    assert answer.state.payment_status is Payment.PENDING
    state = await checkout.until(paid)

    assert state.attention is None
    assert captured(world, checkout) == {key(checkout, charge=2): PRICE.minor}


async def test_a_hard_decline_is_not_charged_again_to_the_same_card(open_session: Open, world: World) -> None:
    world.next_charge, world.saved = [HARD], [uuid4()]
    checkout = await scheduled(open_session, -1, dunning=DUNNING)

    state = await checkout.until(paid)

    assert only(state).refused == (await confirmed_method(checkout),)
    assert captured(world, checkout) == {key(checkout, charge=2): PRICE.minor}


async def test_a_customer_whose_every_card_was_refused_for_good_is_asked_to_pay_themselves(
    open_session: Open, world: World
) -> None:
    world.next_charge = [HARD]
    checkout = await scheduled(open_session, -1, dunning=DUNNING)

    state = await checkout.until(lambda s: only(s).action_url is not None)
    page = action_key(key(checkout, charge=2))
    assert (only(state).status, only(state).action_url) == ("needs_customer", f"https://pay.example/{page}")
    world.pay(page, PRICE)
    await passed(checkout, 1, paid)

    assert captured(world, checkout) == {page: PRICE.minor}


async def test_a_customer_who_does_not_act_in_time_has_their_page_closed(open_session: Open, world: World) -> None:
    world.next_charge = [NeedsCustomer()]
    checkout = await scheduled(open_session, -1, dunning=DUNNING, action_window=DAY / 24)
    await checkout.until(lambda s: only(s).action_url is not None)

    state = await passed(checkout, 0.05, lambda s: at(s, "declined"))
    assert only(state).code == "needs_customer"
    assert isinstance(world.pages[action_key(key(checkout))], Closed)
    await passed(checkout, 1, paid)

    assert captured(world, checkout) == {key(checkout, charge=2): PRICE.minor}


async def test_a_page_that_was_paid_at_the_last_moment_is_paid_and_not_charged_again(
    open_session: Open, world: World
) -> None:
    world.next_charge = [NeedsCustomer()]
    checkout = await scheduled(open_session, -1, dunning=DUNNING, action_window=timedelta(seconds=30))
    await checkout.until(lambda s: only(s).action_url is not None)
    world.pay(action_key(key(checkout)), PRICE)

    await passed(checkout, 0.001, paid)
    assert captured(world, checkout) == {action_key(key(checkout)): PRICE.minor}


async def test_a_transfer_that_settles_days_later_holds_up_no_other_instalment(
    open_session: Open, world: World
) -> None:
    world.next_charge = [UnderWay()]
    checkout = await scheduled(open_session, -1, 0.02)
    await checkout.until(lambda s: at(s, "charging", "scheduled"))

    await passed(checkout, 0.021, lambda s: at(s, "charging", "paid"))
    world.charges[key(checkout)] = Captured(reference="late", amount=Money(minor=60000, currency="USD"))
    await passed(checkout, 1, paid)

    assert len(captured(world, checkout)) == 2


async def test_a_transfer_that_fails_days_later_is_dunned(open_session: Open, world: World) -> None:
    world.next_charge = [UnderWay()]
    checkout = await scheduled(open_session, -1, dunning=DUNNING)
    await checkout.until(lambda s: at(s, "charging") and only(s).next_at is not None)

    world.charges[key(checkout)] = SOFT
    await checkout.hint()
    await checkout.until(lambda s: at(s, "declined"))
    await passed(checkout, 1.1, paid)


async def test_a_method_that_the_customer_saves_pays_what_had_failed(open_session: Open, world: World) -> None:
    world.next_charge, saved = [SOFT], uuid4()
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: s.attention is not None)

    await checkout.handle.signal("payment_method_saved", MethodSaved(method=saved))
    state = await checkout.until(paid)

    assert state.attention is None
    assert only(state).method == saved


async def test_hearing_twice_of_a_saved_method_charges_it_once(open_session: Open, world: World) -> None:
    world.next_charge, saved = [SOFT, SOFT], MethodSaved(method=uuid4())
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: s.attention is not None)

    await checkout.handle.signal("payment_method_saved", saved)
    await checkout.until(lambda s: only(s).attempts == 2 and at(s, "failed"))
    await checkout.handle.signal("payment_method_saved", saved)
    state = await changed(checkout, "pause")

    assert only(state).attempts == 2


async def test_a_saved_method_is_charged_only_once_the_customers_page_is_closed(
    open_session: Open, world: World
) -> None:
    world.next_charge = [NeedsCustomer()]
    checkout = await scheduled(open_session, -1, dunning=DUNNING)
    await checkout.until(lambda s: only(s).action_url is not None)

    await checkout.handle.signal("payment_method_saved", MethodSaved(method=uuid4()))
    await checkout.until(paid)

    assert isinstance(world.pages[action_key(key(checkout))], Closed)
    assert captured(world, checkout) == {key(checkout, charge=2): PRICE.minor}


@pytest.mark.parametrize("reason", ["contract_not_in_force", "customer_archived", "amount_changed"])
async def test_what_is_not_owed_as_confirmed_is_not_charged(open_session: Open, world: World, reason: str) -> None:
    world.check_answers = [NotOwed(reason=reason)]
    checkout = await scheduled(open_session, -1, dunning=DUNNING)

    state = await checkout.until(lambda s: s.attention is not None)

    assert (state.payment_status, world.charges) == (Payment.FAILED, {})
    assert state.attention
    assert state.attention.detail == reason


async def test_a_day_that_begins_later_than_was_thought_is_waited_for(open_session: Open, world: World) -> None:
    (due,) = in_days(2)
    world.check_answers = [NotDueYet(due_at=due + timedelta(hours=1))]
    checkout: Checkout = await open_session(due=due, amount=PRICE, notice=timedelta(0))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    await passed(checkout, 2.01, lambda s: only(s).due_at == due + timedelta(hours=1))
    assert world.charges == {}
    await passed(checkout, 0.05, paid)


async def test_the_instants_of_days_are_found_out_when_timers_are_set(open_session: Open, world: World) -> None:
    (due,) = in_days(10)
    checkout: Checkout = await open_session(due=due, amount=PRICE)
    world.days[due.date()] = due - timedelta(hours=1)
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)

    state = await checkout.until(lambda s: only(s).due_at == due - timedelta(hours=1))
    assert only(state).status == "scheduled"


async def test_a_payment_that_nobody_could_charge_for_minutes_is_charged_once_and_marked_late(
    open_session: Open, world: World
) -> None:
    checkout = await scheduled(open_session, 1, 30, rounds=(timedelta(hours=1),))
    world.trouble.fail["payments.check_due"] = 8

    await checkout.pass_time(timedelta(days=1, minutes=3))
    state = await checkout.until(lambda s: at(s, "paid", "scheduled"))

    assert captured(world, checkout) == {key(checkout): 60000}
    assert [i.late for i in state.schedule] == [True, False]


async def test_a_payment_is_moved_to_another_day(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, 5)
    (later,) = in_days(20)
    world.days[later.date()] = later

    state = await changed(checkout, "move", date=later.date())
    assert (only(state).due_on, only(state).due_at, only(state).status) == (later.date(), later, "scheduled")
    await checkout.pass_time(timedelta(days=10))
    assert world.charges == {}
    await passed(checkout, 11, paid)


async def test_a_payment_that_is_brought_forward_is_charged_now(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, 50)

    await changed(checkout, "bring_forward")
    state = await checkout.until(paid)

    assert only(state).due_at <= only(state).due_at
    assert len(captured(world, checkout)) == 1


async def test_a_paused_payment_waits_until_it_is_resumed_however_long(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, 5)

    assert at(await changed(checkout, "pause"), "paused")
    await checkout.pass_time(timedelta(days=100))
    assert world.charges == {}
    await changed(checkout, "resume")
    await checkout.until(paid)


async def test_cancelling_the_last_open_payment_ends_a_session_of_which_something_was_paid(
    open_session: Open, world: World
) -> None:
    checkout = await scheduled(open_session, -1, 30)
    await checkout.until(lambda s: at(s, "paid", "scheduled"))

    state = await changed(checkout, "cancel", n=2)

    assert (state.payment_status, statuses(state)) == (Payment.PAID, ["paid", "cancelled"])
    await checkout.handle.result()
    assert len(captured(world, checkout)) == 1


async def test_cancelling_every_payment_leaves_nothing_to_pay(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, 10, 30)
    await changed(checkout, "cancel", n=1)

    state = await changed(checkout, "cancel", n=2)

    assert (state.payment_status, state.status) == (Payment.NO_PAYMENT_REQUIRED, Status.COMPLETED)
    await checkout.handle.result()
    assert world.charges == {}


async def test_cancelling_the_payment_that_failed_lowers_the_attention(open_session: Open, world: World) -> None:
    world.next_charge = [SOFT]
    checkout = await scheduled(open_session, -1, 30)
    await checkout.until(lambda s: s.attention is not None)

    state = await changed(checkout, "cancel", n=1)

    assert (state.payment_status, state.attention) == (Payment.PENDING, None)


async def test_a_payment_is_charged_to_the_method_that_was_chosen_instead(open_session: Open) -> None:
    checkout, method = await scheduled(open_session, 5), uuid4()

    assert only(await changed(checkout, "change_method", method=method)).method == method
    await passed(checkout, 6, paid)


async def test_a_payment_that_waits_for_its_customer_is_cancelled_once_its_page_is_closed(
    open_session: Open, world: World
) -> None:
    world.next_charge = [NeedsCustomer()]
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: only(s).action_url is not None)

    state = await changed(checkout, "cancel")

    assert (statuses(state), state.payment_status) == (["cancelled"], Payment.NO_PAYMENT_REQUIRED)
    assert isinstance(world.pages[action_key(key(checkout))], Closed)


async def test_a_payment_whose_customer_has_just_paid_cannot_be_cancelled(open_session: Open, world: World) -> None:
    world.next_charge = [NeedsCustomer()]
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: only(s).action_url is not None)
    world.pay(action_key(key(checkout)), PRICE)

    assert (await refused(checkout, "cancel")).type == "invalid-status-transition"
    await checkout.until(paid)
    assert len(captured(world, checkout)) == 1


@pytest.mark.parametrize("action", ["move", "bring_forward", "pause", "resume", "cancel", "change_method"])
async def test_a_paid_payment_cannot_be_changed(open_session: Open, action: str) -> None:
    checkout = await scheduled(open_session, -1, 30)
    await checkout.until(lambda s: at(s, "paid", "scheduled"))

    why = await refused(checkout, action, date=in_days(40)[0].date(), method=uuid4())

    assert why.type == "invalid-status-transition"
    assert "paid" in why.message


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"action": "cancel", "n": 7}, "invalid-status-transition"),
        ({"action": "cancel", "reason": " "}, "validation"),
        ({"action": "move"}, "validation"),
        ({"action": "move", "date": "2099-01-01"}, "validation"),
        ({"action": "bring_forward", "date": "2050-01-01"}, "validation"),
        ({"action": "change_method"}, "validation"),
        ({"action": "resume"}, "invalid-status-transition"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    open_session: Open, world: World, wrong: dict[str, Any], problem: str
) -> None:
    checkout = await scheduled(open_session, 30)
    before = world.view(checkout.id)

    assert (await refused(checkout, **wrong)).type == problem

    assert world.view(checkout.id) == before


async def test_an_instalment_that_failed_does_not_hold_up_the_next(open_session: Open, world: World) -> None:
    world.next_charge = [SOFT]
    checkout = await scheduled(open_session, -1, 30)
    await checkout.until(lambda s: at(s, "failed", "scheduled"))

    state = await passed(checkout, 31, lambda s: at(s, "failed", "paid"))
    assert (state.payment_status, state.attention is not None) == (Payment.FAILED, True)
    await checkout.tell("retry", Retry(**WHO))
    state = await checkout.until(paid)

    assert state.attention is None
    assert sum(captured(world, checkout).values()) == PRICE.minor


async def test_a_session_goes_on_in_another_run_before_its_history_grows_long(open_session: Open, world: World) -> None:
    checkout = await scheduled(open_session, *range(1, 8), most_events=80)

    for day in range(1, 8):
        await passed(checkout, 1.02, lambda s, day=day: statuses(s).count("paid") >= day)  # type: ignore[misc]
    await checkout.until(paid)

    runs = [run async for run in checkout.skipper.client.list_workflows(f"WorkflowId = '{checkout.handle.id}'")]
    assert len(runs) > 2
    assert captured(world, checkout) == {
        key(checkout, n): i.amount.minor for n, i in enumerate((await end(checkout)).schedule, 1)
    }
    assert [event.sequence for event in world.events[checkout.id]] == list(range(1, len(world.events[checkout.id]) + 1))
    for run in runs:
        assert (run.history_length or 0) < 200


async def end(checkout: Checkout) -> SessionState:
    return checkout.world.view(checkout.id)


async def test_a_step_that_fails_for_months_goes_on_in_other_runs_until_it_succeeds(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["payments.check_due"] = 10**6
    checkout = await scheduled(open_session, -1, most_events=80)
    await checkout.until(lambda s: s.attention is not None)
    first = (await checkout.handle.describe()).run_id
    async with asyncio.timeout(60):
        while (await checkout.handle.describe()).run_id == first:
            await asyncio.sleep(0.1)

    world.trouble.fail.clear()
    await checkout.until(paid)

    assert captured(world, checkout) == {key(checkout): PRICE.minor}


async def test_a_charge_that_is_at_the_gateway_is_found_out_about_before_cancel_ends_the_session(
    open_session: Open, world: World
) -> None:
    world.trouble.lose_answer["payments.charge"] = 1
    world.trouble.fail["payments.look_up"] = 10**6
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: at(s, "charging"))
    await world.until_called("payments.look_up")
    await checkout.handle.terminate()
    world.trouble.fail["sessions.loose_ends"] = 3

    await checkout.another_run()
    await checkout.skipper.client.get_workflow_handle(checkout.handle.id).cancel()
    world.trouble.fail["payments.look_up"] = 0
    state = await checkout.until(paid)

    assert statuses(state) == ["paid"]
    assert captured(world, checkout) == {key(checkout): PRICE.minor}


async def test_what_failed_can_be_retried_however_much_else_was_asked_about(open_session: Open, world: World) -> None:
    world.next_charge = [SOFT]
    checkout = await scheduled(open_session, -1)
    await checkout.until(lambda s: s.attention is not None)
    await checkout.handle.signal("found_adrift", FoundAdrift(missing=("one", "another")))
    await checkout.until(lambda s: len(s.asks) == 3)

    for _ in range(2):
        await checkout.tell("acknowledge", Acknowledge(**WHO))
    state = await checkout.state()
    assert [asked.reason for asked in state.asks] == ["payment_failed"]
    await checkout.tell("retry", Retry(**WHO))

    assert (await checkout.until(paid)).attention is None
