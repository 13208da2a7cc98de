"""Sessions that are interrupted in the middle of what they do, again and again: nothing is lost, doubled or stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy

from checkout.commands import Opening, PaymentReported
from checkout.outcomes import Reconciled
from checkout.session import SessionState
from gateways.port import Account
from gateways.sandbox import SandboxGateway
from reconciler.further_runs import FurtherRuns
from store.database import Database
from tests.api.interruptions import (
    PRICE,
    Operator,
    Sweep,
    another_card,
    completed,
    declined_when_due,
    due_today,
    kinds,
    late_page,
    page_of,
    posted,
)
from tests.api.shop import PATIENCE, Shop, guest, onboarding


async def fault(shop: Shop, session: str, call: str, kind: str) -> None:
    armed = {"call": call, "fault": kind, "times": 1, "match": {"reference": session}}
    assert (await shop.gateway.post("/faults", json=armed)).is_success


async def told(shop: Shop, session: str, kind: str) -> None:
    """Wait until the session's timeline tells of *kind*."""
    async with asyncio.timeout(PATIENCE):
        while kind not in await kinds(shop, session):
            await asyncio.sleep(0.05)


async def happened(shop: Shop, session: str, effect: str) -> None:
    """Wait until the gateway's ledger has *effect*."""
    async with asyncio.timeout(PATIENCE):
        while effect not in [row["effect"] for row in await shop.ledger(session)]:
            await asyncio.sleep(0.05)


async def captures(shop: Shop, session: str) -> int:
    return sum(row["effect"] == "captured" for row in await shop.ledger(session))


def paid(session: dict[str, Any]) -> bool:
    return bool(session["payment_status"] == "paid")


def instalments(session: dict[str, Any]) -> list[str]:
    return [part["status"] for part in session["payment_schedule"]]


async def contracts_of(database: Database, operator: Operator, session: str) -> list[str]:
    """The statuses of the session's contracts that are not void."""
    async with database.of(operator.organisation) as connection:
        cursor = await connection.execute("SELECT status FROM contracts WHERE session_id = %s", (session,))
        return [row["status"] for row in await cursor.fetchall() if row["status"] != "void"]


async def paid_when_due_at_the_second_attempt(shop: Shop) -> str:
    """A completed session whose first attempt was refused for want of a payment method."""
    customer = await shop.customer()
    session = str((await shop.session(due_today(customer)))["id"])
    assert (await shop.confirmed(session, "charge_when_due")).status_code == 422
    await another_card(shop, customer)
    assert (await shop.confirmed(session, "charge_when_due")).status_code == 200
    await shop.until(session, paid)
    return session


async def paid_at_a_page(shop: Shop) -> dict[str, Any]:
    session = (await shop.session())["id"]
    await shop.at_the_page(await page_of(shop, session))
    return await shop.until(session, completed)


