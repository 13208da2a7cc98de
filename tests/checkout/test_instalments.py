"""What comes next for instalments: for any schedule and any answers, each is captured at most once, and never early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.commands import ChangePayment
from checkout.instalments import (
    CHANGEABLE,
    SELDOMEST,
    Act,
    Moment,
    action_opened,
    after_change,
    asked_again,
    changed,
    charging,
    declined,
    due_now,
    event_of,
    needs_customer,
    next_moment,
    paid,
    under_way,
)
from checkout.lifecycle import Payment, PaymentEvent, payment_after
from checkout.money import Money
from checkout.outcomes import Declined
from checkout.session import Instalment, Policy

NOW = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()
SPACE = UUID(int=7)
CARDS = tuple(uuid5(SPACE, str(n)) for n in range(3))


def instalment(n: int = 1, due: datetime = NOW, **more: Any) -> Instalment:
    return Instalment(n=n, due_on=due.date(), due_at=due, amount=Money(minor=1000, currency="EUR"), **more)


def soft(code: str = "insufficient_funds") -> Declined:
    return Declined(code=code)


# --- what comes next ---------------------------------------------------------------------------------------------


def test_an_instalment_is_announced_and_then_charged() -> None:
    i = instalment(due=NOW + 10 * DAY)

    assert next_moment([i], POLICY, NOW) == Moment(NOW + 7 * DAY, Act.ANNOUNCE, 1)
    assert next_moment([changed(i, noticed=True)], POLICY, NOW) == Moment(NOW + 10 * DAY, Act.CHARGE, 1)


def test_the_earliest_of_several_comes_first() -> None:
    schedule = [instalment(1, NOW + 9 * DAY, noticed=True), instalment(2, NOW + 8 * DAY, noticed=True)]

    assert next_moment(schedule, POLICY, NOW) == Moment(NOW + 8 * DAY, Act.CHARGE, 2)


@pytest.mark.parametrize("status", ["paid", "cancelled", "paused", "failed"])
def test_what_waits_for_somebody_or_is_over_has_no_moment(status: str) -> None:
    assert next_moment([instalment(status=status)], POLICY, NOW) is None


def test_what_is_under_way_is_looked_up_ever_more_seldom_but_at_least_daily() -> None:
    i, now, waits = under_way(instalment(status="charging"), NOW), NOW, []
    for _ in range(40):
        assert i.next_at
        waits.append(i.next_at - now)
        now = i.next_at
        i = asked_again(i, now)

    assert waits[0] == timedelta(minutes=1)
    assert waits == sorted(waits)
    assert waits[-1] == SELDOMEST
    assert sum(wait < SELDOMEST for wait in waits) < 14


# --- what a no makes of it ---------------------------------------------------------------------------------------


def test_soft_declines_are_tried_again_as_long_after_the_first_as_the_policy_says() -> None:
    i, now, days = instalment(status="charging"), NOW, []
    while i.status != "failed":
        i = declined(i, soft(), CARDS[0], POLICY, now)
        if i.next_at:
            days.append((i.next_at - NOW).days)
            now = i.next_at

    assert days == [1, 3, 5, 7]
    assert i.refused == ()


def test_tries_that_were_missed_are_not_made_up_for() -> None:
    i = declined(instalment(status="charging"), soft(), CARDS[0], POLICY, NOW)

    after_a_long_time = declined(i, soft(), CARDS[0], POLICY, NOW + 4 * DAY)

    assert after_a_long_time.next_at == NOW + 5 * DAY


def test_a_hard_decline_is_followed_by_another_method_at_once() -> None:
    i = declined(instalment(status="charging"), Declined(code="stolen", soft=False), CARDS[0], POLICY, NOW)

    assert (i.status, i.next_at, i.refused) == ("declined", NOW, (CARDS[0],))


def test_without_dunning_the_first_no_is_the_last() -> None:
    assert declined(instalment(), soft(), None, Policy(dunning=()), NOW).status == "failed"


@pytest.mark.parametrize(
    ("after_due", "late"), [(timedelta(0), False), (timedelta(seconds=59), False), (timedelta(seconds=61), True)]
)
def test_a_charge_that_begins_a_minute_after_it_was_due_is_late(after_due: timedelta, *, late: bool) -> None:
    assert charging(instalment(), CARDS[0], NOW - DAY, NOW + after_due).late is late


def test_what_was_due_before_the_session_completed_is_not_late() -> None:
    assert not charging(instalment(due=NOW - 30 * DAY), CARDS[0], NOW, NOW).late


# --- changes -----------------------------------------------------------------------------------------------------


def change(action: str, **more: Any) -> ChangePayment:
    return ChangePayment.model_validate({"n": 1, "action": action, "reason": "a test", **more})


def test_a_moved_payment_is_as_if_it_had_not_been_tried() -> None:
    tried = declined(instalment(attempts=1, noticed=True), soft(), None, POLICY, NOW)

    i = after_change(tried, change("move", date="2027-03-01"), NOW)

    assert (str(i.due_on), i.status, i.resolved, i.noticed, i.next_at) == (
        "2027-03-01",
        "scheduled",
        False,
        False,
        None,
    )
    assert i.attempts == 1


def test_a_payment_that_is_moved_while_it_is_paused_stays_paused() -> None:
    assert after_change(instalment(status="paused"), change("move", date="2027-03-01"), NOW).status == "paused"


def test_a_method_that_was_refused_can_be_chosen_again() -> None:
    i = instalment(status="failed", refused=CARDS)

    assert after_change(i, change("change_method", method=CARDS[1]), NOW).refused == (CARDS[0], CARDS[2])


def test_nothing_is_changed_while_a_charge_is_at_the_gateway_or_once_it_is_over() -> None:
    for states in CHANGEABLE.values():
        assert not states & {"charging", "paid", "cancelled"}


# --- the payment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payment", "statuses", "captured", "event"),
    [
        ("pending", ["paid", "scheduled"], True, None),
        ("pending", ["paid", "failed"], True, "refuse"),
        ("failed", ["paid", "failed"], True, None),
        ("failed", ["paid", "due"], True, "ask"),
        ("pending", ["paid", "paused"], True, None),
        ("pending", ["paid", "paid"], True, "capture"),
        ("failed", ["paid", "paid"], True, "capture"),
        ("pending", ["paid", "cancelled"], False, "last_cancelled_paid"),
        ("pending", ["cancelled", "paid"], True, "capture"),
        ("failed", ["cancelled", "cancelled"], False, "last_cancelled_unpaid"),
        ("paid", ["paid", "paid"], True, None),
    ],
)
def test_the_payment_follows_its_instalments(
    payment: str, statuses: list[str], event: str | None, *, captured: bool
) -> None:
    schedule = [instalment(n, status=status) for n, status in enumerate(statuses, 1)]

    assert event_of(Payment(payment), schedule, captured=captured) == (PaymentEvent(event) if event else None)


# --- any schedule, any answers -----------------------------------------------------------------------------------

ANSWERS = ("captured", "soft", "hard", "needs_customer", "under_way")
LATER = ("captured", "soft", "nothing")
PAGES = ("captured", "nothing", "under_way", "closed")
MEDDLING = ("", "", "", "pause", "resume", "move", "bring_forward", "cancel", "retry", "method")


class Model:
    """The schedule of a session, and a gateway that answers as it is told to."""

    def __init__(self, days: list[int], data: st.DataObject) -> None:
        self.data = data
        self.now = NOW
        self.schedule = tuple(instalment(n, NOW + day * DAY) for n, day in enumerate(days, 1))
        self.payment = Payment.PENDING
        self.captures: list[tuple[int, datetime, datetime]] = []
        self.tries: list[tuple[int, int]] = []

    def put(self, i: Instalment, *, captured: bool = True) -> None:
        self.schedule = tuple(i if known.n == i.n else known for known in self.schedule)
        if event := event_of(self.payment, self.schedule, captured=captured):
            self.payment = payment_after(self.payment, event)

    def capture(self, i: Instalment) -> None:
        self.captures.append((i.n, self.now, i.due_at))
        self.put(paid(i))

    def settle(self, i: Instalment, answer: str, method: UUID | None = None) -> None:
        match answer:
            case "captured":
                self.capture(i)
            case "needs_customer":
                self.put(needs_customer(i, "needs_customer", POLICY, self.now))
            case "under_way":
                self.put(under_way(i, self.now))
            case "soft" | "hard" | "closed":
                self.put(declined(i, Declined(code="no", soft=answer != "hard"), method, POLICY, self.now))
            case _:
                self.put(asked_again(i, self.now))

    def charge(self, i: Instalment) -> None:
        usable = [card for card in CARDS if card not in i.refused]
        if not usable:
            self.put(needs_customer(i, "no_method", POLICY, self.now, attempts=i.attempts + 1))
            return
        i = charging(i, usable[0], NOW, self.now)
        self.tries.append((i.n, i.attempts))
        self.put(i)
        self.settle(i, self.data.draw(st.sampled_from(ANSWERS)), usable[0])

    def act(self, moment: Moment) -> None:
        i = next(i for i in self.schedule if i.n == moment.n)
        match moment.act:
            case Act.ANNOUNCE:
                self.put(changed(i, noticed=True))
            case Act.OPEN:
                self.put(action_opened(i, "https://pay.example", self.now))
            case Act.LOOK_UP:
                self.settle(i, self.data.draw(st.sampled_from(PAGES if i.action_url else LATER)))
            case Act.CLOSE:
                self.settle(i, self.data.draw(st.sampled_from(("captured", "closed", "under_way"))))
            case Act.CHARGE:
                self.charge(i)

    def meddle(self) -> None:
        """Somebody changes an instalment, where that is allowed."""
        action, i = self.data.draw(st.sampled_from(MEDDLING)), self.data.draw(st.sampled_from(self.schedule))
        if action == "retry" and i.status == "failed":
            self.put(due_now(i, self.now))
        elif action in CHANGEABLE and i.status in CHANGEABLE[action] and i.status != "needs_customer":
            day = str((self.now + 20 * DAY).date())
            date = {"date": day} if action == "move" else {}
            self.put(changed(after_change(i, change(action, **date), self.now), resolved=True), captured=False)


@given(days=st.lists(st.integers(0, 40), min_size=1, max_size=5), data=st.data())
def test_each_instalment_is_captured_at_most_once_and_never_early(days: list[int], data: st.DataObject) -> None:
    model = Model(days, data)

    for _ in range(60):
        model.meddle()
        moment = next_moment(model.schedule, POLICY, model.now)
        if moment is not None:
            model.now = max(model.now, moment.at)
            model.act(moment)

    captured = [n for n, *_ in model.captures]
    assert len(captured) == len(set(captured))
    assert all(at >= due for _, at, due in model.captures)
    assert len(model.tries) == len(set(model.tries)), "a key was used twice"
    assert {i.n for i in model.schedule if i.status == "paid"} == set(captured)


@given(days=st.lists(st.integers(0, 40), min_size=1, max_size=4), data=st.data())
def test_left_alone_every_schedule_ends_paid_or_asks_somebody(days: list[int], data: st.DataObject) -> None:
    model = Model(days, data)

    for _ in range(600):
        moment = next_moment(model.schedule, POLICY, model.now)
        if moment is None:
            break
        model.now = max(model.now, moment.at)
        model.act(moment)
    else:
        assert any(i.status == "charging" for i in model.schedule), "only what the gateway never settles has no end"

    assert {i.status for i in model.schedule} <= {"paid", "failed", "charging"}
    assert (model.payment is Payment.FAILED) == any(i.status == "failed" for i in model.schedule)
