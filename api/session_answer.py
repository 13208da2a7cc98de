"""The session as the API shows it: the workflow's state, and the documents that it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from api.fields import Instant, Resource, Shown
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Instalment, InstalmentStatus, Mode, SessionState


class ShownStep(Shown):
    name: str
    status: str
    at: Instant


class ShownConfirmation(Shown):
    mode: Mode
    attempt: int
    confirmed_at: Instant
    redirect_url: str | None
    steps: list[ShownStep]


class ShownPayment(Shown):
    """A charge or refund; *amount* in major units of *currency*, *reference* the gateway's."""

    key: str
    kind: str
    amount: str
    currency: str
    status: str
    reference: str | None
    at: Instant


class ShownInstalment(Shown):
    """A due payment. *due_on* is a day of the organisation, *due_at* the instant that day begins; *late* says that
    charging began late. After a decline, *decline_code* says why and *next_attempt_at* when it is charged again. Where
    the customer has to act, they do so at *action_url*, until *action_until*.
    """

    n: int
    due_on: date
    due_at: Instant
    amount: str
    currency: str
    status: InstalmentStatus
    attempts: int
    late: bool
    next_attempt_at: Instant | None
    payment_method_id: UUID | None
    decline_code: str | None
    action_url: str | None
    action_until: Instant | None


class ShownAttention(Shown):
    reason: str
    step: str
    since: Instant
    detail: str
    can: list[str]


class ShownTestClock(Shown):
    """*now* is the session's own instant: when it was read, or when the request was answered."""

    now: Instant


class Session(Resource):
    """A checkout session. Every member is always there, null when unset; times are UTC."""

    checkout_session_status: Status
    payment_status: Payment
    contract: dict[str, Any]
    contract_id: UUID | None
    guest_checkout: bool
    customer_id: UUID | None
    customer: dict[str, Any] | None
    business_entity_id: UUID | None
    currency: str
    estimates: dict[str, Any]
    confirmation: ShownConfirmation | None
    redirect_url: str | None
    payments: list[ShownPayment]
    payment_schedule: list[ShownInstalment]
    attention: ShownAttention | None
    cancellation_details: dict[str, Any] | None
    success_url: str | None
    cancel_url: str | None
    pending_url: str | None
    attribution: dict[str, Any] | None
    custom_data: dict[str, Any] | None
    idempotency_key: str | None
    correlation_id: str | None
    created_at: Instant
    updated_at: Instant
    last_activity_at: Instant
    confirmed_at: Instant | None
    paid_at: Instant | None
    completed_at: Instant | None
    cancelled_at: Instant | None
    expires_at: Instant
    test_clock: ShownTestClock | None
    version: int


class Summary(Shown):
    """What a session would cost: nothing is written."""

    contract: dict[str, Any]
    currency: str
    estimates: dict[str, Any]


def shown(state: SessionState, documents: Mapping[str, Any], read_at: datetime | None = None) -> Session:
    """*state* with its documents (`content`, `details`, `cancellation`): the same bytes each time, but for a moved
    clock of a session that is read at *read_at*.
    """
    details, content = documents["details"], documents["content"]
    confirmation = state.confirmation
    return Session.model_validate(
        {
            **{name: details.get(name) for name in FROM_DETAILS},
            **state.model_dump(include=FROM_STATE),
            "checkout_session_status": state.status,
            "contract": content["contract"],
            "contract_id": state.contract,
            "customer_id": state.customer,
            "business_entity_id": state.business_entity,
            "currency": state.offer.amount_due.currency,
            "estimates": billed_to(content["estimates"], details.get("customer")),
            "confirmation": confirmation.model_dump() if confirmation else None,
            "redirect_url": confirmation.redirect_url if confirmation else None,
            "payments": [{**p.model_dump(), **amount(p.amount)} for p in state.payments],
            "payment_schedule": [instalment(i) for i in state.schedule],
            "attention": state.attention.model_dump() if state.attention else None,
            "cancellation_details": documents["cancellation"],
            "expires_at": state.offer.expires_at,
            "test_clock": _test_clock(state, read_at),
        }
    )


def _test_clock(state: SessionState, read_at: datetime | None) -> dict[str, Any] | None:
    """The session's own now; in an answer, which is the same when it is repeated, that of the last change."""
    if state.clock_ahead is None:
        return None
    return {"now": state.now(read_at) if read_at else state.updated_at}


FROM_DETAILS = (
    "customer",
    "success_url",
    "cancel_url",
    "pending_url",
    "attribution",
    "custom_data",
    "idempotency_key",
    "correlation_id",
)
FROM_STATE = {
    "id",
    "version",
    "payment_status",
    "guest_checkout",
    "created_at",
    "updated_at",
    "last_activity_at",
    "confirmed_at",
    "paid_at",
    "completed_at",
    "cancelled_at",
}


def instalment(due: Instalment) -> dict[str, Any]:
    """The members of ShownInstalment."""
    again = due.next_at if due.status == "declined" else None
    shown = {"next_attempt_at": again, "payment_method_id": due.method, "decline_code": due.code}
    return {**due.model_dump(), **amount(due.amount), **shown}


def amount(money: Money) -> dict[str, str]:
    """An amount as the API writes it: a decimal string in major units, beside its currency."""
    return {"amount": money.amount, "currency": money.currency}


def billed_to(estimates: dict[str, Any], customer: Mapping[str, Any] | None) -> dict[str, Any]:
    """The estimates with their invoices made out to *customer*."""
    name = {"customer_name": customer["customer_name"]} if customer else None
    return {
        **estimates,
        "current_invoice": {**estimates["current_invoice"], "customer": name},
        "future_invoices": [{**invoice, "customer": name} for invoice in estimates["future_invoices"]],
    }
