"""Where a key is asked about: at the gateway that it was posted at, whatever its organisation has chosen since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from checkout.commands import AtKey, Charge, Refund
from checkout.ids import another_refund_key, charge_key, excess_key, kind_of, page_key, refund_key
from checkout.money import Money
from checkout.outcomes import Captured, PageOpen, Refunded
from gateways.port import Account, SavedMethod, ToCharge
from store import organisations, payment_methods
from store.database import Database
from store.payment_records import PaymentRecords, _record, _to_ask
from store.sandboxes import Sandboxes
from tests.store.test_steps import customer_of

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2027, 3, 2, 12, tzinfo=UTC)
PRICE = Money(minor=5000, currency="EUR")
SESSION = UUID(int=7)


def at(organisation: UUID, key: str, instant: datetime = NOW) -> AtKey:
    return AtKey(organisation=organisation, session=SESSION, at=instant, key=key, amount=PRICE)


async def choose(database: Database, organisation: UUID, gateway: str, account: str | None = None) -> None:
    async with database.of(organisation) as connection:
        assert await organisations.choose_gateway(connection, organisation, gateway, account)


async def captured(database: Database, organisation: UUID, key: str) -> None:
    await PaymentRecords(database).answered(at(organisation, key), Captured(reference="cap_1", amount=PRICE))


async def test_a_key_stays_at_the_gateway_and_account_it_was_posted_at(database: Database, organisation: UUID) -> None:
    key, records = f"{uuid4()}/1/page", PaymentRecords(database)
    await choose(database, organisation, "stripe", "acct_1")
    await captured(database, organisation, key)
    await choose(database, organisation, "stripe", "acct_2")
    await choose(database, organisation, "sandbox")

    known, new = await records.posted(at(organisation, key, LATER)), await records.posted(at(organisation, "new"))

    assert (known.gateway, known.posted.account) == ("stripe", Account(organisation, "acct_1"))
    assert (known.posted.first_at, known.posted.reference, known.posted.kind) == (NOW, "cap_1", "page")
    assert (new.gateway, new.posted.account) == ("sandbox", Account(organisation))


async def test_of_two_first_posts_the_second_goes_to_where_the_first_went(
    database: Database, organisation: UUID
) -> None:
    """The gateway is chosen anew between the two, and the second had asked where to go before the first went."""
    refund = Refund(**at(organisation, refund_key(f"{uuid4()}/1/page")).model_dump(), of="of")
    async with database.of(organisation) as connection:
        stale = await _to_ask(connection, refund, refund.key)
    await choose(database, organisation, "stripe", "acct_1")
    async with database.of(organisation) as connection:
        first = await _record(connection, refund, await _to_ask(connection, refund, refund.key))
        second = await _record(connection, refund, stale)

    assert (stale.gateway, first.gateway) == ("sandbox", "stripe")
    assert second == first


async def test_a_refund_goes_to_where_the_money_was_captured(database: Database, organisation: UUID) -> None:
    key, records = f"{uuid4()}/1/page", PaymentRecords(database)
    await captured(database, organisation, key)
    await choose(database, organisation, "stripe", "acct_1")
    refund = Refund(**at(organisation, refund_key(key), LATER).model_dump(), of=key)

    first, again = await records.refund(refund), await records.refund(refund.model_copy(update={"at": NOW}))

    assert (first.gateway, first.of.key, first.posted.account) == ("sandbox", key, Account(organisation))
    assert first == again
    assert (await records.posted(at(organisation, refund.key))).gateway == "sandbox"


@pytest.mark.parametrize("returning", [refund_key, excess_key, lambda of: another_refund_key(excess_key(of))])
async def test_a_refund_without_a_row_is_asked_for_and_recorded_where_its_money_is(
    database: Database, organisation: UUID, returning: Callable[[str], str]
) -> None:
    """It has none where our row did not know of the capture when the refund was posted, and its answer was lost."""
    key, records = f"{uuid4()}/1/page", PaymentRecords(database)
    charge = at(organisation, key)
    async with database.of(organisation) as connection:
        await _record(connection, charge, await _to_ask(connection, charge, key))
    await choose(database, organisation, "stripe", "acct_1")
    refund = Refund(**at(organisation, returning(key), LATER).model_dump(), of=key)

    assert (await records.posted(refund)).gateway == "sandbox"
    await records.answered(refund, Refunded(reference="re_1", amount=PRICE))
    assert (await records.posted(refund)).gateway == "sandbox"


async def test_a_saved_method_is_charged_where_it_was_saved(database: Database, organisation: UUID) -> None:
    customer, method, records = await customer_of(database, organisation), uuid4(), PaymentRecords(database)
    saved = SavedMethod("cus_1/pm_1", "card", "visa", "4242", 12, 2040)
    async with database.of(organisation) as connection:
        await payment_methods.insert(connection, method, customer, "stripe", saved, "acct_1")
    charge = Charge(**at(organisation, charge_key(uuid4(), 1, 1, 1)).model_dump(), method=method)

    to = await records.charge(charge)

    assert isinstance(to, ToCharge)
    assert (to.gateway, to.token, to.posted.account) == ("stripe", "cus_1/pm_1", Account(organisation, "acct_1"))
    known = await records.posted(at(organisation, charge.key))
    assert (known.gateway, known.posted.account.at_gateway) == ("stripe", "acct_1")


async def test_money_is_looked_for_wherever_the_organisation_took_some(database: Database, organisation: UUID) -> None:
    await choose(database, organisation, "stripe", "acct_1")
    await choose(database, organisation, "stripe", "acct_1")
    await choose(database, organisation, "stripe", "acct_2")
    await choose(database, organisation, "sandbox")

    async with database.of(organisation) as connection:
        places = await organisations.at_gateways(connection, organisation)
        assert not await organisations.choose_gateway(connection, uuid4(), "sandbox", None)

    assert [(name, account.at_gateway) for name, account in places] == [
        ("sandbox", None),
        ("stripe", "acct_1"),
        ("stripe", "acct_2"),
    ]


async def test_who_ever_took_real_money_is_no_sandbox(database: Database, organisation: UUID) -> None:
    """Moving a clock would charge the methods that were saved there, before they are due."""
    assert await Sandboxes(database).is_sandbox(organisation)
    await choose(database, organisation, "stripe")
    assert not await Sandboxes(database).is_sandbox(organisation)
    await choose(database, organisation, "sandbox")
    assert not await Sandboxes(database).is_sandbox(organisation)
    assert not await Sandboxes(database).is_sandbox(uuid4())


async def test_the_gateways_own_id_of_a_page_is_kept_until_money_brings_another(
    database: Database, organisation: UUID
) -> None:
    key, records = f"{uuid4()}/1/page", PaymentRecords(database)
    async with database.of(organisation) as connection:
        await connection.execute(
            """
            INSERT INTO payments (key, organisation_id, session_id, kind, amount_minor, currency, status, at, gateway)
            VALUES (%s, %s, %s, 'charge', 5000, 'EUR', 'pending', now(), 'sandbox')
            """,
            (key, organisation, SESSION),
        )

    await records.answered(at(organisation, key), PageOpen(url="https://pay.example/1", reference="cs_1"))
    assert (await records.posted(at(organisation, key))).posted.reference == "cs_1"
    await captured(database, organisation, key)
    assert (await records.posted(at(organisation, key))).posted.reference == "cap_1"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (page_key(SESSION, 1), "page"),
        (charge_key(SESSION, 1, 2, 3), "charge"),
        (charge_key(SESSION, 1, 2, 3) + "/page", "page"),
        (refund_key(page_key(SESSION, 1)), "refund"),
        (refund_key(page_key(SESSION, 1)) + "/2", "refund"),
        (excess_key(page_key(SESSION, 1)), "refund"),
        (excess_key(charge_key(SESSION, 1, 2, 3)), "refund"),
    ],
)
def test_a_key_says_what_it_was_made_for(key: str, kind: str) -> None:
    assert kind_of(key) == kind
