"""Which sessions a saved payment method may pay, by their rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from checkout.commands import Charge, Publish
from checkout.ids import charge_key
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Instalment, Offer, SessionEvent, SessionState
from gateways.port import SavedMethod
from store import customers, payment_methods, reconciliation
from store.database import Database
from store.payment_records import PaymentRecords
from store.session_view import SessionView

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
WINDOW = (NOW - HOUR, NOW + HOUR)
PRICE = Money(minor=50000, currency="USD")
CARD = SavedMethod(token="pm", type="card", brand="visa", last4="4242", expiry_month=None, expiry_year=None)


async def customer_of(database: Database, organisation: UUID) -> UUID:
    unsaid = ("business_entity_id", "email", "external_id", "phone_number", "address", "tax_info", "custom_data")
    customer = uuid4()
    async with database.of(organisation) as connection:
        await customers.insert(connection, customer, {**dict.fromkeys(unsaid), "customer_name": "Acme GmbH"})
    return customer


async def saved(database: Database, organisation: UUID, customer: UUID) -> UUID:
    method = uuid4()
    async with database.of(organisation) as connection:
        await payment_methods.insert(connection, method, customer, "sandbox", CARD)
    return method


def instalment(status: Any = "declined", n: int = 1, **more: Any) -> Instalment:
    return Instalment(n=n, due_on=NOW.date(), due_at=NOW, amount=PRICE, status=status, **more)


async def session(
    database: Database,
    organisation: UUID,
    customer: UUID,
    *schedule: Instalment,
    status: Status = Status.COMPLETED,
    payment: Payment = Payment.PENDING,
    ahead: timedelta | None = None,
) -> UUID:
    offer = Offer(estimation_id="an estimate", details=uuid4(), amount_due=PRICE, schedule=(), expires_at=NOW)
    state = SessionState(
        id=uuid4(),
        organisation=organisation,
        status=status,
        payment_status=payment,
        guest_checkout=False,
        customer=customer,
        business_entity=None,
        offer=offer,
        schedule=schedule,
        created_at=NOW,
        updated_at=NOW,
        last_activity_at=NOW,
        clock_ahead=ahead,
    )
    event = SessionEvent(sequence=1, type="x.y", actor="test", at=NOW, data={}, state=state)
    await SessionView(database).publish(Publish(events=(event,)), "a run")
    return state.id


async def told(database: Database, organisation: UUID, method: UUID) -> tuple[list[UUID], list[tuple[UUID, UUID]]]:
    """Who is told at once, and by the reconciler."""
    async with database.of(organisation) as connection:
        at_once = await reconciliation.unpaid_with(connection, method)
        return at_once, await reconciliation.unpaid_since(connection, WINDOW)


@pytest.mark.parametrize("status", ["declined", "failed", "needs_customer"])
@pytest.mark.parametrize("payment", [Payment.PENDING, Payment.FAILED])
async def test_a_session_whose_payment_was_declined_hears_of_a_saved_method_once(
    database: Database, organisation: UUID, status: str, payment: Payment
) -> None:
    customer = await customer_of(database, organisation)
    parts = (instalment(status), instalment(status, 2), instalment("scheduled", 3))
    waiting = await session(database, organisation, customer, *parts, payment=payment)
    method = await saved(database, organisation, customer)

    assert await told(database, organisation, method) == ([waiting], [(waiting, method)])


@pytest.mark.parametrize("status", ["scheduled", "due", "charging", "paid", "paused", "cancelled"])
async def test_a_session_whose_payment_was_not_declined_hears_nothing(
    database: Database, organisation: UUID, status: str
) -> None:
    customer = await customer_of(database, organisation)
    await session(database, organisation, customer, instalment(status))

    assert await told(database, organisation, await saved(database, organisation, customer)) == ([], [])


async def test_another_customers_or_an_unfinished_session_hears_nothing(database: Database, organisation: UUID) -> None:
    customer, another = [await customer_of(database, organisation) for _ in range(2)]
    await session(database, organisation, another, instalment())
    await session(database, organisation, customer, instalment(), status=Status.OPEN, payment=Payment.FAILED)
    await session(database, organisation, customer, instalment(), payment=Payment.PAID)

    assert await told(database, organisation, await saved(database, organisation, customer)) == ([], [])


async def test_a_method_that_is_to_be_charged_already_is_not_told_of_again(
    database: Database, organisation: UUID
) -> None:
    customer = await customer_of(database, organisation)
    method = await saved(database, organisation, customer)
    await session(database, organisation, customer, instalment(method=method))

    assert await told(database, organisation, method) == ([], [])


@pytest.mark.parametrize(("charged", "times"), [(1, 0), (11, 1)])
async def test_a_method_that_an_instalment_was_charged_to_is_not_told_of_again(
    database: Database, organisation: UUID, charged: int, times: int
) -> None:
    customer = await customer_of(database, organisation)
    method = await saved(database, organisation, customer)
    declined = await session(database, organisation, customer, instalment())
    cmd = Charge(
        organisation=organisation,
        session=declined,
        at=NOW,
        key=charge_key(declined, 1, charged, 1),
        amount=PRICE,
        method=method,
    )
    await PaymentRecords(database).charge(cmd)

    assert await told(database, organisation, method) == ([declined] * times, [(declined, method)] * times)


async def test_an_expired_method_is_nobodys_hope(database: Database, organisation: UUID) -> None:
    customer = await customer_of(database, organisation)
    await session(database, organisation, customer, instalment())
    method = await saved(database, organisation, customer)
    async with database.of(organisation) as connection:
        await connection.execute("UPDATE payment_methods SET expiry_month = 12, expiry_year = 2025")

    assert await told(database, organisation, method) == ([], [])


async def test_a_removed_method_is_nobodys_hope(database: Database, organisation: UUID) -> None:
    customer = await customer_of(database, organisation)
    await session(database, organisation, customer, instalment())
    method = await saved(database, organisation, customer)
    async with database.of(organisation) as connection:
        await payment_methods.remove(connection, customer, method)

    assert await told(database, organisation, method) == ([], [])


async def test_the_reconciler_leaves_methods_alone_that_were_there_before_the_decline(
    database: Database, organisation: UUID
) -> None:
    customer = await customer_of(database, organisation)
    await saved(database, organisation, customer)
    await session(database, organisation, customer, instalment(declined_at=NOW + HOUR / 2))

    async with database.of(organisation) as connection:
        assert await reconciliation.unpaid_since(connection, WINDOW) == []


async def test_a_method_is_saved_after_the_decline_by_the_sessions_own_clock(
    database: Database, organisation: UUID
) -> None:
    customer, year = await customer_of(database, organisation), timedelta(days=365)
    part = instalment(declined_at=NOW + year - HOUR)
    waiting = await session(database, organisation, customer, part, ahead=year)
    method = await saved(database, organisation, customer)

    assert await told(database, organisation, method) == ([waiting], [(waiting, method)])


async def test_the_reconciler_looks_at_its_window_only(database: Database, organisation: UUID) -> None:
    customer = await customer_of(database, organisation)
    waiting = await session(database, organisation, customer, instalment(declined_at=NOW - HOUR))
    first, second = [await saved(database, organisation, customer) for _ in range(2)]

    async with database.of(organisation) as connection:
        assert await reconciliation.unpaid_since(connection, WINDOW) == [(waiting, first), (waiting, second)]
        assert await reconciliation.unpaid_since(connection, (NOW - HOUR, NOW - HOUR / 2)) == []
