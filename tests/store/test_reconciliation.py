"""What the reconciler asks the rows, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from checkout.commands import AtKey, FindLooseEnds, Publish, Refund
from checkout.ids import charge_key, excess_key, page_key, refund_key
from checkout.lifecycle import Payment, Status
from checkout.outcomes import Captured, NothingToRefund
from checkout.session import Attention, Confirmation, Instalment, Mode, PaymentRecord, SessionEvent, SessionState
from store import reconciliation
from store.database import Database
from store.loose_ends import SessionRows
from store.payment_records import PaymentRecords
from store.session_view import SessionView
from tests.store.test_steps import NOW, PRICE, changed, opened

TODAY = (NOW, NOW + timedelta(days=1))
"""Days after the sessions of these tests were active last."""

UNRELATED = Attention(reason="payment_failed", step="payments.charge", since=NOW, detail="declined", can=("retry",))


def asking(reason: str, key: str) -> Attention:
    return Attention(reason=reason, step="payments.refund", since=NOW, detail=key, can=("acknowledge",), key=key)


class Session:
    """A cancelled session that was active ten days ago, and its rows."""

    def __init__(self, database: Database, state: SessionState) -> None:
        self._database = database
        long_ago = NOW - timedelta(days=10)
        self.state = state.model_copy(update={"status": Status.CANCELLED, "last_activity_at": long_ago})
        self.late = page_key(state.id, 1)
        self.effect: dict[str, Any] = {"organisation": state.organisation, "session": state.id, "at": NOW}

    async def is_published(self, kind: str = "x.y", data: dict[str, Any] | None = None, **to: Any) -> None:
        event = changed(self.state.model_copy(update=to), self.state.version)
        told: SessionEvent = event.model_copy(update={"type": kind, "data": data or {}})
        await SessionView(self._database).publish(Publish(events=(told,)), "a run")
        self.state = self.state.model_copy(update={"version": self.state.version + 1, **to})

    async def gets_late_money(self) -> None:
        at = AtKey(**self.effect, key=self.late, amount=PRICE)
        await PaymentRecords(self._database).answered(at, Captured(reference="pay_1", amount=PRICE))

    async def is_adrift(self) -> bool:
        async with self._database.of(self.state.organisation) as connection:
            return self.state.id in await reconciliation.adrift(connection, TODAY)

    async def is_doubtful(self) -> bool:
        async with self._database.of(self.state.organisation) as connection:
            return self.late in [
                row["key"] for row in await reconciliation.captured(connection, "sandbox", None, TODAY)
            ]

    async def is_unfinished(self) -> bool:
        async with self._database.of(self.state.organisation) as connection:
            return self.state.id in await reconciliation.unfinished(connection, UUID(int=0))

    async def loose(self, *reported: str, kept: int | None = None) -> list[str]:
        find = FindLooseEnds(**self.effect, kept=kept, reported=reported)
        found = await SessionRows(self._database).loose_ends(find)
        return [charge.key for charge in found.charges]


async def session(database: Database, organisation: UUID) -> Session:
    return Session(database, (await opened(database, organisation)).state())


async def test_money_that_came_today_is_found_although_its_session_was_quiet_for_long(
    database: Database, organisation: UUID
) -> None:
    quiet = await session(database, organisation)
    await quiet.is_published()
    assert not await quiet.is_adrift()

    await quiet.gets_late_money()

    assert await quiet.is_adrift()


async def test_money_is_found_although_its_session_asks_about_something_else(
    database: Database, organisation: UUID
) -> None:
    asks = await session(database, organisation)
    await asks.is_published(asks=(UNRELATED,))

    await asks.gets_late_money()

    assert await asks.is_adrift()
    assert await asks.is_doubtful()


async def test_a_session_with_a_failing_step_is_left_at_it(database: Database, organisation: UUID) -> None:
    busy = await session(database, organisation)
    await busy.is_published(asks=(UNRELATED.model_copy(update={"reason": "step_failing"}),))

    await busy.gets_late_money()

    assert not await busy.is_adrift()


async def test_money_that_somebody_is_asked_about_or_has_seen_to_is_found_no_more(
    database: Database, organisation: UUID
) -> None:
    late = await session(database, organisation)
    await late.is_published()
    await late.gets_late_money()
    assert await late.loose() == [late.late]

    await late.is_published(asks=(UNRELATED, asking("nothing_to_refund", late.late)))
    assert (await late.is_adrift(), await late.is_doubtful(), await late.loose()) == (False, False, [])

    await late.is_published(
        "checkout_session.acknowledged", {"reason": "returned", "key": late.late}, asks=(UNRELATED,)
    )
    assert (await late.is_adrift(), await late.is_doubtful(), await late.loose()) == (False, False, [])
    assert await late.loose(late.late) == [late.late]


async def test_a_key_that_no_row_knows_is_loose_where_it_is_reported_and_told_apart(
    database: Database, organisation: UUID
) -> None:
    over = await session(database, organisation)
    await over.is_published()
    await over.gets_late_money()
    unheard_of = charge_key(over.state.id, 7, 1, 1)
    find = FindLooseEnds(**over.effect, kept=None, reported=(unheard_of,))

    found = await SessionRows(database).loose_ends(find)

    assert [(charge.key, charge.page, charge.recorded) for charge in found.charges] == [
        (over.late, True, True),
        (unheard_of, False, False),
    ]


async def test_of_the_attempt_that_stands_only_what_the_session_has_is_its_own(
    database: Database, organisation: UUID
) -> None:
    paid = await session(database, organisation)
    own = PaymentRecord(key=paid.late, kind="charge", amount=PRICE, status="captured", at=NOW)
    confirmation = Confirmation(mode=Mode.CHARGE_IMMEDIATELY, attempt=1, confirmed_at=NOW)
    stands: dict[str, Any] = {"status": Status.COMPLETED, "confirmation": confirmation}
    await paid.gets_late_money()

    await paid.is_published(**stands, payments=(own,))
    assert not await paid.is_adrift()
    assert await paid.loose(kept=1) == [paid.late]
    await paid.is_published(**stands, payments=(own.model_copy(update={"late": True}),))
    assert await paid.is_adrift()
    await paid.is_published(**stands, payments=())
    assert await paid.is_adrift()
    await paid.is_published(status=Status.PROCESSING, confirmation=confirmation, payments=())
    assert not await paid.is_adrift()


async def test_seeing_to_one_payment_is_not_seeing_to_another(database: Database, organisation: UUID) -> None:
    late = await session(database, organisation)
    await late.is_published()
    await late.gets_late_money()
    other = page_key(late.state.id, 2)

    await late.is_published(asks=(asking("nothing_to_refund", other),))
    await late.is_published("checkout_session.acknowledged", {"reason": "returned", "key": other}, asks=())

    assert await late.is_adrift()
    assert await late.is_doubtful()


async def test_a_session_that_is_over_is_unfinished_while_it_asks(database: Database, organisation: UUID) -> None:
    asks = await session(database, organisation)
    await asks.is_published()
    assert not await asks.is_unfinished()

    await asks.is_published(asks=(asking("payment_missing", asks.late),))

    assert await asks.is_unfinished()


@pytest.mark.parametrize("key", [page_key, partial(charge_key, instalment=1, charge=1)])
async def test_a_completed_session_is_unfinished_while_it_holds_too_much(
    database: Database, organisation: UUID, key: Callable[[UUID, int], str]
) -> None:
    over = await session(database, organisation)
    twice = PaymentRecord(
        key=key(over.state.id, 1), kind="charge", amount=PRICE + PRICE, status="captured", reference=None, at=NOW
    )
    confirmation = Confirmation(mode=Mode.CHARGE_IMMEDIATELY, attempt=1, confirmed_at=NOW)
    paid: Any = {"status": Status.COMPLETED, "payment_status": Payment.PAID, "confirmation": confirmation}
    instalment = Instalment(n=1, due_on=NOW.date(), due_at=NOW, amount=PRICE, status="paid")
    once = twice.model_copy(update={"amount": PRICE})

    await over.is_published(**paid, schedule=(instalment,), payments=(once,))
    assert (await over.is_unfinished(), over.state.goes_on) == (False, False)
    await over.is_published(payments=(twice,))
    assert (await over.is_unfinished(), over.state.goes_on) == (True, True)

    back = twice.model_copy(update={"key": excess_key(twice.key), "kind": "refund", "status": "refunded"})
    await over.is_published(payments=(twice, back))
    assert (await over.is_unfinished(), over.state.goes_on) == (False, False)


async def test_a_completed_session_is_unfinished_while_it_has_a_method_to_save(
    database: Database, organisation: UUID
) -> None:
    paid = await session(database, organisation)
    confirmation = Confirmation(mode=Mode.CHARGE_IMMEDIATELY, attempt=1, confirmed_at=NOW, save_method=True)
    await paid.is_published(status=Status.COMPLETED, payment_status=Payment.PAID, confirmation=confirmation)
    assert await paid.is_unfinished()

    await paid.is_published(confirmation=confirmation.model_copy(update={"save_method": False}))
    assert not await paid.is_unfinished()


async def test_a_charge_without_an_answer_is_declined_once_there_is_nothing_to_refund(
    database: Database, organisation: UUID
) -> None:
    over = await session(database, organisation)
    await over.is_published()
    key = charge_key(over.state.id, 1, 1, 1)
    async with database.of(organisation) as connection:
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, at,
                                  gateway)
            VALUES (%s, %s, %s, 'charge', 50000, 'USD', 'pending', now(), 'sandbox')
            """,
            (key, organisation, over.state.id),
        )
    refund = Refund(organisation=organisation, session=over.state.id, at=NOW, key=refund_key(key), of=key, amount=PRICE)

    await PaymentRecords(database).answered(refund, NothingToRefund())

    async with database.of(organisation) as connection:
        assert await reconciliation.statuses(connection, [key]) == {key: "declined"}
    assert await over.loose() == []


async def test_a_captured_charge_stays_captured_although_there_is_nothing_to_refund(
    database: Database, organisation: UUID
) -> None:
    over = await session(database, organisation)
    await over.gets_late_money()
    key = refund_key(over.late)
    refund = Refund(organisation=organisation, session=over.state.id, at=NOW, key=key, of=over.late, amount=PRICE)

    await PaymentRecords(database).answered(refund, NothingToRefund())

    async with database.of(organisation) as connection:
        assert await reconciliation.statuses(connection, [over.late]) == {over.late: "captured"}
