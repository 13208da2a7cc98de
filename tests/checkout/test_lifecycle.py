"""The two tables: what they allow happens, their complement is refused, and nothing is stuck."""

from __future__ import annotations

import itertools

import pytest

from checkout.lifecycle import (
    FINAL,
    PAYMENT,
    SESSION,
    Event,
    IllegalTransition,
    Payment,
    PaymentEvent,
    Status,
    after,
    payment_after,
)

ALLOWED = {
    ("open", "confirm"): "processing",
    ("open", "cancel"): "cancelled",
    ("open", "expire"): "closed",
    ("processing", "complete"): "completed",
    ("processing", "reopen"): "open",
    ("processing", "close"): "closed",
}
ALLOWED_PAYMENTS = {
    ("not_started", "ask"): "pending",
    ("not_started", "nothing_to_pay"): "no_payment_required",
    ("failed", "ask"): "pending",
    ("failed", "nothing_to_pay"): "no_payment_required",
    ("failed", "capture"): "paid",
    ("failed", "last_cancelled_paid"): "paid",
    ("failed", "last_cancelled_unpaid"): "no_payment_required",
    ("pending", "capture"): "paid",
    ("pending", "last_cancelled_paid"): "paid",
    ("pending", "last_cancelled_unpaid"): "no_payment_required",
    ("pending", "refuse"): "failed",
    ("pending", "undo"): "not_started",
    ("paid", "refund"): "failed",
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status, Event)))
def test_a_session_changes_as_the_table_says_and_in_no_other_way(status: Status, event: Event) -> None:
    expected = ALLOWED.get((status, event))
    if expected is None:
        with pytest.raises(IllegalTransition) as refusal:
            after(status, event)
        assert refusal.value.allowed == tuple(e for s, e in ALLOWED if s == status)
    else:
        assert after(status, event) == expected


@pytest.mark.parametrize(("payment", "event"), list(itertools.product(Payment, PaymentEvent)))
def test_a_payment_changes_as_the_table_says_and_in_no_other_way(payment: Payment, event: PaymentEvent) -> None:
    expected = ALLOWED_PAYMENTS.get((payment, event))
    if expected is None:
        with pytest.raises(IllegalTransition):
            payment_after(payment, event)
    else:
        assert payment_after(payment, event) == expected


def test_the_tables_are_total() -> None:
    assert set(SESSION) == set(Status)
    assert set(PAYMENT) == set(Payment)


def test_final_statuses_absorb() -> None:
    assert {Status.COMPLETED, Status.CLOSED, Status.CANCELLED} == FINAL


def test_a_session_at_work_has_an_exit_for_success_refusal_and_fault() -> None:
    assert set(SESSION[Status.PROCESSING]) == {Event.COMPLETE, Event.REOPEN, Event.CLOSE}


def test_every_status_can_be_reached() -> None:
    reached = {Status.OPEN} | {status for exits in SESSION.values() for status in exits.values()}
    assert reached == set(Status)