async def test_a_reset_of_a_session_completed_at_its_second_attempt_keeps_its_money_once(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = await paid_when_due_at_the_second_attempt(shop)

    await operator.reset(session)
    await told(shop, session, "checkout_session.rewound")
    await sweep()
    await shop.until(session, lambda s: paid(s) and completed(s))

    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    assert await operator.violations(session) == []


async def test_a_second_event_about_the_good_page_changes_nothing_after_late_money_was_returned(
    shop: Shop, operator: Operator, gateway: SandboxGateway, temporal: Client, database: Database, sweep: Sweep
) -> None:
    session = (await paid_at_a_page(shop))["id"]
    await operator.workflow(session).result()
    await shop.at_the_page(await late_page(gateway, operator, session, attempt=2))
    await shop.until(session, lambda s: any(p["status"] == "refunded" for p in s["payments"]))
    await operator.workflow(session).result()
    before = (await shop.read(session))["version"]

    again = PaymentReported(event=f"evt_{uuid4().hex[:12]}", key=f"{session}/1/page", captured=True)
    await FurtherRuns(temporal, database, "checkout").pass_on(operator.organisation, UUID(session), again)
    await sweep()
    await operator.workflow(session).result()

    assert (await shop.read(session))["version"] == before
    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    assert await operator.violations(session, besides=f"{session}/2/page") == []


async def test_a_charge_whose_answer_was_lost_with_its_run_and_its_card_is_made_once(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    session = (await shop.session(due_today(customer)))["id"]
    await fault(shop, session, "charge", "lost_reply")
    await shop.confirmed(session, "charge_when_due")
    await told(shop, session, "payment.unknown")
    await operator.terminate(session)
    (method,) = (await shop.http.get(f"/customers/{customer}/payment_methods")).json()["data"]
    await shop.http.delete(f"/customers/{customer}/payment_methods/{method['id']}")

    await sweep()
    await shop.until(session, paid)
    await another_card(shop, customer)
    again = await shop.operator.post(f"/checkout_session/{session}/retry", json={"reason": "a new card"})

    assert again.status_code == 409
    assert await shop.moved(session) == PRICE.minor
    assert await captures(shop, session) == 1
    assert await operator.violations(session) == []


@pytest.mark.parametrize("undo", ["arrives at once", "waits behind the further run"])
async def test_what_was_being_undone_goes_on_being_undone(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database, undo: str
) -> None:
    session = (await shop.session())["id"]
    page = await page_of(shop, session)
    wrong = {"reason": "wrong", "then": "close"}
    async with database.of(operator.organisation) as connection:
        await connection.execute("SELECT 1 FROM contracts WHERE session_id = %s FOR UPDATE", (session,))
        await shop.at_the_page(page)
        await shop.until(session, paid)
        asking = asyncio.ensure_future(shop.operator.post(f"/checkout_session/{session}/compensate", json=wrong))
        await told(shop, session, "payment.refunded")
        await operator.terminate(session)
        if undo == "waits behind the further run":
            await sweep()
    await sweep()
    closed = await shop.until(session, lambda s: s["checkout_session_status"] == "closed")

    assert (await asking).status_code == 202
    assert closed["contract_id"] is None
    assert await shop.moved(session) == 0
    assert await operator.violations(session) == []


async def opening_of(temporal: Client, operator: Operator, session: str) -> Opening:
    """The input of the session's workflow, as the Temporal UI copies it."""
    async for event in operator.workflow(session).fetch_history_events():
        given = event.workflow_execution_started_event_attributes.input.payloads
        (opening,) = await temporal.data_converter.decode(list(given), [Opening])
        return Opening.model_validate(opening)
    raise AssertionError("a history begins with its input")


@pytest.mark.parametrize("same_id", [True, False])
async def test_start_workflow_like_this_one_changes_nothing_of_a_completed_session(
    shop: Shop, operator: Operator, sweep: Sweep, temporal: Client, database: Database, *, same_id: bool
) -> None:
    before = await paid_at_a_page(shop)
    session = before["id"]
    await operator.workflow(session).result()
    opening = await opening_of(temporal, operator, session)

    another = await temporal.start_workflow(
        "CheckoutWorkflow",
        opening,
        id=operator.workflow(session).id if same_id else f"by-hand-{uuid4().hex[:12]}",
        task_queue="checkout",
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    with pytest.raises(WorkflowFailureError):
        await another.result()
    await sweep()

    assert await shop.read(session) == before
    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    by_hand = [f"S7: run {another.first_execution_run_id} ended failed"] if same_id else []
    assert await operator.violations(session) == by_hand


async def test_what_asked_for_attention_asks_again_once_another_thing_is_seen_to(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway
) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await declined_when_due(shop, customer)
    key = f"{session}/9/page"
    page = await late_page(gateway, operator, session, attempt=9)
    await fault(shop, session, "webhook", "drop")
    await shop.at_the_page(page)
    await gateway.refund(f"{key}/by-hand", posted(operator, key))
    await sweep()
    await shop.until(session, lambda s: s["attention"]["reason"] == "nothing_to_refund")

    path = f"/checkout_session/{session}"
    seen = await shop.operator.post(f"{path}/acknowledge", json={"reason": "returned by hand"})
    assert seen.status_code == 200, seen.text
    assert (seen.json()["attention"]["reason"], seen.json()["attention"]["can"]) == ("payment_failed", ["retry"])
    await another_card(shop, customer)
    done = await shop.until(session, paid)

    assert done["attention"] is None
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session, besides=key) == []


def due_later(customer: str) -> dict[str, Any]:
    """A session body: 500.00 USD, due in a month."""
    body = due_today(customer)
    later = str((datetime.now(UTC) + timedelta(days=30)).date())
    body["contract"]["phases"][0]["payment_terms"] = {"type": "due_date", "date": later}
    return body


async def test_cancel_pressed_while_loose_ends_are_taken_back_cancels_what_is_still_to_come(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway, database: Database
) -> None:
    session = (await shop.session(due_later(await shop.customer("pm_sandbox_card_ok"))))["id"]
    await shop.confirmed(session, "charge_when_due")
    await fault(shop, session, "refund", "refund_fails")
    await shop.at_the_page(await late_page(gateway, operator, session, attempt=9))
    await told(shop, session, "payment.late")
    await operator.workflow(session).cancel()
    ended = await shop.until(session, lambda s: instalments(s) == ["cancelled"])
    await sweep()

    assert (await shop.read(session))["version"] == ended["version"]
    assert completed(ended)
    assert await operator.status(session) is WorkflowExecutionStatus.CANCELED
    assert await contracts_of(database, operator, session) == ["active"]
    assert await shop.moved(session) == 0
    assert await operator.violations(session, besides=f"{session}/9/page") == []


async def test_cancel_pressed_while_a_further_run_takes_back_loose_ends_closes_the_session(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway, database: Database
) -> None:
    session = (await shop.session())["id"]
    await page_of(shop, session)
    page = await late_page(gateway, operator, session, attempt=9)
    await operator.terminate(session)
    await fault(shop, session, "refund", "refund_fails")
    await shop.at_the_page(page)
    await told(shop, session, "payment.late")
    await operator.workflow(session).cancel()
    await shop.until(session, lambda s: s["checkout_session_status"] == "closed")
    await sweep()

    assert (await shop.read(session))["checkout_session_status"] == "closed"
    assert await operator.status(session) is WorkflowExecutionStatus.CANCELED
    assert await contracts_of(database, operator, session) == []
    assert await shop.moved(session) == 0
    assert await operator.violations(session, besides=f"{session}/9/page") == []


def failures(found: Reconciled) -> list[str]:
    """What a sweep could not look at, without the organisations of other tests whose gateway the stack does not have."""
    return [what for what in found.failed if not what.endswith("/stripe")]


async def test_a_workflow_of_an_id_that_is_not_ours_stops_no_sweep(
    shop: Shop, operator: Operator, sweep: Sweep, temporal: Client
) -> None:
    session = (await shop.session())["id"]
    opening = await opening_of(temporal, operator, session)
    for stray in (f"by-hand-{uuid4().hex[:12]}", f"checkout/{uuid4().hex[:8]}/by-hand", f"checkout/{session}/1/2"):
        await temporal.start_workflow("CheckoutWorkflow", opening, id=stray, task_queue="no worker's")
        assert failures(await sweep()) == []
        await temporal.get_workflow_handle(stray).terminate("by hand")
    await operator.terminate(session)

    assert failures(await sweep()) == []

    await shop.until(session, lambda s: s["version"] > 1)
    assert await operator.violations(session) == []


async def test_money_under_a_key_that_is_not_ours_stops_no_sweep_and_is_named(
    shop: Shop, operator: Operator, sweep: Sweep, gateway: SandboxGateway
) -> None:
    session = (await shop.session())["id"]
    await shop.confirmed(session, "no_payment")
    before, key = await shop.read(session), f"by-hand-{uuid4().hex[:12]}"
    await gateway.charge(key, Account(operator.organisation), uuid4(), "pm_sandbox_card_ok", PRICE, "by hand")

    for _ in range(2):
        found = await sweep()
        assert key in found.strangers
        assert failures(found) == []

    assert await shop.read(session) == before
    assert await operator.violations(session, besides=key) == []


async def as_published_until(database: Database, operator: Operator, session: str, kind: str) -> None:
    """Take back what was published of a session after its first *kind*, as if its run had ended before it could."""
    async with database.of(operator.organisation) as connection:
        given = {"session": session, "kind": kind}
        await connection.execute(
            """
            UPDATE checkout_sessions session
            SET version = sequence, state = event.state, checkout_session_status = event.state ->> 'status',
                payment_status = event.state ->> 'payment_status', contract_id = (event.state ->> 'contract')::uuid,
                customer_id = (event.state ->> 'customer')::uuid
            FROM session_events event
            WHERE session_id = %(session)s AND session.id = session_id AND type = %(kind)s
            """,
            given,
        )
        await connection.execute(
            """
            DELETE FROM session_events event USING checkout_sessions session
            WHERE session.id = %(session)s AND session_id = session.id AND sequence > version
            """,
            given,
        )


async def test_a_guest_whose_undoing_was_never_published_can_confirm_again(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    await shop.at_the_page(await page_of(shop, session), action="leave")
    await told(shop, session, "checkout_session.reopened")
    await operator.terminate(session)
    await as_published_until(database, operator, session, "payment.page_opened")
    assert (await shop.read(session))["checkout_session_status"] == "processing"

    await sweep()
    await told(shop, session, "checkout_session.reopened")
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)

    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    assert await operator.violations(session) == []


def at_rest(session: dict[str, Any]) -> bool:
    return session["checkout_session_status"] != "processing" and session["attention"] is None


async def test_a_reset_of_a_guest_who_paid_at_the_second_attempt_is_not_stuck(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database
) -> None:
    session = (await shop.session(guest(shop.stack.business_entity)))["id"]
    await shop.at_the_page(await page_of(shop, session), action="leave")
    await told(shop, session, "checkout_session.reopened")
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)

    await operator.reset(session)
    await told(shop, session, "checkout_session.rewound")
    await sweep()
    stands = await shop.until(session, lambda s: at_rest(s) and s["payments"][-1]["status"] == "refunded")

    assert stands["checkout_session_status"] == "open"
    assert await shop.moved(session) == 0
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, completed)
    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    assert await operator.violations(session) == []


