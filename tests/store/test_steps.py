"""The rows of the saga's steps, on PostgreSQL: each can be repeated, each can be undone, also when it never happened."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from checkout.commands import (
    ArchiveCustomer,
    AtKey,
    ChooseMethod,
    ContractStep,
    CreateCustomer,
    FindLooseEnds,
    Opening,
    Publish,
    Refund,
)
from checkout.ids import charge_key, contract_of, guest_of, page_key, refund_key
from checkout.money import Money
from checkout.outcomes import Captured, CustomerReady, Done, LooseEnds, MethodChosen, Refunded, Refused
from checkout.session import Offer, PaymentMethodType, SessionEvent, SessionState
from store import customers, documents, payment_methods, session_events, sessions
from store.contract_steps import ContractSteps
from store.customer_steps import CustomerSteps
from store.database import Database
from store.loose_ends import SessionRows
from store.payment_records import PaymentRecords
from store.session_view import SessionView

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PRICE = Money(minor=50000, currency="USD")
CONTENT = {"contract": {"currency": "USD", "name": None, "start_date": "2027-01-01", "end_date": None}, "estimates": {}}


@pytest.fixture
def steps(database: Database) -> CustomerSteps:
    return CustomerSteps(database)


@pytest.fixture
def contracts(database: Database) -> ContractSteps:
    return ContractSteps(database)


async def guest(database: Database, organisation: UUID, email: str) -> CreateCustomer:
    """A guest session's command, its details kept."""
    session, details = uuid4(), uuid4()
    async with database.of(organisation) as connection:
        said = {"customer": {"customer_name": "Ada Byron", "email": email}}
        await documents.keep_details(connection, organisation, session, details, said)
    return CreateCustomer(
        organisation=organisation, session=session, at=NOW, attempt=1, details=details, business_entity=None
    )


async def created(steps: CustomerSteps, cmd: CreateCustomer) -> CustomerReady:
    ready = await steps.create(cmd)
    assert isinstance(ready, CustomerReady)
    return ready


def undo(cmd: CreateCustomer) -> ArchiveCustomer:
    return ArchiveCustomer(organisation=cmd.organisation, session=cmd.session, at=NOW, attempt=cmd.attempt)


def next_attempt(cmd: CreateCustomer) -> CreateCustomer:
    return cmd.model_copy(update={"attempt": cmd.attempt + 1})


async def status_of(database: Database, organisation: UUID, customer: UUID) -> str:
    async with database.of(organisation) as connection:
        row = await customers.get(connection, customer)
    assert row
    return str(row["status"])


async def customer_of(database: Database, organisation: UUID, **more: Any) -> UUID:
    customer = uuid4()
    details: dict[str, Any] = {
        "customer_name": "Acme GmbH", "email": None, "external_id": None, "phone_number": None, "address": None,
        "tax_info": [], "custom_data": None, "business_entity_id": None,
    }  # fmt: skip
    async with database.of(organisation) as connection:
        await customers.insert(connection, customer, {**details, **more})
    return customer


async def draft(database: Database, organisation: UUID, **more: Any) -> ContractStep:
    """A contract step of a session, its content kept."""
    session = uuid4()
    async with database.of(organisation) as connection:
        await documents.keep_content(connection, organisation, "an estimate", CONTENT)
    customer = more.pop("customer", None) or await customer_of(database, organisation)
    return ContractStep(
        organisation=organisation,
        session=session,
        at=NOW,
        contract=contract_of(session, 1),
        attempt=1,
        customer=customer,
        estimation_id="an estimate",
        plan=more.get("plan"),
    )


