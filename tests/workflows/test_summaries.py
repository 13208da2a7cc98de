"""What the Temporal UI shows beside each activity and timer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from checkout.commands import Cancel, Compensate, Retry
from checkout.lifecycle import Payment, Status
from checkout.outcomes import Declined
from checkout.session import Mode
from tests.test_conventions import PARTIES, defined
from tests.workflows.conftest import PRICE, Checkout, Open
from tests.workflows.parties import World
from workflows.summaries import SUMMARIES, published

OPERATOR = {"actor": "operator test", "reason": "a test"}
UNTOLD = {"sessions.publish"}
"""Activities whose summary is made of something else than their command."""


def told(history: WorkflowHistory) -> Iterator[tuple[str, str]]:
    """Each activity and timer of a history, with its summary."""
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            yield event.activity_task_scheduled_event_attributes.activity_type.name, summary(event)
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            yield "timer", summary(event)


def summary(event: HistoryEvent) -> str:
    return event.user_metadata.summary.data.decode().strip('"')


async def summaries(checkout: Checkout) -> dict[str, set[str]]:
    """The summaries of a session's history, by activity; none of them is missing."""
    found: dict[str, set[str]] = {}
    for what, said in told(await checkout.handle.fetch_history()):
        assert said, what
        found.setdefault(what, set()).add(said)
    return found


def test_every_activity_of_a_session_has_words_for_its_summary() -> None:
    parties = (party for name, party in PARTIES.items() if name not in {"reconciliation", "clocks"})
    names = {activity.name for party in parties for activity in defined(party).values()}

    assert set(SUMMARIES) == names - UNTOLD


async def test_the_activities_of_a_session_without_payment_say_what_they_are_about(
    open_session: Open, world: World
) -> None:
    world.trouble.fail["contracts.draft"] = 1
    checkout: Checkout = await open_session(guest=True)
    await checkout.confirm(Mode.NO_PAYMENT)
    await checkout.handle.result()

    found = await summaries(checkout)

    assert found["customers.create"] == {"Guest of attempt 1"}
    assert found["contracts.draft"] == found["contracts.activate"] == {"Contract of attempt 1"}


async def test_the_activities_and_timers_of_a_page_say_what_they_are_about(open_session: Open, world: World) -> None:
    checkout: Checkout = await open_session(guest=True, window=1.0)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    await checkout.until(lambda s: s.status is Status.OPEN and s.attempts == 1)
    await checkout.confirm(Mode.CHARGE_IMMEDIATELY)
    world.trouble.fail["contracts.activate"] = 1000
    world.trouble.fail["payments.refund"] = 1
    world.pay(checkout.page(2), PRICE)
    await checkout.until(lambda s: s.attention is not None)
    await checkout.tell("compensate", Compensate(**OPERATOR, then="close"))
    await checkout.handle.result()

    found = await summaries(checkout)

    assert found["payments.open_page"] == found["payments.close_page"] == found["payments.refund"] == {"29.99 USD"}
    assert found["contracts.void"] == {"Contract of attempt 1", "Contract of attempt 2"}
    assert found["timer"] == {
        "The session expires",
        "The payment page's window ends",
        "A lost answer may still take effect; then look it up",
        "Then the gateway is asked again",
    }


async def test_the_activities_and_timers_of_a_due_payment_say_what_they_are_about(
    open_session: Open, world: World
) -> None:
    world.next_charge = [Declined(code="insufficient_funds")]
    checkout: Checkout = await open_session(due=datetime.now(UTC) + timedelta(days=20))
    await checkout.confirm(Mode.CHARGE_WHEN_DUE)
    await checkout.pass_time(timedelta(days=21))
    await checkout.until(lambda s: s.attention is not None)
    await checkout.tell("retry", Retry(**OPERATOR))
    await checkout.until(lambda s: s.payment_status is Payment.PAID)
    await checkout.handle.result()

    found = await summaries(checkout)

    assert found["payments.check_due"] == {"Instalment 1: 29.99 USD"}
    assert found["payments.choose_method"] == {"The saved method to charge when due"}
    assert "Instalment 1: 29.99 USD falls due" in found["timer"]


async def test_what_is_published_is_told_by_its_first_event_and_how_many_more_there_are(
    open_session: Open, world: World
) -> None:
    checkout: Checkout = await open_session()
    await checkout.tell("cancel", Cancel())
    await checkout.handle.result()

    events = world.events[checkout.id]
    assert published(events) == "checkout_session.opened +1"
    assert published(events[1:]) == "checkout_session.cancelled"
    assert (await summaries(checkout))["sessions.publish"] & {published(events), published(events[:1])}
