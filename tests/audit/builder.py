"""Evidence built in memory: sound sessions in each mode, and ways to plant what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from audit.evidence import Activity, ContractRow, EventRow, Evidence, LedgerRow, PaymentRow, Run, UpdateCall, ViewRow
from checkout.commands import Opening
from checkout.ids import charge_key, contract_of, page_key, refund_key
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Attention, Confirmation, Due, Instalment, Mode, Offer, SessionState

ORGANISATION = UUID("00000000-0000-4000-8000-00000000000a")
SESSION = UUID("00000000-0000-4000-8000-000000000001")
CUSTOMER = UUID("00000000-0000-4000-8000-000000000002")
METHOD = UUID("00000000-0000-4000-8000-000000000003")
CONTRACT = contract_of(SESSION, 1)
START = datetime(2026, 6, 1, 10, tzinfo=UTC)
PRICE = Money(minor=10000, currency="USD")
HALF = Money(minor=5000, currency="USD")
DAYS = (START + timedelta(days=1), START + timedelta(days=31))
PAGE = page_key(SESSION, 1)
FIRST = charge_key(SESSION, 1, 1, 1)
SECOND = charge_key(SESSION, 1, 2, 1)

LINE: dict[str, Any] = {
    "amount": "100.00",
    "discount": "0.00",
    "tax": "0.00",
    "total": "100.00",
    "currency": "USD",
    "quantity": "1",
}
INVOICE: dict[str, Any] = {
    "invoice_number": "EST-0001",
    "currency": "USD",
    "line_items": [LINE],
    "subtotal": "100.00",
    "discount": "0.00",
    "tax": "0.00",
    "total": "100.00",
}
CONTENT: dict[str, Any] = {
    "contract": {"currency": "USD"},
    "estimates": {
        "current_invoice": INVOICE,
        "future_invoices": [INVOICE],
        "amount_due": "100.00",
        "payment_schedule": [{"n": n, "amount": "50.00", "currency": "USD"} for n in (1, 2)],
    },
}
OFFER = Offer(
    estimation_id="estimate",
    details=UUID(int=9),
    amount_due=PRICE,
    schedule=tuple(Due(n=n, due_on=at.date(), due_at=at, amount=HALF) for n, at in enumerate(DAYS, start=1)),
    expires_at=START + timedelta(hours=24),
)
OPENING = Opening(
    organisation=ORGANISATION,
    session=SESSION,
    fingerprint="",
    opened_at=START,
    offer=OFFER,
    guest_checkout=False,
    customer=CUSTOMER,
    business_entity=None,
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Story:
    """A session's changes, one event each, ten seconds apart."""

    def __init__(self) -> None:
        self.events: list[EventRow] = []
        self._tell("checkout_session.opened", OPENING.state())

    def then(self, event: str, **to: Any) -> Story:
        last = self.events[-1].state
        at = after(10 * last.version)
        told = {"version": last.version + 1, "updated_at": at, "last_activity_at": at}
        return self._tell(event, last.model_copy(update=told | to))

    def confirmed(self, mode: Mode, attempt: int = 1) -> Story:
        at = after(10 * self.events[-1].sequence)
        confirmation = Confirmation(mode=mode, attempt=attempt, confirmed_at=at, method=METHOD)
        return self.then(
            "checkout_session.confirmed",
            status=Status.PROCESSING,
            attempts=attempt,
            confirmation=confirmation,
            confirmed_at=at,
        )

    def _tell(self, event: str, state: SessionState) -> Story:
        raw = state.model_dump(mode="json")
        told = EventRow(
            sequence=state.version,
            type=event,
            actor="",
            at=state.updated_at,
            run="run",
            data={},
            state=state,
            raw=raw,
        )
        self.events.append(told)
        return self

    def evidence(self, **more: Any) -> Evidence:
        """At the moment of the last event; with a workflow that goes on or is over as the state wants it."""
        state = self.events[-1].state
        return Evidence(
            organisation=ORGANISATION,
            session=SESSION,
            events=tuple(self.events),
            view=view(state),
            contents={"estimate": CONTENT},
            **{"at": state.updated_at, "runs": (run(),), **more},
        )


def view(state: SessionState) -> ViewRow:
    return ViewRow(
        version=state.version,
        status=state.status,
        payment_status=state.payment_status,
        customer_id=state.customer,
        contract_id=state.contract,
        needs_attention=state.attention is not None,
        state=state,
        raw=state.model_dump(mode="json"),
    )


def run(*activities: Activity, **more: Any) -> Run:
    confirm = UpdateCall(name="confirm", number=5, answered=50)
    told = {"run_id": "run", "status": "COMPLETED", "started_at": START, "updates": (confirm,), **more}
    return Run(opening=OPENING, activities=activities, **told)


def did(name: str, number: int, result: Any = None, at: datetime = START, **given: Any) -> Activity:
    return Activity(name=name, number=number, at=at, input=given, ended=number + 2, result=result or {})


def line(seq: int, effect: str, key: str, call: str = "charge", minor: Any = 10000, at: float = 0) -> LedgerRow:
    """A line of the ledger; *at* is in seconds after the start, the line's number times ten when not given."""
    return LedgerRow(
        seq=seq,
        at=after(at or 10 * seq),
        call=call,
        key=key,
        reference=str(SESSION),
        amount_minor=minor,
        currency="USD",
        effect=effect,
    )


def row(key: str, status: str = "captured", minor: Any = 10000, kind: str = "charge") -> PaymentRow:
    return PaymentRow(key=key, kind=kind, amount_minor=minor, currency="USD", status=status)


