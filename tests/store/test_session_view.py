"""What runs of a session write of it, on PostgreSQL: the one that goes on is heard, and one that is over is not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from checkout.commands import AtKey, Effect, Opening, Publish
from checkout.ids import page_key
from checkout.lifecycle import Status
from checkout.outcomes import Captured, Published
from checkout.session import Confirmation, Mode, SessionEvent
from store import sessions
from store.database import Database
from store.loose_ends import SessionRows
from store.payment_records import PaymentRecords
from store.session_view import SessionView
from tests.store.test_steps import NOW, PRICE, changed, opened


def told(opening: Opening, *versions: int, **more: Any) -> Publish:
    """The publication of some changes of the session."""
    return Publish(events=tuple(changed(opening.state(), version) for version in versions), **more)


async def row_of(database: Database, opening: Opening) -> tuple[int, str]:
    """The version that reads show, and the run that writes."""
    async with database.of(opening.organisation) as connection:
        row = await sessions.find(connection, opening.session)
    assert row
    return row["version"], row["run_id"]


async def taken_over(database: Database, opening: Opening, run: str) -> None:
    effect = Effect(organisation=opening.organisation, session=opening.session, at=NOW)
    await SessionRows(database).standing(effect, run)


async def test_a_late_write_of_a_run_that_is_over_changes_nothing(database: Database, organisation: UUID) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    await view.publish(told(opening, 1), "the first")
    await taken_over(database, opening, "one that is terminated")
    await taken_over(database, opening, "the one that goes on")
    await view.publish(told(opening, 2), "the one that goes on")

    late = await view.publish(told(opening, 2), "one that is terminated")
    claimed = await view.publish(told(opening, 2, claimed="the first"), "one that is terminated")

    assert late.writer == claimed.writer == "the one that goes on"
    assert await row_of(database, opening) == (2, "the one that goes on")


async def test_a_run_whose_row_a_late_call_took_is_told_and_takes_it_back(
    database: Database, organisation: UUID
) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    await view.publish(told(opening, 1), "the first")
    await taken_over(database, opening, "the one that goes on")
    await view.publish(told(opening, 2), "the one that goes on")
    await taken_over(database, opening, "one that is terminated")

    silenced = await view.publish(told(opening, 3), "the one that goes on")
    await view.publish(told(opening, 3, claimed=silenced.writer), "the one that goes on")

    assert silenced.writer == "one that is terminated"
    assert await row_of(database, opening) == (3, "the one that goes on")


async def test_a_run_reset_before_its_chain_wrote_is_no_intruder_when_it_repeats_itself(
    database: Database, organisation: UUID
) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    first = told(opening, 1, chain="a run that never wrote")

    answers = [await view.publish(first, "the run after a reset") for _ in range(2)]

    assert answers == [Published(version=1), Published(version=1)]
    assert (await view.publish(told(opening, 1, chain="another"), "a run of another chain")).intruder


def confirmed(opening: Opening, version: int, attempt: int, update: str) -> SessionEvent:
    """The event of a confirm that a run thinks to be the session's attempt of that number."""
    state = opening.state().model_copy(update={"version": version, "status": Status.PROCESSING, "attempts": attempt})
    confirmation = Confirmation(mode=Mode.NO_PAYMENT, attempt=attempt, confirmed_at=NOW)
    return SessionEvent(
        sequence=version,
        type="checkout_session.confirmed",
        actor="test",
        at=NOW,
        data={},
        state=state.model_copy(update={"confirmation": confirmation}),
        update=update,
    )


async def test_a_confirmation_after_a_reset_gets_a_number_of_its_own_and_a_repeated_one_keeps_it(
    database: Database, organisation: UUID
) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    await view.publish(Publish(events=(*told(opening, 1).events, confirmed(opening, 2, 1, "first"))), "a run")
    another = Publish(events=(confirmed(opening, 2, 1, "second"),), claimed="a run")

    written = [await view.publish(another, "a run that was reset") for _ in range(2)]
    the_same = another.model_copy(update={"claimed": "a run that was reset"})
    again = await view.publish(the_same, "that run, reset once more")

    assert [answer.attempt for answer in (*written, again)] == [2, 2, 2]
    async with database.of(organisation) as connection:
        row = await sessions.find(connection, opening.session)
    assert row
    assert (row["state"]["attempts"], row["state"]["confirmation"]["attempt"]) == (2, 2)


async def test_a_number_of_which_only_a_payment_is_left_is_not_given_again(
    database: Database, organisation: UUID
) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    at = AtKey(
        organisation=organisation,
        session=opening.session,
        at=NOW,
        key=page_key(opening.session, 3),
        amount=PRICE,
    )
    await PaymentRecords(database).answered(at, Captured(reference="cap_1", amount=PRICE))

    written = await view.publish(Publish(events=(*told(opening, 1).events, confirmed(opening, 2, 1, "first"))), "a run")

    assert written.attempt == 4
