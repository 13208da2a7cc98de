"""What comes next for the instalments of a schedule, and what an answer makes of one: pure, by the clock it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from checkout.commands import ChangePayment
from checkout.lifecycle import Payment, PaymentEvent
from checkout.outcomes import Declined
from checkout.session import Instalment, InstalmentStatus, Policy

LATE: Final = timedelta(minutes=1)
"""Charged this long after it was due and could be, an instalment is marked late."""

SOONEST: Final = timedelta(minutes=1)
SELDOMEST: Final = timedelta(days=1)
"""How long is waited, at the least and at the most, before what is under way at the gateway is looked up again."""

BETWEEN_TRIES: Final[frozenset[InstalmentStatus]] = frozenset(
    {"scheduled", "due", "declined", "failed", "needs_customer"}
)
CHANGEABLE: Final[Mapping[str, frozenset[InstalmentStatus]]] = {
    "move": BETWEEN_TRIES | {"paused"},
    "bring_forward": BETWEEN_TRIES | {"paused"},
    "pause": BETWEEN_TRIES,
    "resume": frozenset({"paused"}),
    "cancel": BETWEEN_TRIES | {"paused"},
    "change_method": BETWEEN_TRIES | {"paused"},
}
"""In which states of an instalment each change may be made: never while a charge is at the gateway, nor once it is paid."""

REFUSED: Final[frozenset[InstalmentStatus]] = frozenset({"declined", "failed", "needs_customer"})
"""States after a no: another payment method may help."""


class Act(StrEnum):
    """What is done when an instalment's moment has come; of two at the same instant, the first of these."""

    ANNOUNCE = "announce"
    OPEN = "open"
    LOOK_UP = "look_up"
    CLOSE = "close"
    CHARGE = "charge"


class Moment(NamedTuple):
    at: datetime
    act: Act
    n: int


def next_moment(schedule: Iterable[Instalment], policy: Policy, now: datetime) -> Moment | None:
    """What is to be done next, and when: None while nothing can be done before something is changed."""
    found = (moment for instalment in schedule for moment in _moments(instalment, policy, now))
    return min(found, key=lambda moment: (moment.at, list(Act).index(moment.act), moment.n), default=None)


def _moments(i: Instalment, policy: Policy, now: datetime) -> Iterator[Moment]:
    if i.status in {"scheduled", "due"}:
        yield Moment(i.due_at, Act.CHARGE, i.n)
    if i.status == "scheduled" and policy.notice and not i.noticed and now < i.due_at:
        yield Moment(i.due_at - policy.notice, Act.ANNOUNCE, i.n)
    if i.status == "declined" and i.next_at:
        yield Moment(i.next_at, Act.CHARGE, i.n)
    if i.status == "charging" and not i.next_at:
        yield Moment(i.due_at, Act.CHARGE, i.n)
    if i.status in {"charging", "needs_customer"} and i.next_at:
        yield Moment(i.next_at, Act.LOOK_UP, i.n)
    if i.status == "needs_customer" and not i.action_url:
        yield Moment(now, Act.OPEN, i.n)
    if i.status == "needs_customer" and i.action_until:
        yield Moment(i.action_until, Act.CLOSE, i.n)


def changed(i: Instalment, **to: Any) -> Instalment:
    """The instalment with other members."""
    return i.model_copy(update=to)


def charging(i: Instalment, method: UUID, owed_since: datetime, now: datetime) -> Instalment:
    """Its next try begins, with *method*; the first is late where it was owed, or payable, long before."""
    late = i.late or (i.attempts == 0 and now - max(i.due_at, owed_since) > LATE)
    return changed(i, status="charging", attempts=i.attempts + 1, method=method, next_at=None, late=late, **NO_ACTION)


def paid(i: Instalment) -> Instalment:
    return changed(i, status="paid", next_at=None, code=None, **NO_ACTION)