def contract(status: str = "active", attempt: int = 1, **more: Any) -> ContractRow:
    told = {
        "id": contract_of(SESSION, attempt),
        "customer_id": CUSTOMER,
        "estimation_id": "estimate",
        "currency": "USD",
        "activated_at": after(60) if status == "active" else None,
        "voided_at": after(60) if status == "void" else None,
        **more,
    }
    return ContractRow(attempt=attempt, status=status, **told)


def in_contract(name: str, number: int, attempt: int = 1, contract: UUID = CONTRACT) -> Activity:
    return did(name, number, contract=str(contract), attempt=attempt)


def opened() -> Evidence:
    return Story().evidence(runs=(run(status="RUNNING", updates=()),))


def cancelled() -> Evidence:
    story = Story().then("checkout_session.cancelled", status=Status.CANCELLED)
    return story.evidence(runs=(run(updates=(UpdateCall(name="cancel", number=5, answered=9),)),))


def without_payment() -> Evidence:
    story = Story().confirmed(Mode.NO_PAYMENT).then("contract.created", contract=CONTRACT).then("contract.activated")
    paid = {"payment_status": Payment.NO_PAYMENT_REQUIRED, "status": Status.COMPLETED}
    return story.then("checkout_session.completed", **paid).evidence(contracts=(contract(),))


def being_paid() -> Evidence:
    """Its page is open."""
    story = Story().confirmed(Mode.CHARGE_IMMEDIATELY).then("contract.created", contract=CONTRACT)
    return story.then("payment.pending", payment_status=Payment.PENDING).evidence(
        contracts=(contract("draft"),),
        ledger=(line(1, "page_opened", PAGE, "open_page"),),
        payments=(row(PAGE, "pending"),),
        runs=(run(status="RUNNING"),),
    )


def paid() -> Evidence:
    """Paid at the page."""
    story = Story().confirmed(Mode.CHARGE_IMMEDIATELY).then("contract.created", contract=CONTRACT)
    story.then("payment.pending", payment_status=Payment.PENDING).then("payment.paid", payment_status=Payment.PAID)
    return (
        story.then("contract.activated")
        .then("checkout_session.completed", status=Status.COMPLETED)
        .evidence(
            contracts=(contract(),),
            ledger=(line(1, "page_opened", PAGE, "open_page"), line(2, "captured", PAGE, "page")),
            payments=(row(PAGE),),
            runs=(
                run(
                    in_contract("contracts.draft", 6),
                    did("payments.open_page", 10, key=PAGE, amount=PRICE.model_dump()),
                    did("payments.page_outcome", 20, {"outcome": "captured"}, key=PAGE),
                    in_contract("contracts.activate", 30),
                ),
            ),
        )
    )


def returned() -> Evidence:
    """Paid, then compensated and closed."""
    refund = refund_key(PAGE)
    story = Story().confirmed(Mode.CHARGE_IMMEDIATELY).then("contract.created", contract=CONTRACT)
    story.then("payment.pending", payment_status=Payment.PENDING).then("payment.paid", payment_status=Payment.PAID)
    story.then("payment.refunded", payment_status=Payment.FAILED).then("contract.voided", contract=None)
    taken = (line(1, "page_opened", PAGE, "open_page"), line(2, "captured", PAGE, "page"))
    return story.then("checkout_session.closed", status=Status.CLOSED).evidence(
        contracts=(contract("void"),),
        ledger=(*taken, line(3, "refunded", refund, "refund")),
        payments=(row(PAGE), row(refund, "refunded", kind="refund")),
    )


def part(n: int, status: str, due: datetime) -> Instalment:
    """An instalment of half the price."""
    return Instalment.model_validate({"n": n, "due_on": due.date(), "due_at": due, "amount": HALF, "status": status})


def half_paid() -> Evidence:
    """Charged when due: the first of two instalments is paid, the second is due later."""
    parts = tuple(part(n, "scheduled", at) for n, at in enumerate(DAYS, start=1))
    done = (parts[0].model_copy(update={"status": "paid", "attempts": 1}), parts[1])
    story = Story().confirmed(Mode.CHARGE_WHEN_DUE).then("contract.created", contract=CONTRACT)
    story.then("contract.activated", schedule=parts)
    story.then("checkout_session.completed", status=Status.COMPLETED, payment_status=Payment.PENDING)
    taken = did("payments.charge", 20, {"outcome": "captured"}, key=FIRST, amount=HALF.model_dump(), method=str(METHOD))
    return story.then("payment.captured", schedule=done).evidence(
        at=DAYS[0] + timedelta(hours=1),
        contracts=(contract(),),
        ledger=(line(1, "captured", FIRST, minor=5000),),
        payments=(row(FIRST, minor=5000),),
        runs=(run(taken, status="RUNNING"),),
    )


def with_state(seen: Evidence, **to: Any) -> Evidence:
    """The same with another last state, in the view and in its event."""
    last = seen.events[-1]
    state = last.state.model_copy(update=to)
    raw = state.model_dump(mode="json")
    return replace(seen, view=view(state), events=(*seen.events[:-1], replace(last, state=state, raw=raw)))


def with_event(seen: Evidence, event: str, **to: Any) -> Evidence:
    """The same with one more event, which makes the last state another."""
    last = seen.events[-1]
    state = last.state.model_copy(update={"version": last.state.version + 1} | to)
    told = replace(last, sequence=state.version, type=event, state=state, raw=state.model_dump(mode="json"))
    return replace(seen, view=view(state), events=(*seen.events, told))


def with_lines(seen: Evidence, *lines: LedgerRow) -> Evidence:
    return replace(seen, ledger=(*seen.ledger, *lines))


def with_activities(seen: Evidence, *activities: Activity) -> Evidence:
    return replace(seen, runs=(replace(seen.runs[0], activities=(*seen.runs[0].activities, *activities)),))


ATTENTION = Attention(reason="step_failing", step="payments.charge", since=START, detail="", can=("retry",))