async def test_a_reset_of_a_session_paid_with_another_card_since_charges_nobody_again(
    shop: Shop, operator: Operator, sweep: Sweep
) -> None:
    customer = await shop.customer("pm_sandbox_card_declined")
    session = await declined_when_due(shop, customer)
    await another_card(shop, customer)
    await shop.until(session, paid)

    await operator.reset(session)
    await told(shop, session, "checkout_session.rewound")
    await sweep()
    await shop.until(session, lambda s: paid(s) or s["attention"] is not None)
    stands = await shop.read(session)
    if not paid(stands):
        assert stands["attention"]["reason"] == "payment_failed"
        await shop.operator.post(f"/checkout_session/{session}/retry", json={"reason": "it was paid"})
    await shop.until(session, paid)

    assert await captures(shop, session) == 1
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


Interrupt = Callable[[Operator, str], Any]
INTERRUPTIONS: dict[str, Interrupt] = {"terminate": Operator.terminate, "reset": Operator.reset}


@pytest.mark.parametrize("how", INTERRUPTIONS)
@pytest.mark.parametrize("mode", ["charge_immediately", "charge_when_due"])
async def test_a_confirm_interrupted_with_its_run_answers_202_and_its_key_finds_the_outcome(
    shop: Shop, operator: Operator, sweep: Sweep, database: Database, mode: str, how: str
) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    body = onboarding(customer) if mode == "charge_immediately" else due_today(customer)
    session = (await shop.session(body))["id"]
    path, key = f"/checkout_session/{session}/confirm", {"Idempotency-Key": f"cut-{uuid4().hex[:12]}"}
    async with database.of(operator.organisation) as publishing:
        async with database.of(operator.organisation) as drafting:
            await drafting.execute("SELECT 1 FROM customers WHERE id = %s FOR UPDATE", (customer,))
            first = asyncio.ensure_future(shop.http.post(path, json={"confirmation": mode}, headers=key))
            await told(shop, session, "checkout_session.confirmed")
            await publishing.execute("SELECT 1 FROM checkout_sessions WHERE id = %s FOR UPDATE", (session,))
        async with asyncio.timeout(PATIENCE):
            while not await contracts_of(database, operator, session):
                await asyncio.sleep(0.02)
        await INTERRUPTIONS[how](operator, session)
        assert (await first).status_code == 202
    await sweep()

    async with asyncio.timeout(PATIENCE):
        while (again := await shop.http.post(path, json={"confirmation": mode}, headers=key)).status_code != 200:
            assert again.status_code in {202, 503}, again.text
            await asyncio.sleep(0.05)
    if mode == "charge_immediately":
        await shop.at_the_page(again.json()["redirect_url"])
    await shop.until(session, lambda s: completed(s) and paid(s))

    assert await captures(shop, session) == 1
    assert await shop.moved(session) == PRICE.minor
    assert await operator.violations(session) == []