async def test_creating_a_guest_twice_makes_one_customer(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    cmd = await guest(database, organisation, "ada@example.com")

    first, again = await created(steps, cmd), await created(steps, cmd)

    assert first == again
    assert (first.customer, first.created) == (guest_of(cmd.session), True)


async def test_guests_of_one_email_at_once_become_one_customer(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    cmds = [await guest(database, organisation, f"{'ADA' if n % 2 else 'ada'}@example.com") for n in range(6)]

    async def persistently(cmd: CreateCustomer) -> UUID:
        """As the server does: a step that collided is run again."""
        while True:
            try:
                return (await created(steps, cmd)).customer
            except Exception as error:
                if "one_active_customer_per_email" not in str(error) and "archived just now" not in str(error):
                    raise

    assert len({*await asyncio.gather(*(persistently(cmd) for cmd in cmds))}) == 1


async def test_undo_archives_what_the_session_made_and_a_second_attempt_brings_it_back(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    cmd = await guest(database, organisation, "ada@example.com")
    made = await created(steps, cmd)

    await steps.archive(undo(cmd))
    assert await status_of(database, organisation, made.customer) == "archived"
    assert await created(steps, next_attempt(cmd)) == made
    assert await status_of(database, organisation, made.customer) == "active"


async def test_a_creation_that_arrives_behind_its_undo_is_refused(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    never, late = [await guest(database, organisation, f"{name}@example.com") for name in ("ada", "grace")]
    made = await created(steps, late)
    await steps.archive(undo(never))
    await steps.archive(undo(late))

    for cmd in (never, late):
        assert isinstance(await steps.create(cmd), Refused)

    assert await status_of(database, organisation, made.customer) == "archived"


async def test_an_undo_that_arrives_after_the_next_attempt_leaves_it_alone(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    cmd = await guest(database, organisation, "ada@example.com")
    await created(steps, cmd)
    await steps.archive(undo(cmd))
    made = await created(steps, next_attempt(cmd))

    await steps.archive(undo(cmd))

    assert await status_of(database, organisation, made.customer) == "active"


async def test_undo_of_a_step_that_never_happened_is_no_error(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    await steps.archive(undo(await guest(database, organisation, "ada@example.com")))


async def test_undo_never_touches_a_customer_that_was_there_before(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    known = await customer_of(database, organisation, email="ada@example.com")
    cmd = await guest(database, organisation, "Ada@example.com")

    linked = await created(steps, cmd)
    await steps.archive(undo(cmd))

    assert (linked.customer, linked.created) == (known, False)
    assert await status_of(database, organisation, known) == "active"


async def test_undo_leaves_a_customer_that_another_session_uses_too(
    steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    first, second = [await guest(database, organisation, "ada@example.com") for _ in range(2)]
    made = await created(steps, first)
    assert (await created(steps, second)).customer == made.customer

    await steps.archive(undo(first))

    assert await status_of(database, organisation, made.customer) == "active"


async def test_drafting_twice_makes_one_contract(
    contracts: ContractSteps, database: Database, organisation: UUID
) -> None:
    step = await draft(database, organisation)

    assert (await contracts.draft(step), await contracts.draft(step)) == (Done(), Done())
    assert (await contracts.activate(step), await contracts.activate(step)) == (Done(), Done())


async def test_void_never_comes_back(contracts: ContractSteps, database: Database, organisation: UUID) -> None:
    step = await draft(database, organisation)
    await contracts.draft(step)
    await contracts.void(step)

    assert isinstance(await contracts.activate(step), Refused)
    assert isinstance(await contracts.draft(step), Refused)


@pytest.mark.parametrize("traces", ["a refund", "an undone customer"])
async def test_a_contract_whose_attempt_is_being_undone_does_not_come_into_force(
    contracts: ContractSteps, steps: CustomerSteps, database: Database, organisation: UUID, traces: str
) -> None:
    cmd = await draft(database, organisation)
    assert await contracts.draft(cmd) == Done()
    records, effect = PaymentRecords(database), {"organisation": organisation, "session": cmd.session, "at": NOW}
    at = AtKey(**effect, key=page_key(cmd.session, 1), amount=PRICE)
    await records.answered(at, Captured(reference="cap_1", amount=PRICE))
    if traces == "a refund":
        await records.refund(Refund(**effect, key=refund_key(at.key), of=at.key, amount=PRICE))
    else:
        await steps.archive(ArchiveCustomer(**effect, attempt=1))

    assert isinstance(await contracts.activate(cmd.model_copy(update={"paid": at.key})), Refused)
    second = cmd.model_copy(update={"attempt": 2, "contract": contract_of(cmd.session, 2)})
    assert [await contracts.draft(second), await contracts.activate(second)] == [Done(), Done()]


async def test_money_returned_beside_what_was_paid_keeps_no_contract_from_coming_into_force(
    contracts: ContractSteps, database: Database, organisation: UUID
) -> None:
    cmd = await draft(database, organisation)
    await contracts.draft(cmd)
    effect = {"organisation": organisation, "session": cmd.session, "at": NOW}
    beside = AtKey(**effect, key=charge_key(cmd.session, 1, 1, 2), amount=PRICE)
    records = PaymentRecords(database)
    await records.answered(beside, Captured(reference="cap_1", amount=PRICE))
    await records.refund(Refund(**effect, key=refund_key(beside.key), of=beside.key, amount=PRICE))

    paid_at_the_page = cmd.model_copy(update={"paid": page_key(cmd.session, 1)})

    assert [await contracts.activate(each) for each in (cmd, paid_at_the_page)] == [Done(), Done()]


async def test_a_draft_that_arrives_after_its_undo_finds_the_contract_void(
    contracts: ContractSteps, database: Database, organisation: UUID
) -> None:
    step = await draft(database, organisation)
    await contracts.void(step)

    assert isinstance(await contracts.draft(step), Refused)


async def test_an_archived_customer_gets_no_contract(
    contracts: ContractSteps, steps: CustomerSteps, database: Database, organisation: UUID
) -> None:
    cmd = await guest(database, organisation, "ada@example.com")
    made = await created(steps, cmd)
    await steps.archive(undo(cmd))

    refused = await contracts.draft(await draft(database, organisation, customer=made.customer))

    assert isinstance(refused, Refused)
    assert refused.problem == "customer-required"


def changed(state: SessionState, version: int) -> SessionEvent:
    state = state.model_copy(update={"version": version})
    return SessionEvent(sequence=version, type="x.y", actor="test", at=NOW, data={}, state=state)


async def opened(database: Database, organisation: UUID) -> Opening:
    """A session that is about to be published, with its documents."""
    details = uuid4()
    offer = Offer(estimation_id="an estimate", details=details, amount_due=PRICE, schedule=(), expires_at=NOW)
    opening = Opening(
        organisation=organisation,
        session=uuid4(),
        fingerprint="",
        opened_at=NOW,
        offer=offer,
        guest_checkout=False,
        customer=None,
        business_entity=None,
    )
    async with database.of(organisation) as connection:
        await documents.keep_content(connection, organisation, "an estimate", CONTENT)
        await documents.keep_details(connection, organisation, opening.session, details, {})
    return opening


async def test_a_run_that_was_reset_is_numbered_behind_what_the_run_before_it_told(
    database: Database, organisation: UUID
) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    await view.publish(Publish(events=tuple(changed(opening.state(), version) for version in (1, 2, 3))), "a run")
    events = tuple(changed(opening.state(), version) for version in (2, 3))
    again = Publish(events=events, claimed="a run")

    written = await view.publish(again, "the run after a reset")
    repeated = await view.publish(again, "the run after a reset")

    assert written.version == repeated.version == 5
    async with database.of(organisation) as connection:
        row = await sessions.find(connection, opening.session)
        told = await session_events.of_session(connection, opening.session)
    assert row
    assert (row["version"], row["state"]["version"], row["run_id"]) == (5, 5, "the run after a reset")
    assert [event["sequence"] for event in told] == [event["state"]["version"] for event in told] == [1, 2, 3, 4, 5]


async def test_a_draft_repeated_after_its_plan_was_archived_finds_the_first(
    database: Database, organisation: UUID, contracts: ContractSteps
) -> None:
    first = await draft(database, organisation)
    assert await contracts.draft(first) == Done()

    assert await contracts.draft(first.model_copy(update={"plan": uuid4()})) == Done()
    another = await contracts.draft(first.model_copy(update={"estimation_id": "another estimate"}))
    assert isinstance(another, Refused)
    assert another.problem == "contract-creation-failed"


async def test_loose_ends_are_what_is_of_no_attempt_that_stands(
    database: Database, organisation: UUID, contracts: ContractSteps
) -> None:
    rows, records = SessionRows(database), PaymentRecords(database)
    step = await draft(database, organisation)
    await contracts.draft(step)
    effect = {"organisation": organisation, "session": step.session, "at": NOW}
    at = AtKey(**effect, key=page_key(step.session, 1), amount=PRICE)
    await records.answered(at, Captured(reference="cap_1", amount=PRICE))

    none_stands = await rows.loose_ends(FindLooseEnds(**effect, kept=None))
    the_first_stands = await rows.loose_ends(FindLooseEnds(**effect, kept=1))
    await records.answered(at.model_copy(update={"key": refund_key(at.key)}), Refunded(reference="re_1", amount=PRICE))
    after_the_refund = await rows.loose_ends(FindLooseEnds(**effect, kept=None, reported=(at.key,)))

    assert [charge.key for charge in none_stands.charges] == [at.key]
    assert [contract.contract for contract in none_stands.contracts] == [step.contract]
    assert the_first_stands == LooseEnds(charges=none_stands.charges)
    assert not after_the_refund.charges


async def test_the_view_never_goes_backwards(database: Database, organisation: UUID) -> None:
    view, opening = SessionView(database), await opened(database, organisation)
    first, second, third = (changed(opening.state(), version) for version in (1, 2, 3))

    await view.publish(Publish(events=(first, second, third)), "a run")
    await view.publish(Publish(events=(second,)), "a run")
    await view.publish(Publish(events=(first, second, third)), "a run")

    async with database.of(organisation) as connection:
        row = await sessions.find(connection, opening.session)
        cursor = await connection.execute("SELECT count(*) AS n FROM session_events")
        count = await cursor.fetchone()
    assert row
    assert row["version"] == 3
    assert count == {"n": 3}


METHODS: list[dict[str, Any]] = [
    {"type": "card", "expiry": (12, 2026), "is_default": True},
    {"type": "card", "expiry": (1, 2027), "is_default": False},
    {"type": "wallet", "expiry": (None, None), "is_default": False},
]


async def saved(database: Database, organisation: UUID, customer: UUID) -> list[UUID]:
    ids = [uuid4() for _ in METHODS]
    async with database.of(organisation) as connection:
        for method, row in zip(METHODS, ids, strict=True):
            month, year = method["expiry"]
            await connection.execute(
                """
                INSERT INTO payment_methods (id, organisation_id, customer_id, gateway, token, type, expiry_month,
                                             expiry_year, is_default)
                VALUES (%s, %s, %s, 'sandbox', 'pm_sandbox_card_ok', %s, %s, %s, %s)
                """,
                (row, organisation, customer, method["type"], month, year, method["is_default"]),
            )
    return ids


@pytest.mark.parametrize(
    ("asked", "preferred", "at", "chosen"),
    [
        (None, None, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), 0),
        (None, None, datetime(2027, 1, 1, tzinfo=UTC), {1, 2}),
        (0, None, datetime(2027, 1, 1, tzinfo=UTC), "payment-method-unusable"),
        (2, None, NOW, 2),
        (None, "wallet", NOW, 2),
        (None, "invoice", NOW, "payment-method-required"),
    ],
)
async def test_the_method_asked_for_or_the_default_or_the_preferred_is_chosen_while_it_is_good(
    database: Database, organisation: UUID, asked: int | None, preferred: str | None, at: datetime, chosen: Any
) -> None:
    customer = await customer_of(database, organisation)
    ids = await saved(database, organisation, customer)

    answer = await PaymentRecords(database).choose_method(
        ChooseMethod(
            organisation=organisation,
            session=uuid4(),
            at=at,
            customer=customer,
            method=None if asked is None else ids[asked],
            preferred=PaymentMethodType(preferred) if preferred else None,
        )
    )

    if isinstance(chosen, str):
        assert isinstance(answer, Refused)
        assert answer.problem == chosen
    else:
        assert isinstance(answer, MethodChosen)
        assert ids.index(answer.method) in (chosen if isinstance(chosen, set) else {chosen})


async def test_a_removed_method_is_not_charged(database: Database, organisation: UUID) -> None:
    customer = await customer_of(database, organisation)
    ids = await saved(database, organisation, customer)
    async with database.of(organisation) as connection:
        await payment_methods.remove(connection, customer, ids[2])
    ask = ChooseMethod(
        organisation=organisation, session=uuid4(), at=NOW, customer=customer, method=ids[2], preferred=None
    )

    assert isinstance(await PaymentRecords(database).choose_method(ask), Refused)
