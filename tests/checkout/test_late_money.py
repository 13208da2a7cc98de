"""Which money is no part of a session: of another attempt, or beside what was captured, or is awaited, in this one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from checkout.ids import charge_of
from checkout.lifecycle import Status
from checkout.money import Money
from checkout.session import Confirmation, Instalment, Mode, Offer, PaymentRecord, SessionState

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PRICE = Money(minor=1000, currency="EUR")
SESSION = UUID(int=5)


def session(status: Status, *schedule: Instalment, captured: str | None = None) -> SessionState:
    """A session whose second attempt stands, with what was *captured* under a key of it."""
    paid = PaymentRecord(key=f"{SESSION}/{captured}", kind="charge", amount=PRICE, status="captured", at=NOW)
    return SessionState(
        id=SESSION,
        organisation=UUID(int=1),
        status=status,
        guest_checkout=False,
        customer=UUID(int=2),
        business_entity=None,
        offer=Offer(estimation_id="e", details=UUID(int=3), amount_due=PRICE, schedule=(), expires_at=NOW),
        attempts=2,
        confirmation=Confirmation(mode=Mode.CHARGE_WHEN_DUE, attempt=2, confirmed_at=NOW),
        payments=(paid,) if captured else (),
        schedule=schedule,
        created_at=NOW,
        updated_at=NOW,
        last_activity_at=NOW,
    )


def with_late(key: str, *, returned: bool = False) -> SessionState:
    """A session that was paid, and whose second attempt got money under another *key* of it, too."""
    paid = session(Status.COMPLETED, part("paid", 1), captured="2/charge/1/1")
    late = PaymentRecord(key=f"{SESSION}/{key}", kind="charge", amount=PRICE, status="captured", at=NOW, late=True)
    back = PaymentRecord(key=f"{SESSION}/{key}/refund/2", kind="refund", amount=PRICE, status="refunded", at=NOW)
    return paid.model_copy(update={"payments": (*paid.payments, late, *((back,) if returned else ()))})


def part(status: str, attempts: int, **more: Any) -> Instalment:
    given = {"n": 1, "due_on": NOW.date(), "due_at": NOW, "amount": PRICE, "status": status, "attempts": attempts}
    return Instalment.model_validate(given | more)


COMPLETED = Status.COMPLETED
PAGE = {"action_url": "https://pay.example"}


@pytest.mark.parametrize(
    ("stands", "key", "late"),
    [
        (session(COMPLETED, part("paid", 1), captured="2/charge/1/1"), "2/charge/1/1", False),
        (session(COMPLETED, part("paid", 1), captured="2/charge/1/1"), "2/charge/1/2", True),
        (session(COMPLETED, part("paid", 1), captured="2/charge/1/1"), "1/charge/1/1", True),
        (session(COMPLETED, part("paid", 2), captured="2/charge/1/2"), "2/charge/1/1", True),
        (session(COMPLETED, part("charging", 2)), "2/charge/1/2", False),
        (session(COMPLETED, part("charging", 2)), "2/charge/1/1", True),
        (session(COMPLETED, part("charging", 2)), "2/charge/1/2/page", True),
        (session(COMPLETED, part("charging", 2, **PAGE)), "2/charge/1/2/page", False),
        (session(COMPLETED, part("needs_customer", 2)), "2/charge/1/2/page", False),
        (session(COMPLETED, part("needs_customer", 2)), "2/charge/1/2", True),
        (session(COMPLETED, part("declined", 2)), "2/charge/1/2", True),
        (session(COMPLETED, part("scheduled", 0)), "2/charge/1/1", False),
        (session(COMPLETED, part("cancelled", 0)), "2/charge/1/1", True),
        (session(COMPLETED, part("scheduled", 0)), "2/charge/7/1", True),
        (session(COMPLETED, captured="2/page"), "2/page", False),
        (session(COMPLETED, captured="2/page"), "2/charge/1/1", True),
        (with_late("2/charge/1/2"), "2/charge/1/2", True),
        (with_late("2/charge/1/2"), "2/charge/1/1", False),
        (with_late("2/charge/1/2", returned=True), "2/charge/1/2", False),
        (session(Status.PROCESSING), "2/page", False),
        (session(Status.PROCESSING), "1/page", True),
        (session(Status.CLOSED), "2/page", True),
        (session(COMPLETED), "2/page/refund", False),
    ],
)
def test_money_is_late_where_the_session_neither_has_nor_awaits_it(
    stands: SessionState, key: str, *, late: bool
) -> None:
    assert stands.is_late(f"{SESSION}/{key}") is late


def test_another_sessions_key_is_about_nothing_here() -> None:
    assert charge_of(SESSION, f"{UUID(int=6)}/1/charge/1/1") is None
    assert charge_of(SESSION, f"{SESSION}/1/charge/3/2/page") == (3, 2, True)


@pytest.mark.parametrize("late", [True, False])
def test_of_what_came_late_all_goes_back_and_not_only_what_was_too_much(*, late: bool) -> None:
    twice = Money(minor=2 * PRICE.minor, currency=PRICE.currency)
    paid = with_late("2/charge/1/2")
    *own, extra = paid.payments
    state = paid.model_copy(update={"payments": (*own, extra.model_copy(update={"amount": twice, "late": late}))})

    assert state.excess == (None if late else (extra.key, PRICE))