async def reset_to_before_the_first_update(temporal: Client, operator: Operator, session: str) -> None:
    """Reset a further run to where it had taken over, and forget what it was asked since."""
    handle = operator.workflow(session)
    described = await handle.describe()
    events = [event async for event in handle.fetch_history_events()]
    asked = next(e.event_id for e in events if e.HasField("workflow_execution_update_accepted_event_attributes"))
    tasks = [
        e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes") and e.event_id < asked
    ]
    await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=described.run_id),
            reason="by hand",
            workflow_task_finish_event_id=tasks[-2],
            request_id=str(uuid4()),
            reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
        )
    )


async def signals(operator: Operator, session: str) -> int:
    events = [event async for event in operator.workflow(session).fetch_history_events()]
    return sum(event.HasField("workflow_execution_signaled_event_attributes") for event in events)


async def test_a_further_run_that_was_reset_is_told_once_and_then_left_alone(
    shop: Shop, operator: Operator, sweep: Sweep, temporal: Client
) -> None:
    session = (await shop.session())["id"]
    await operator.terminate(session)
    await sweep()
    await told(shop, session, "checkout_session.resumed")
    while (answer := await shop.http.post(f"/checkout_session/{session}/cancel")).status_code == 503:
        assert answer.headers["Retry-After"]
    await operator.workflow(session).result()
    await reset_to_before_the_first_update(temporal, operator, session)

    await sweep()
    await told(shop, session, "checkout_session.rewound")
    known = await operator.workflow(session).query("session", result_type=SessionState)
    stands = await shop.until(session, lambda s: s["version"] == known.version)
    assert stands["checkout_session_status"] == "open"
    before = await signals(operator, session)
    for _ in range(2):
        await sweep()

    assert await signals(operator, session) == before
    assert (await shop.read(session))["version"] == stands["version"]
    assert (await kinds(shop, session)).count("checkout_session.rewound") == 1
    assert await operator.violations(session) == []


