"""Every invariant is named when something that breaks it is planted, and none is where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from audit.evidence import Evidence, UpdateCall
from audit.invariants import INVARIANTS, NOT_JUDGED, judged
from audit.rest import unrest
from checkout.ids import charge_key, page_key, refund_key
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from tests.audit.builder import (
    ATTENTION,
    CONTENT,
    DAYS,
    FIRST,
    HALF,
    INVOICE,
    LINE,
    METHOD,
    OFFER,
    PAGE,
    PRICE,
    SESSION,
    START,
    after,
    being_paid,
    cancelled,
    contract,
    did,
    half_paid,
    in_contract,
    line,
    opened,
    paid,
    part,
    returned,
    row,
    run,
    view,
    with_activities,
    with_event,
    with_lines,
    with_state,
    without_payment,
)

Plant = Callable[[], Evidence]

SOUND: Final = (opened, cancelled, without_payment, being_paid, paid, returned, half_paid)
LATER: Final = timedelta(hours=1)


def estimated(**members: Any) -> Evidence:
    """A paid session whose estimate says something else."""
    estimates = {**CONTENT["estimates"], **members}
    return replace(paid(), contents={"estimate": {**CONTENT, "estimates": estimates}})


def one_event(number: int, **to: Any) -> Evidence:
    """A paid session with something else in one of its events."""
    seen = paid()
    state = seen.events[number - 1].state.model_copy(update=to)
    changed = replace(seen.events[number - 1], state=state, raw=state.model_dump(mode="json"))
    return replace(seen, events=(*seen.events[: number - 1], changed, *seen.events[number:]))


def tried_twice(no: str = "declined") -> Evidence:
    """A first try at an instalment that ended in *no*, and a second one under a new key."""
    again = charge_key(SESSION, 1, 1, 2)
    tries = (line(1, no, FIRST, minor=5000), line(2, "captured", again, minor=5000))
    return replace(half_paid(), ledger=tries, payments=(row(FIRST, "declined", 5000), row(again, minor=5000)))


def overdue(seen: Evidence) -> Evidence:
    return replace(seen, at=seen.at + LATER)


PLANTED: Final[Mapping[str, Mapping[str, Plant]]] = {
    "M1": {
        "an instalment captured under two keys": lambda: with_lines(
            half_paid(), line(2, "captured", charge_key(SESSION, 1, 1, 2), minor=5000)
        ),
        "a duplicate that was returned": lambda: with_lines(
            paid(),
            line(3, "captured", page_key(SESSION, 2), "page"),
            line(4, "refunded", refund_key(page_key(SESSION, 2)), "refund"),
        ),
        "one key captured twice and nobody told": lambda: with_lines(paid(), line(3, "captured", PAGE, "page")),
        "an instalment beside the page": lambda: with_lines(paid(), line(3, "captured", FIRST, minor=5000)),
    },
    "M2": {
        "completed and nothing captured": lambda: replace(paid(), ledger=paid().ledger[:1]),
        "closed and the money kept": lambda: replace(returned(), ledger=returned().ledger[:2]),
        "cancelled and captured": lambda: with_lines(cancelled(), line(1, "captured", PAGE, "page")),
        "an instalment not collected an hour after it was due": lambda: replace(half_paid(), at=DAYS[1] + LATER),
        "an instalment collected before it was due": lambda: with_lines(
            half_paid(), line(2, "captured", charge_key(SESSION, 1, 2, 1), minor=5000)
        ),
        "a refusal that the gateway knows nothing of": lambda: with_state(
            replace(half_paid(), ledger=()),
            asks=(ATTENTION,),
            schedule=tuple(p.model_copy(update={"status": "failed"}) for p in half_paid().view.state.schedule[:1]),  # type: ignore[union-attr]
        ),
    },
    "M3": {
        "another amount": lambda: replace(paid(), ledger=(paid().ledger[0], line(2, "captured", PAGE, "page", 9999))),
        "another currency": lambda: replace(paid(), ledger=tuple(replace(r, currency="EUR") for r in paid().ledger)),
        "a page for half of it": lambda: replace(being_paid(), ledger=(line(1, "page_opened", PAGE, minor=5000),)),
        "an instalment that is not in the estimate": lambda: with_lines(
            half_paid(), line(2, "declined", charge_key(SESSION, 1, 3, 1), minor=5000)
        ),
        "an attempt that was never confirmed": lambda: with_lines(
            paid(), line(3, "page_opened", page_key(SESSION, 7), "open_page")
        ),
    },
    "M4": {
        "a float at the gateway": lambda: replace(paid(), ledger=(line(1, "page_opened", PAGE, minor=10000.0),)),
        "a float in the view": lambda: replace(paid(), view=replace(paid().view, raw={"minor": 100.5})),  # type: ignore[type-var]
        "a float in an estimate": lambda: estimated(tax=0.1),
        "a float in a history": lambda: with_activities(paid(), did("payments.look_up", 40, amount={"minor": 1e4})),
        "a currency without minor units": lambda: replace(paid(), payments=(replace(row(PAGE), currency="XAU"),)),
    },
    "M5": {
        "lines that come to less than the total": lambda: estimated(
            current_invoice={**INVOICE, "line_items": [{**LINE, "total": "99.99"}]}
        ),
        "a future invoice that does not add up": lambda: estimated(future_invoices=[{**INVOICE, "tax": "0.01"}]),
        "another amount due than the invoice's total": lambda: estimated(amount_due="100.01"),
        "parts that lose a unit": lambda: estimated(payment_schedule=[{"n": 1, "amount": "99.99", "currency": "USD"}]),
        "an offer of another amount": lambda: with_state(
            paid(), offer=OFFER.model_copy(update={"amount_due": Money(minor=1, currency="USD")})
        ),
        "instalments that are not all of it": lambda: with_state(
            half_paid(),
            schedule=half_paid().view.state.schedule[:1],  # type: ignore[union-attr]
        ),
    },
    "M6": {
        "a refund without a capture": lambda: with_lines(cancelled(), line(1, "refunded", refund_key(PAGE), "refund")),
        "a second refund": lambda: with_lines(returned(), line(4, "refunded", refund_key(PAGE), "refund", 1)),
        "a refund before its capture": lambda: replace(
            returned(), ledger=(returned().ledger[0], returned().ledger[2], returned().ledger[1])
        ),
    },
    "M7": {
        "a charge without a row": lambda: replace(paid(), payments=()),
        "a refund without a row": lambda: replace(returned(), payments=returned().payments[:1]),
        "a row without a charge": lambda: replace(paid(), payments=(row(PAGE), row(FIRST, minor=5000))),
        "a row of another amount": lambda: replace(paid(), payments=(row(PAGE, minor=1),)),
        "a row that says declined": lambda: replace(paid(), payments=(row(PAGE, "declined"),)),
    },
    "M8": {
        "a row that stays pending": lambda: replace(paid(), payments=(row(PAGE, "pending"),)),
        "a row that stays unknown": lambda: replace(paid(), payments=(row(PAGE, "unknown"),)),
    },
    "M9": {
        "a key posted for two amounts": lambda: with_activities(
            half_paid(), did("payments.charge", 30, key=FIRST, amount=PRICE.model_dump(), method=str(METHOD))
        ),
        "a key posted for two methods": lambda: with_activities(
            half_paid(), did("payments.charge", 30, key=FIRST, amount=HALF.model_dump(), method=str(uuid4()))
        ),
        "a key that the gateway saw with two references": lambda: with_lines(
            paid(), replace(line(3, "declined", PAGE, "page"), reference=str(uuid4()))
        ),
    },
    "M10": {
        "a new key while the first one is unknown": lambda: (
            tried_twice("none")
            and with_lines(
                replace(half_paid(), ledger=(replace(line(1, "none", FIRST), amount_minor=None),)),
                line(2, "captured", charge_key(SESSION, 1, 1, 2), minor=5000),
            )
        ),
        "a new key while the first one is under way": lambda: with_lines(
            replace(half_paid(), ledger=(replace(line(1, "none", FIRST, minor=5000), said="under_way"),)),
            line(2, "captured", charge_key(SESSION, 1, 1, 2), minor=5000),
        ),
        "a new key after a capture": lambda: tried_twice("captured"),
        "a second key without a first": lambda: replace(tried_twice(), ledger=tried_twice().ledger[1:]),
        "a new page while the first is open": lambda: with_lines(
            being_paid(), line(2, "page_opened", page_key(SESSION, 2), "open_page")
        ),
    },
    "M11": {
        "a charge posted again after a day, by the history": lambda: with_activities(
            half_paid(),
            did(
                "payments.charge",
                30,
                at=START + timedelta(hours=25),
                key=FIRST,
                amount=HALF.model_dump(),
                method=str(METHOD),
            ),
        ),
        "a charge that arrives again after a day": lambda: with_lines(
            half_paid(), line(2, "none", FIRST, minor=5000, at=90_000)
        ),
    },
    "M12": {
        "a page opened after the cancel": lambda: with_lines(
            cancelled(), line(1, "page_opened", PAGE, "open_page", at=3600)
        ),
        "a charge after the close": lambda: with_lines(returned(), line(4, "declined", FIRST, minor=5000, at=3600)),
        "a charge scheduled after the cancel was answered": lambda: with_activities(
            cancelled(), did("payments.charge", 12, key=FIRST, amount=HALF.model_dump())
        ),
    },
    "M13": {
        "late money that was kept": lambda: with_lines(cancelled(), line(1, "captured", PAGE, "page", at=3600)),
        "late money that was returned twice": lambda: with_lines(
            cancelled(),
            line(1, "captured", PAGE, "page", at=3600),
            line(2, "refunded", refund_key(PAGE), "refund", 5000, at=3610),
            line(3, "refunded", refund_key(PAGE), "refund", 5000, at=3620),
        ),
    },
    "M14": {
        "a charge before its instant": lambda: with_event(
            half_paid(), "payment.charging", schedule=(part(1, "paid", DAYS[0]), part(2, "charging", DAYS[1]))
        ),
    },
    "K1": {
        "two contracts in force": lambda: replace(paid(), contracts=(contract(), contract(attempt=2))),
        "two contracts of one attempt": lambda: replace(paid(), contracts=(contract(), contract("void", id=uuid4()))),
        "a contract of an attempt that never was": lambda: replace(
            paid(), contracts=(contract(), contract("void", attempt=9))
        ),
    },
    "K2": {
        "completed without a contract": lambda: replace(paid(), contracts=()),
        "completed with a draft": lambda: replace(paid(), contracts=(contract("draft"),)),
        "cancelled with a contract": lambda: replace(cancelled(), contracts=(contract(),)),
        "closed with a draft left over": lambda: replace(returned(), contracts=(contract("draft"),)),
        "another contract in force than the session names": lambda: with_state(paid(), contract=uuid4()),
        "a void contract in force": lambda: replace(paid(), contracts=(contract(voided_at=START),)),
        "void and then activated, by the events": lambda: replace(
            paid(), events=tuple(replace(e, type="contract.voided") if e.sequence == 4 else e for e in paid().events)
        ),
    },
    "K3": {
        "another estimate": lambda: replace(paid(), contracts=(contract(estimation_id="another"),)),
        "another currency": lambda: replace(paid(), contracts=(contract(currency="EUR"),)),
    },
    "K4": {
        "in force and nothing captured": lambda: replace(paid(), ledger=paid().ledger[:1]),
        "in force before the capture was known": lambda: replace(
            paid(),
            runs=(
                run(
                    in_contract("contracts.activate", 12),
                    did("payments.page_outcome", 20, {"outcome": "captured"}, key=PAGE),
                ),
            ),
        ),
        "in force with half a schedule": lambda: replace(
            half_paid(),
            events=tuple(
                replace(e, state=e.state.model_copy(update={"schedule": e.state.schedule[:1]}))
                if e.type == "contract.activated"
                else e
                for e in half_paid().events
            ),
        ),
    },
    "K5": {
        "a contract with another id": lambda: replace(paid(), contracts=(contract(id=uuid4()),)),
        "a repeated draft of another contract": lambda: with_activities(
            paid(), in_contract("contracts.draft", 40, contract=uuid4())
        ),
    },
    "S1": {
        "a step that the table does not have": lambda: one_event(3, status=Status.CANCELLED),
        "a payment that goes back": lambda: one_event(6, payment_status=Payment.NO_PAYMENT_REQUIRED),
        "a final state that is left": lambda: replace(
            cancelled(), events=(*cancelled().events, replace(opened().events[0], sequence=3))
        ),
        "a beginning elsewhere": lambda: one_event(1, status=Status.PROCESSING),
    },
    "S2": {
        "a missing event": lambda: replace(paid(), events=(*paid().events[:2], *paid().events[3:])),
        "a view behind its events": lambda: replace(paid(), view=view(paid().events[-2].state)),
        "a view without events": lambda: replace(paid(), events=()),
        "columns that are not the state's": lambda: replace(paid(), view=replace(paid().view, status="open")),  # type: ignore[type-var]
        "an event with another version's state": lambda: one_event(4, version=3),
        "an answer that no row shows": lambda: replace(
            paid(),
            runs=(
                run(updates=(UpdateCall(name="confirm", number=5, answered=9, state=cancelled().events[-1].state),)),
            ),
        ),
    },
    "S3": {
        "a confirm and a cancel that both won": lambda: replace(
            cancelled(),
            runs=(run(updates=tuple(UpdateCall(name=n, number=5, answered=9) for n in ("confirm", "cancel"))),),
        ),
        "a confirm that nobody accepted": lambda: replace(paid(), runs=(run(updates=()),)),
    },
    "S4": {
        "a confirm at the expiry": lambda: one_event(2, offer=OFFER.model_copy(update={"expires_at": after(10)})),
    },
    "S5": {
        "processing past its page's window": lambda: overdue(being_paid()),
        "open long after its expiry": lambda: replace(opened(), at=START + timedelta(hours=25)),
        "pending with nothing due later": lambda: with_state(paid(), payment_status=Payment.PENDING),
    },
    "S6": {
        "a row without a workflow": lambda: replace(opened(), runs=()),
        "a workflow without a row": lambda: overdue(replace(opened(), view=None, events=())),
        "an open session whose workflow is over": lambda: replace(opened(), runs=(run(updates=()),)),
        "an instalment to come and no workflow to collect it": lambda: replace(half_paid(), runs=(run(),)),
        "money that nothing else knows": lambda: replace(paid(), view=None, events=(), runs=()),
    },
    "S7": {
        "a failed workflow": lambda: replace(paid(), runs=(run(status="FAILED"),)),
        "a terminated workflow": lambda: replace(opened(), runs=(run(status="TERMINATED"),)),
        "a failing workflow task": lambda: replace(paid(), runs=(run(failed_tasks=("NON_DETERMINISTIC_ERROR",)),)),
    },
}


def named(seen: Evidence) -> set[str]:
    return {violation.invariant for violation in judged(seen)}


@pytest.mark.parametrize("sound", SOUND, ids=lambda sound: sound.__name__)
def test_a_sound_session_breaks_no_invariant(sound: Plant) -> None:
    assert list(judged(sound())) == []


@pytest.mark.parametrize(
    ("invariant", "plant"),
    [pytest.param(name, plant, id=f"{name}: {what}") for name, all_ in PLANTED.items() for what, plant in all_.items()],
)
def test_what_is_planted_is_named(invariant: str, plant: Plant) -> None:
    assert invariant in named(plant())


def test_every_invariant_is_judged_and_planted_or_says_why_not() -> None:
    wanted = [f"{letter}{n}" for letter, last in (("M", 14), ("K", 5), ("S", 7)) for n in range(1, last + 1)]

    assert list(INVARIANTS) == wanted
    assert list(PLANTED) == wanted
    assert set(NOT_JUDGED) <= set(wanted)


def test_a_definite_no_allows_a_new_key() -> None:
    assert "M10" not in named(tried_twice())


def test_a_page_in_its_window_is_not_at_rest_and_no_violation() -> None:
    assert unrest(being_paid()) == "it is being confirmed, and its page's window goes on"
    assert named(being_paid()) == set()


def test_a_session_that_moved_while_it_was_looked_at_is_not_judged() -> None:
    torn = replace(paid(), payments=(), events=(), moved=True)

    assert unrest(torn) == "it moved while it was looked at"
    assert named(torn) == set()


def test_who_asks_for_attention_is_not_stuck() -> None:
    assert named(with_state(overdue(being_paid()), asks=(ATTENTION,))) == set()


def test_a_gateway_that_breaks_its_promise_is_excused_when_all_went_back_and_somebody_was_told() -> None:
    refund, twice = refund_key(PAGE), 2 * 10001
    seen = with_state(returned(), asks=(ATTENTION,))
    taken = (seen.ledger[0], line(2, "captured", PAGE, "page", 10001), line(3, "captured", PAGE, "page", 10001))
    seen = replace(
        with_activities(seen, did("payments.open_page", 10, key=PAGE, amount=PRICE.model_dump())),
        ledger=(*taken, line(4, "refunded", refund, "refund", twice)),
        payments=(row(PAGE, minor=twice), row(refund, "refunded", twice, "refund")),
    )

    assert named(seen) == set()
    assert named(with_state(seen, asks=())) == {"M1", "M3"}


def test_a_run_that_was_reset_is_not_judged_by_its_end() -> None:
    old = run(run_id="old", status="TERMINATED")
    new = replace(paid().runs[0], started_at=START + LATER)

    assert named(replace(paid(), runs=(old, new))) == set()


def test_a_finished_session_past_the_retention_needs_no_workflow() -> None:
    assert named(replace(paid(), runs=(), at=START + timedelta(days=31))) == set()