def declined(i: Instalment, no: Declined, method: UUID | None, policy: Policy, now: datetime) -> Instalment:
    """A definite no. After a hard one *method* is not charged again, so another is tried at once, or the customer is
    asked. After a soft one it is tried again as long after the first no as the policy says; behind the last, it failed.
    """
    first = i.declined_at or now
    refused = i.refused if no.soft or method is None else (*i.refused, method)
    later = (first + wait for wait in policy.dunning if first + wait > now)
    next_at = next(later, None) if refused == i.refused else now
    return changed(
        i,
        status="declined" if next_at else "failed",
        declined_at=first,
        next_at=next_at,
        refused=refused,
        code=no.code,
        **NO_ACTION,
    )


def under_way(i: Instalment, now: datetime) -> Instalment:
    """Money may still arrive: it is looked up again, ever more seldom."""
    return asked_again(changed(i, status="charging", action_until=None, asked_since=i.asked_since or now), now)


def needs_customer(i: Instalment, code: str, policy: Policy, now: datetime, **to: Any) -> Instalment:
    """Nothing can be charged without the customer, who has *policy.action_window* to act; where is still to be said."""
    until = now + policy.action_window
    waiting = {"status": "needs_customer", "declined_at": i.declined_at or now, "next_at": None, "code": code}
    return changed(i, **waiting, **{**NO_ACTION, "action_until": until}, **to)


def action_opened(i: Instalment, url: str, now: datetime) -> Instalment:
    """The customer can act at *url* from now on."""
    return asked_again(changed(i, action_url=url, asked_since=now), now)


def asked_again(i: Instalment, now: datetime) -> Instalment:
    """When to look again: after twice as long as it has been asked about already, within bounds."""
    asked = now - (i.asked_since or now)
    return changed(i, next_at=now + min(max(2 * asked, SOONEST), SELDOMEST))


def due_now(i: Instalment, now: datetime, **to: Any) -> Instalment:
    """To be charged at once: due by now, should that be before its day."""
    return changed(i, status="due", due_at=min(i.due_at, now), next_at=None, **NO_ACTION, **to)


def moved(i: Instalment, day: date, begins: datetime | None) -> Instalment:
    """Due on another *day*, as if it had not been tried; when that *begins* is to be found out before it is charged."""
    begins = begins or datetime.combine(day, time.min, tzinfo=UTC)
    status = "paused" if i.status == "paused" else "scheduled"
    fresh = {"noticed": False, "declined_at": None, "next_at": None, "code": None}
    return changed(i, status=status, due_on=day, due_at=begins, resolved=False, **fresh, **NO_ACTION)


def after_change(i: Instalment, cmd: ChangePayment, now: datetime) -> Instalment:
    """The instalment as *cmd* wants it, whose action is allowed in its state (CHANGEABLE)."""
    match cmd.action:
        case "move" | "bring_forward" if cmd.date:
            return moved(i, cmd.date, cmd.due_at)
        case "bring_forward":
            return due_now(i, now)
        case "pause":
            return changed(i, status="paused", next_at=None, **NO_ACTION)
        case "resume":
            return changed(i, status="scheduled", declined_at=None)
        case "change_method":
            other = {"method": cmd.method, "refused": tuple(method for method in i.refused if method != cmd.method)}
            return due_now(i, now, **other) if i.status in REFUSED else changed(i, **other)
    return changed(i, status="cancelled", next_at=None, **NO_ACTION)


NO_ACTION: Final[Mapping[str, None]] = {"action_url": None, "action_until": None, "asked_since": None}


def event_of(payment: Payment, schedule: Iterable[Instalment], *, captured: bool = True) -> PaymentEvent | None:
    """What a schedule makes of the payment: failed while any instalment has failed, pending while any is owed, then over.
    None where it is that already. *captured* says that the last one was paid, not cancelled.
    """
    statuses = {i.status for i in schedule}
    if "failed" in statuses:
        return PaymentEvent.REFUSE if payment is Payment.PENDING else None
    if statuses - {"paid", "cancelled"}:
        return None if payment is Payment.PENDING else PaymentEvent.ASK
    if payment not in {Payment.PENDING, Payment.FAILED}:
        return None
    if "paid" not in statuses:
        return PaymentEvent.LAST_CANCELLED_UNPAID
    return PaymentEvent.CAPTURE if captured else PaymentEvent.LAST_CANCELLED_PAID