async def test_a_confirm_after_a_reset_that_nobody_has_seen_is_not_mistaken_for_the_one_before(
    shop: Shop, operator: Operator, database: Database
) -> None:
    customer = await shop.customer("pm_sandbox_card_ok")
    session = str((await shop.session(due_today(customer)))["id"])
    await shop.until_listed(session)
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, paid)
    await operator.workflow(session).result()

    await operator.reset_to_before_the_last_update(session)
    await shop.at_the_page(await page_of(shop, session))
    await shop.until(session, lambda s: completed(s) and paid(s))

    assert await shop.moved(session) == PRICE.minor
    assert await contracts_of(database, operator, session) == ["active"]
    assert await operator.violations(session) == []


async def test_money_of_the_confirm_before_a_reset_goes_back_where_the_next_one_needs_no_payment(
    shop: Shop, operator: Operator
) -> None:
    session = (await paid_at_a_page(shop))["id"]
    await operator.workflow(session).result()

    await operator.reset_to_before_the_last_update(session)
    answer = await shop.confirmed(session, "no_payment")
    stands = await shop.until(session, lambda s: s["payment_status"] == "no_payment_required")

    assert answer.json()["checkout_session_status"] == "completed"
    assert stands["payments"][-1]["status"] == "refunded"
    assert await shop.moved(session) == 0
    assert await operator.violations(session) == []


async def test_a_late_call_of_a_run_that_is_over_hides_nothing_of_the_one_that_goes_on(
    shop: Shop, operator: Operator, database: Database
) -> None:
    session = (await shop.session())["id"]
    await shop.until_listed(session)
    async with database.of(operator.organisation) as connection:
        await connection.execute("UPDATE checkout_sessions SET run_id = 'a run that is over' WHERE id = %s", (session,))

    answer = await shop.confirmed(session, "charge_immediately")

    assert (await shop.read(session))["version"] == answer.json()["version"]
    await shop.at_the_page(answer.json()["redirect_url"])
    await shop.until(session, lambda s: completed(s) and paid(s))
    assert await operator.violations(session) == []


async def tried(operator: Operator, session: str, *activities: str, times: int) -> None:
    """Wait until the run that goes on tries one of *activities* for so many *times*."""
    async with asyncio.timeout(PATIENCE):
        while True:
            pending = (await operator.workflow(session).describe()).raw_description.pending_activities
            if any(each.activity_type.name in activities and each.attempt >= times for each in pending):
                return
            await asyncio.sleep(0.1)


async def test_a_reset_in_the_middle_of_an_undo_leaves_nobody_with_a_contract_that_was_paid_back(
    shop: Shop, operator: Operator, database: Database
) -> None:
    session = (await shop.session())["id"]
    page = await page_of(shop, session)
    async with database.of(operator.organisation) as connection:
        await connection.execute("SELECT 1 FROM contracts WHERE session_id = %s FOR UPDATE", (session,))
        await shop.at_the_page(page)
        await shop.until(session, paid)
        path, reason = f"/checkout_session/{session}/compensate", {"reason": "a mistake"}
        undoing = asyncio.ensure_future(shop.operator.post(path, json=reason))
        await happened(shop, session, "refunded")
        await tried(operator, session, "contracts.void", times=1)
        await operator.reset_to_before_the_last_update(session, task=2)
        await tried(operator, session, "contracts.activate", "contracts.void", times=2)
    stands = await shop.until(session, lambda s: s["checkout_session_status"] != "processing")
    await undoing

    assert (stands["checkout_session_status"], stands["contract_id"]) == ("open", None)
    assert await shop.moved(session) == 0
    assert await contracts_of(database, operator, session) == []
    assert await operator.violations(session) == []
