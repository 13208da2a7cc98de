"""The timeline: which step, attempt and try each moment is about, and the operators' link into the Temporal UI."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import unquote, urlsplit
from uuid import UUID

import httpx
from fastapi import FastAPI
from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from api.timeline import CHANGES, STEPS, WORDS
from checkout.commands import Change, ChangePayment
from checkout.ids import workflow_of
from tests.api.conftest import client_of
from tests.api.shop import Shop, contract, onboarding
from tests.conftest import Keys


async def timeline(caller: httpx.AsyncClient, session: str) -> dict[str, Any]:
    answer = await caller.get(f"/checkout_session/{session}/timeline")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def told(temporal: Client, shop: Shop, session: str) -> WorkflowHandle[Any, Any]:
    """The session's workflow, as the Temporal UI tells it something."""
    return temporal.get_workflow_handle(workflow_of(shop.stack.organisation, UUID(session)))


async def declined(shop: Shop) -> str:
    """A session whose payment, due today, was declined."""
    today = datetime.now(UTC).date().isoformat()
    body = onboarding(await shop.customer("pm_sandbox_card_declined"))
    body["contract"] = {**contract(start_date=today), "start_date": today}
    session = str((await shop.session(body))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda s: s["attention"] is not None)
    return session


async def test_an_operator_gets_the_address_of_the_workflow_in_the_temporal_ui(shop: Shop, temporal: Client) -> None:
    session = (await shop.session())["id"]

    link = (await timeline(shop.operator, session))["temporal_ui"]

    base, _, workflow = link.rpartition("/")
    assert base == f"{shop.stack.temporal_ui}/namespaces/{temporal.namespace}/workflows"
    assert urlsplit(link).path.count("/") == 4
    assert (await temporal.get_workflow_handle(unquote(workflow)).describe()).workflow_type == "CheckoutWorkflow"


async def test_the_opening_is_told_from_the_first_moment_on(shop: Shop) -> None:
    session = (await shop.session())["id"]

    at_once = (await timeline(shop.http, session))["data"]
    await shop.until_listed(session)

    assert [moment["type"] for moment in at_once] == ["checkout_session.opened"]
    assert (await timeline(shop.http, session))["data"] == at_once


async def test_a_merchant_gets_no_address_of_the_operators_console(shop: Shop) -> None:
    session = (await shop.session())["id"]
    await shop.confirmed(session, "no_payment")

    shown = await timeline(shop.http, session)

    assert shown["temporal_ui"] is None
    assert shown["data"] == (await timeline(shop.operator, session))["data"]


