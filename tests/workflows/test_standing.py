"""What operators read on a session's page in the Temporal UI."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from checkout.commands import Compensate, Retry
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Attention, Confirmation, Instalment, Mode, Offer, PaymentRecord, SessionState
from workflows.standing import BUTTONS, MEANINGS, PLAIN, current_details, static_details

HANDBOOK = Path(__file__).parents[2] / "docs" / "operations.md"
NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
SESSION = UUID("0d5c6a3e-3c4f-4a52-9f3b-6f1c2e7d4b10")
ORGANISATION = UUID("5a1f2b3c-0d0f-4c52-8a53-7f1c2e7d4b11")


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def state(**changed: Any) -> SessionState:
    offer = Offer(estimation_id="e", details=SESSION, amount_due=usd(50000), schedule=(), expires_at=NOW.replace(day=2))
    opened = SessionState(
        id=SESSION,
        organisation=ORGANISATION,
        guest_checkout=False,
        customer=SESSION,
        business_entity=None,
        offer=offer,
        created_at=NOW,
        updated_at=NOW,
        last_activity_at=NOW,
    )
    return opened.model_copy(update=changed)


def confirmed(mode: Mode, **changed: Any) -> SessionState:
    confirmation = Confirmation(mode=mode, attempt=1, confirmed_at=NOW)
    return state(
        **{"status": Status.PROCESSING, "payment_status": Payment.PENDING, "confirmation": confirmation} | changed
    )


def moved(kind: str, status: str, amount: Money) -> PaymentRecord:
    return PaymentRecord.model_validate(
        {"key": f"k/{kind}", "kind": kind, "amount": amount, "status": status, "at": NOW}
    )


def asked(reason: str, *can: str, detail: str = "said so") -> Attention:
    return Attention.model_validate(
        {"reason": reason, "step": "payments.charge", "since": NOW, "detail": detail, "can": can}
    )


def money_of(session: SessionState) -> str:
    return next(line for line in current_details(session).splitlines() if line.startswith("**Money:**"))


def pasted(text: str) -> dict[str, dict[str, str]]:
    """The input that the text gives for each update."""
    return {name: json.loads(found) for name, found in re.findall(r"update `(\w+)` with `(\{.*?\})`", text)}


@pytest.mark.parametrize("status", Status)
def test_it_says_where_the_session_stands(status: Status) -> None:
    assert PLAIN[status] in current_details(state(status=status))


def test_an_open_session_owes_nothing_yet() -> None:
    assert money_of(state()) == (
        "**Money:** amount due 500.00 USD, captured 0.00 USD, refunded 0.00 USD, still to come 0.00 USD."
    )


def test_a_page_that_waits_for_its_customer_has_all_of_it_still_to_come() -> None:
    assert "still to come 500.00 USD" in money_of(confirmed(Mode.CHARGE_IMMEDIATELY))


def test_what_was_captured_and_returned_is_told() -> None:
    payments = (moved("charge", "captured", usd(50100)), moved("refund", "refunded", usd(50100)))

    money = money_of(state(payments=payments, payment_status=Payment.FAILED))

    assert "captured 501.00 USD, refunded 501.00 USD, still to come 0.00 USD" in money


def test_a_declined_or_unknown_payment_was_not_captured() -> None:
    payments = (moved("charge", "declined", usd(50000)), moved("charge", "unknown", usd(50000)))

    assert "captured 0.00 USD" in money_of(confirmed(Mode.CHARGE_WHEN_DUE, payments=payments))


def test_instalments_that_are_not_paid_are_still_to_come() -> None:
    schedule = tuple(
        Instalment.model_validate(
            {"n": n, "due_on": NOW.date(), "due_at": NOW, "amount": usd(100 * n), "status": status}
        )
        for n, status in enumerate(("paid", "cancelled", "failed", "charging", "scheduled"), 1)
    )

    session = confirmed(Mode.CHARGE_WHEN_DUE, status=Status.COMPLETED, schedule=schedule)

    assert "still to come 12.00 USD" in money_of(session)
    assert "- instalment 3, 3.00 USD, due 2027-01-01 12:00 UTC: failed" in current_details(session)


def test_currencies_are_never_added_up() -> None:
    payments = (moved("charge", "captured", usd(100)), moved("charge", "captured", Money(minor=5, currency="JPY")))

    assert "captured 1.00 USD and 5 JPY" in money_of(state(payments=payments))


def test_a_session_in_order_says_that_nothing_needs_to_be_done() -> None:
    assert "Nothing needs to be done." in current_details(state())
    assert set(pasted(current_details(state()))) == set()
    assert set(pasted(current_details(confirmed(Mode.NO_PAYMENT)))) == {"compensate"}


@pytest.mark.parametrize("reason", MEANINGS)
@pytest.mark.parametrize("can", [(), ("retry",), ("compensate",), ("retry", "compensate")])
def test_attention_says_what_it_means_and_offers_what_may_be_pressed_and_no_more(
    reason: str, can: tuple[str, ...]
) -> None:
    text = current_details(confirmed(Mode.CHARGE_IMMEDIATELY, asks=(asked(reason, *can),)))

    assert MEANINGS[reason] in text
    assert f"section `{reason}`" in text
    assert set(pasted(text)) == set(can)
    assert ("nothing to press" in text) == (not can)


def test_what_is_to_be_pasted_is_taken_as_it_stands() -> None:
    text = current_details(confirmed(Mode.CHARGE_IMMEDIATELY, asks=(asked("step_failing", *BUTTONS),)))
    given = pasted(text)

    assert Retry.model_validate(given["retry"]).actor == "your name"
    assert Compensate.model_validate(given["compensate"]).then == "reopen"
    assert Compensate.model_validate(given["compensate"] | {"then": "close"}).reason


def test_an_attention_of_another_version_is_shown_too() -> None:
    assert "section `something_new`" in current_details(state(asks=(asked("something_new", "retry"),)))


def test_what_a_gateway_said_stays_one_piece_of_code() -> None:
    assert "said: `charge: 'x' 422`" in current_details(state(asks=(asked("rejected", detail="charge: `x` 422"),)))


def test_the_static_details_say_which_session_it_is() -> None:
    text = static_details(state())

    for said in (str(SESSION), str(ORGANISATION), "500.00 USD", "2027-01-02 12:00 UTC", "docs/operations.md"):
        assert said in text


@pytest.mark.parametrize("reason", MEANINGS)
def test_the_handbook_has_a_section_for_each_kind_of_attention(reason: str) -> None:
    assert f"\n### `{reason}`\n" in HANDBOOK.read_text()
