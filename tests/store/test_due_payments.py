"""Whether a payment that falls due is still owed as it was confirmed, and what can be charged, by the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from checkout.commands import CheckDue, ContractStep, DueInstants
from checkout.due import DueRules
from checkout.ids import contract_of
from checkout.money import Money
from checkout.outcomes import MethodChosen, NoMethod, NotDueYet, NotOwed
from gateways.port import SavedMethod
from store import documents, payment_methods
from store.contract_steps import ContractSteps
from store.database import Database
from store.due_payments import DuePayments
from tests.conftest import new_organisation
from tests.store.test_steps import customer_of

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
HALF = Money(minor=5000, currency="EUR")
PARTS = [{"n": n, "amount": "50.00", "currency": "EUR", "due_on": f"2027-0{n + 2}-01"} for n in (1, 2)]
CONTENT = {
    "contract": {"currency": "EUR", "name": None, "start_date": "2027-01-01", "end_date": None},
    "estimates": {"payment_schedule": PARTS},
}


@dataclass
class Owed:
    """A contract in force of a customer in Tokyo, of which half is due on the first of March."""

    database: Database
    organisation: UUID
    customer: UUID
    session: UUID

    async def check(self, **more: Any) -> Any:
        cmd = CheckDue(
            organisation=self.organisation,
            session=self.session,
            at=NOON,
            customer=self.customer,
            contract=contract_of(self.session, 1),
            estimation_id="an estimate",
            n=1,
            amount=HALF,
            due_on=date(2027, 3, 1),
            methods=(),
        )
        return await DuePayments(self.database).check(cmd.model_copy(update=more))

    async def card(self, *, expires: tuple[int, int] = (2030, 12), default: bool = False) -> UUID:
        year, month = expires
        saved = SavedMethod("pm_sandbox_card_ok", "card", "visa", "4242", month, year)
        async with self.database.of(self.organisation) as connection:
            row = await payment_methods.insert(connection, uuid4(), self.customer, "sandbox", saved)
            if default:
                await payment_methods.make_default(connection, self.customer, row["id"])
        return UUID(str(row["id"]))

    async def run(self, change: str, *given: Any) -> None:
        async with self.database.of(self.organisation) as connection:
            await connection.execute(change, given)

    def step(self) -> ContractStep:
        return ContractStep(
            organisation=self.organisation,
            session=self.session,
            at=NOON,
            contract=contract_of(self.session, 1),
            attempt=1,
            customer=self.customer,
            estimation_id="an estimate",
            plan=None,
        )


@pytest.fixture
async def owed(database: Database) -> Owed:
    organisation = await new_organisation(database, DueRules(time_zone="Asia/Tokyo"))
    it = Owed(database, organisation, await customer_of(database, organisation), uuid4())
    async with database.of(organisation) as connection:
        await documents.keep_content(connection, organisation, "an estimate", CONTENT)
    contracts = ContractSteps(database)
    await contracts.draft(it.step())
    await contracts.activate(it.step())
    return it


async def test_the_default_is_charged_where_nothing_else_was_asked_for(owed: Owed) -> None:
    await owed.card()
    default = await owed.card(default=True)
    await owed.card()

    assert await owed.check() == MethodChosen(method=default)


async def test_what_was_asked_for_is_charged_first(owed: Owed) -> None:
    first, second = await owed.card(), await owed.card(default=True)

    assert await owed.check(methods=(uuid4(), first, second)) == MethodChosen(method=first)


async def test_a_card_that_was_refused_for_good_or_removed_or_has_expired_is_not_charged(owed: Owed) -> None:
    refused, removed, expired = await owed.card(), await owed.card(), await owed.card(expires=(2027, 2), default=True)
    async with owed.database.of(owed.organisation) as connection:
        await payment_methods.remove(connection, owed.customer, removed)

    assert await owed.check(methods=(refused, removed, expired), refused=(refused,)) == NoMethod()


async def test_a_card_is_good_to_the_end_of_its_month(owed: Owed) -> None:
    card = await owed.card(expires=(2027, 3))

    assert await owed.check() == MethodChosen(method=card)
    assert await owed.check(at=datetime(2027, 4, 1, tzinfo=UTC)) == NoMethod()


async def test_another_customers_card_is_never_charged(owed: Owed) -> None:
    card = await owed.card()
    stranger = Owed(owed.database, owed.organisation, await customer_of(owed.database, owed.organisation), uuid4())
    theirs = await stranger.card(default=True)

    assert await owed.check(methods=(theirs,)) == MethodChosen(method=card)


async def test_a_contract_that_is_void_is_not_charged_for(owed: Owed) -> None:
    await owed.card()
    await ContractSteps(owed.database).void(owed.step())

    assert await owed.check() == NotOwed(reason="contract_not_in_force")


async def test_an_archived_customer_is_not_charged(owed: Owed) -> None:
    await owed.card()
    await owed.run("UPDATE customers SET status = 'archived' WHERE id = %s", owed.customer)

    assert await owed.check() == NotOwed(reason="customer_archived")


@pytest.mark.parametrize("wrong", [{"amount": Money(minor=5001, currency="EUR")}, {"n": 3}, {"estimation_id": "other"}])
async def test_another_amount_than_was_confirmed_is_not_charged(owed: Owed, wrong: dict[str, Any]) -> None:
    await owed.card()

    assert await owed.check(**wrong) == NotOwed(reason="amount_changed")


async def test_a_day_that_has_not_begun_in_the_organisations_zone_is_waited_for(owed: Owed) -> None:
    await owed.card()
    begins = datetime(2027, 2, 28, 15, tzinfo=UTC)

    assert await owed.check(at=begins.replace(hour=14)) == NotDueYet(due_at=begins)
    assert isinstance(await owed.check(at=begins), MethodChosen)


async def test_a_payment_that_was_brought_forward_waits_for_no_day(owed: Owed) -> None:
    card = await owed.card()

    assert await owed.check(at=datetime(2027, 1, 2, tzinfo=UTC), due_on=None) == MethodChosen(method=card)


async def test_days_begin_when_they_do_in_the_organisations_zone(owed: Owed) -> None:
    days = (date(2027, 3, 1), date(2028, 2, 29))
    cmd = DueInstants(organisation=owed.organisation, session=owed.session, at=NOON, days=days)

    found = await DuePayments(owed.database).instants(cmd)

    assert found.at == (datetime(2027, 2, 28, 15, tzinfo=UTC), datetime(2028, 2, 28, 15, tzinfo=UTC))
