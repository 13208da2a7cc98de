"""The two lifecycles, as tables: every status change in the code goes through them (design.md, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    OPEN = "open"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"
    EXPIRE = "expire"
    COMPLETE = "complete"
    REOPEN = "reopen"
    CLOSE = "close"


class Payment(StrEnum):
    NOT_STARTED = "not_started"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    NO_PAYMENT_REQUIRED = "no_payment_required"


class PaymentEvent(StrEnum):
    ASK = "ask"
    NOTHING_TO_PAY = "nothing_to_pay"
    CAPTURE = "capture"
    LAST_CANCELLED_PAID = "last_cancelled_paid"
    LAST_CANCELLED_UNPAID = "last_cancelled_unpaid"
    REFUSE = "refuse"
    UNDO = "undo"
    REFUND = "refund"


SESSION: Final[Mapping[Status, Mapping[Event, Status]]] = {
    Status.OPEN: {
        Event.CONFIRM: Status.PROCESSING,
        Event.CANCEL: Status.CANCELLED,
        Event.EXPIRE: Status.CLOSED,
    },
    Status.PROCESSING: {
        Event.COMPLETE: Status.COMPLETED,
        Event.REOPEN: Status.OPEN,
        Event.CLOSE: Status.CLOSED,
    },
    Status.COMPLETED: {},
    Status.CLOSED: {},
    Status.CANCELLED: {},
}

PAYMENT: Final[Mapping[Payment, Mapping[PaymentEvent, Payment]]] = {
    Payment.NOT_STARTED: {
        PaymentEvent.ASK: Payment.PENDING,
        PaymentEvent.NOTHING_TO_PAY: Payment.NO_PAYMENT_REQUIRED,
    },
    Payment.PENDING: {
        PaymentEvent.CAPTURE: Payment.PAID,
        PaymentEvent.LAST_CANCELLED_PAID: Payment.PAID,
        PaymentEvent.LAST_CANCELLED_UNPAID: Payment.NO_PAYMENT_REQUIRED,
        PaymentEvent.REFUSE: Payment.FAILED,
        PaymentEvent.UNDO: Payment.NOT_STARTED,
    },
    Payment.PAID: {PaymentEvent.REFUND: Payment.FAILED},
    Payment.FAILED: {
        PaymentEvent.ASK: Payment.PENDING,
        PaymentEvent.NOTHING_TO_PAY: Payment.NO_PAYMENT_REQUIRED,
        PaymentEvent.CAPTURE: Payment.PAID,
        PaymentEvent.LAST_CANCELLED_PAID: Payment.PAID,
        PaymentEvent.LAST_CANCELLED_UNPAID: Payment.NO_PAYMENT_REQUIRED,
    },
    Payment.NO_PAYMENT_REQUIRED: {},
}

FINAL: Final = frozenset(status for status, exits in SESSION.items() if not exits)
"""Statuses that absorb: completed, closed, cancelled."""

CHANGEABLE: Final = frozenset({Payment.NOT_STARTED, Payment.FAILED})
"""Payment statuses in which an open session may be updated."""


class IllegalTransition(Exception):
    """The table has no such exit. Says where the session is and which events are allowed there."""

    def __init__(self, status: Status | Payment, event: Event | PaymentEvent) -> None:
        self.status = status
        self.event = event
        self.allowed: tuple[str, ...] = allowed(status)
        super().__init__(f"{event} is not allowed while {status}; allowed: {', '.join(self.allowed) or 'nothing'}")


def allowed(status: Status | Payment) -> tuple[str, ...]:
    """The events that *status* has an exit for, in the table's order."""
    exits = SESSION[status] if isinstance(status, Status) else PAYMENT[status]
    return tuple(event.value for event in exits)


def after(status: Status, event: Event) -> Status:
    """The status that *event* leads to; raises IllegalTransition."""
    try:
        return SESSION[status][event]
    except KeyError:
        raise IllegalTransition(status, event) from None


def payment_after(payment: Payment, event: PaymentEvent) -> Payment:
    """The payment status that *event* leads to; raises IllegalTransition."""
    try:
        return PAYMENT[payment][event]
    except KeyError:
        raise IllegalTransition(payment, event) from None


MERCHANT_CALLS: Final[Mapping[Status, tuple[str, ...]]] = {
    Status.OPEN: ("confirm", "update", "cancel"),
    Status.PROCESSING: (),
    Status.COMPLETED: (),
    Status.CLOSED: (),
    Status.CANCELLED: (),
}
"""What a merchant may call in each status: the `allowed` of a 409."""