async def test_there_is_no_address_where_no_temporal_ui_is_configured(
    app: FastAPI, api: httpx.AsyncClient, keys: Keys
) -> None:
    customer = (await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"]
    session = (await api.post("/checkout_session", json=onboarding(customer))).json()["id"]
    assert (await api.post(f"/checkout_session/{session}/cancel", json={})).status_code == 200

    async with client_of(app, keys.operator) as operator:
        shown = await timeline(operator, session)

    assert shown["temporal_ui"] is None
    assert [moment["what"] for moment in shown["data"]] == ["The session was opened", "The session was cancelled"]


async def test_moments_of_a_declined_due_payment_name_its_step_its_instalment_and_its_try(shop: Shop) -> None:
    session = await declined(shop)
    await shop.operator.post(f"/checkout_session/{session}/retry", json={"reason": "the bank was called"})
    await shop.until(session, lambda s: len(s["payments"]) == 2 and s["attention"] is not None)

    moments = (await timeline(shop.http, session))["data"]

    said = [moment["what"] for moment in moments]
    assert said[said.index("The session is complete") + 1 :] == [
        "A due payment is being charged: instalment 1, try 1",
        "The payment failed: instalment 1, try 1",
        "Somebody is asked to look at it (step: charging the saved payment method)",
        "An operator had the failing step run again (step: charging the saved payment method): instalment 1, try 1",
        "The payment was asked for",
        "Nobody needs to look at it any more (step: charging the saved payment method)",
        "A due payment is being charged: instalment 1, try 2",
        "The payment failed: instalment 1, try 2",
        "Somebody is asked to look at it (step: charging the saved payment method)",
    ]
    after = moments[said.index("The session is complete") :]
    assert {(m["details"]["mode"], m["details"]["attempt"]) for m in after} == {("charge_when_due", 1)}
    asked = [m["details"] for m in moments if m["type"] == "checkout_session.attention_raised"]
    assert [details["step"] for details in asked] == ["payments.charge", "payments.charge"]
    assert moments[-2]["details"]["instalment"] == {"n": 1, "status": "failed", "attempts": 2}


async def test_a_second_confirmation_is_told_as_the_second_attempt(shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
    await shop.at_the_page(page, action="leave")
    await shop.until(session, lambda s: s["checkout_session_status"] == "open")
    await shop.confirmed(session, "no_payment")

    moments = (await timeline(shop.http, session))["data"]

    confirmed = [m for m in moments if m["type"] == "checkout_session.confirmed"]
    assert [m["what"] for m in confirmed] == [
        "The session was confirmed",
        "The session was confirmed again, attempt 2",
    ]
    assert [m["details"]["mode"] for m in confirmed] == ["charge_immediately", "no_payment"]


def test_every_step_that_can_ask_for_attention_has_words() -> None:
    parties = (CustomerActivities, ContractActivities, PaymentActivities)
    methods = [method for party in parties for _, method in inspect.getmembers(party, inspect.isfunction)]
    defined = [activity._Definition.from_callable(method) for method in methods]

    assert set(STEPS) == {each.name for each in defined if each} | {"sessions.loose_ends"}


def test_every_change_of_a_due_payment_has_words() -> None:
    assert set(CHANGES) == set(get_args(Change))


def test_the_words_for_a_lost_answer_fit_a_charge_and_a_refund() -> None:
    assert "charge" not in WORDS["payment.unknown"]
    assert "refund" not in WORDS["payment.unknown"]


async def test_a_moved_due_payment_is_told_with_its_new_day_and_who_moved_it(shop: Shop, temporal: Client) -> None:
    body = onboarding(await shop.customer("pm_sandbox_card_ok"))
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).date()
    body["contract"] |= {"payment_terms": {"type": "due_date", "date": in_a_month.isoformat()}}
    body["contract"] |= {"start_date": datetime.now(UTC).date().isoformat()}
    body["contract"]["phases"][0]["start_date"] = body["contract"]["start_date"]
    session = str((await shop.session(body))["id"])
    await shop.confirmed(session, "charge_when_due")
    later = in_a_month + timedelta(days=1)
    change = ChangePayment(actor="Grace", reason="they asked", n=1, action="move", date=later)
    await told(temporal, shop, session).execute_update("change_payment", change)

    moments = (await timeline(shop.http, session))["data"]

    (moved,) = [moment for moment in moments if moment["type"] == "payment.changed"]
    assert moved["what"] == f"A due payment was changed: instalment 1, moved to {later}"
    assert (moved["actor"], moved["details"]["reason"]) == ("Grace", "they asked")


async def test_cancel_in_temporal_is_told_as_done_by_temporal(shop: Shop, temporal: Client) -> None:
    session = str((await shop.session())["id"])
    await shop.confirmed(session, "charge_immediately")
    await told(temporal, shop, session).cancel()
    await shop.until(session, lambda s: s["checkout_session_status"] == "closed")

    last = (await timeline(shop.http, session))["data"][-1]

    assert (last["type"], last["actor"]) == ("checkout_session.closed", "temporal")
    assert last["details"]["reason"] == "The workflow was cancelled in Temporal."


async def test_what_is_kept_for_a_repeated_request_is_not_told(shop: Shop) -> None:
    session = (await shop.session())["id"]
    page = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]
    await shop.at_the_page(page, action="leave")
    await shop.until(session, lambda s: s["checkout_session_status"] == "open")

    moments = (await timeline(shop.http, session))["data"]

    assert moments[-1]["details"]["reason"] == "The payment page was left, refused or not paid in time."
    assert not [moment for moment in moments if "answer" in moment["details"]]
