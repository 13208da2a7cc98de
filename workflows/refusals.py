"""Who may do what now: the validators' questions to the table, and how a no is put."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from temporalio.exceptions import ApplicationError

from checkout.commands import (
    LONGEST_ADVANCE,
    Acknowledge,
    Cancel,
    ChangePayment,
    Compensate,
    Confirm,
    MoveClock,
    RefusedUpdate,
    Request,
    Retry,
    Update,
)
from checkout.instalments import CHANGEABLE as CHANGEABLE_IN
from checkout.lifecycle import CHANGEABLE, MERCHANT_CALLS, Event, IllegalTransition, Status, after
from checkout.session import Mode, SessionState, Undo
from workflows.steps import Steps

INTERRUPTED: Final = "Interrupted"
"""The type of the failure that says that an update goes on in another run."""

FURTHEST: Final = timedelta(days=1827)
"""How far away a due payment may be moved: five years."""

MOST_UPDATES: Final = 500
"""How often a session may be updated: well below Temporal's limit of updates to one run."""


def refused(
    state: SessionState, cmd: Request, problem: str, detail: str, *, undoing: bool = False, **more: str
) -> ApplicationError:
    """A refusal as Temporal carries it: *problem* is its type, a RefusedUpdate its details."""
    details = RefusedUpdate(
        problem=problem,
        detail=detail,
        request=cmd.request,
        fingerprint=cmd.fingerprint,
        session_status=state.status,
        payment_status=state.payment_status,
        allowed=allowed(state, undoing=undoing),
        **more,
    )
    return ApplicationError(detail, details, type=problem, non_retryable=True)


def interrupted() -> ApplicationError:
    """Why an accepted update has no answer yet: another run goes on with what it asked for."""
    return ApplicationError("The session goes on in another run.", type=INTERRUPTED, non_retryable=True)


def refused_by(why: Undo, state: SessionState, cmd: Request) -> ApplicationError:
    """The answer to a confirm whose saga turned back."""
    return refused(state, cmd, why.problem, why.detail)


def allowed(state: SessionState, *, undoing: bool = False) -> tuple[str, ...]:
    """What may be called now, by a merchant or an operator; nothing is undone twice."""
    undo = ("compensate",) if state.status is Status.PROCESSING and not undoing else ()
    return (*MERCHANT_CALLS[state.status], *(call for call in state.can if call != "compensate"), *undo)


def may_confirm(state: SessionState, cmd: Confirm, now: datetime) -> None:
    _table(state, cmd, Event.CONFIRM)
    _not_stale(state, cmd)
    _not_expired(state, cmd, now)
    if cmd.estimation_id not in {None, state.offer.estimation_id}:
        raise refused(
            state,
            cmd,
            "estimate-changed",
            "The session's estimate is another one now. Read the session and confirm what it shows.",
            estimation_id=cmd.estimation_id or "",
            current_estimation_id=state.offer.estimation_id,
        )
    if cmd.mode is Mode.CHARGE_WHEN_DUE and state.guest_checkout and state.offer.amount_due.minor:
        raise refused(state, cmd, "payment-method-required", "A guest has no saved payment method to charge when due.")


def may_update(state: SessionState, cmd: Update, now: datetime) -> None:
    if state.status is not Status.OPEN or state.payment_status not in CHANGEABLE:
        raise _illegal(state, cmd, "updated")
    _not_stale(state, cmd)
    _not_expired(state, cmd, now)
    if state.revision >= MOST_UPDATES:
        raise refused(state, cmd, "too-many-updates", f"A session can be updated {MOST_UPDATES} times.")
    if cmd.revision != state.revision:
        raise refused(state, cmd, "stale-revision", "The session was updated meanwhile.")


def may_cancel(state: SessionState, cmd: Cancel, now: datetime) -> None:
    _table(state, cmd, Event.CANCEL)
    _not_stale(state, cmd)
    _not_expired(state, cmd, now)


def may_retry(state: SessionState, cmd: Retry, steps: Steps) -> None:
    _reasoned(state, cmd)
    if "retry" not in state.can or steps.decision is not None:
        raise refused(state, cmd, "invalid-status-transition", "No step is failing, so there is nothing to retry.")


def may_acknowledge(state: SessionState, cmd: Acknowledge) -> None:
    _reasoned(state, cmd)
    if "acknowledge" not in state.can:
        raise refused(state, cmd, "invalid-status-transition", "Nothing waits for somebody to see to it.")


def may_change_payment(state: SessionState, cmd: ChangePayment, now: datetime) -> None:
    _reasoned(state, cmd)
    instalment = next((i for i in state.schedule if i.n == cmd.n), None)
    if state.status is not Status.COMPLETED or instalment is None:
        raise refused(state, cmd, "invalid-status-transition", f"The session has no due payment {cmd.n}.")
    if instalment.status not in CHANGEABLE_IN[cmd.action]:
        can = ", ".join(action for action, states in CHANGEABLE_IN.items() if instalment.status in states) or "nothing"
        words = f"Due payment {cmd.n} is {instalment.status}. Allowed now: {can}."
        raise refused(state, cmd, "invalid-status-transition", words)
    _not_stale(state, cmd)
    if problem := _incomplete(cmd, instalment.due_on, now):
        raise refused(state, cmd, "validation", problem)


def _incomplete(cmd: ChangePayment, due_on: date, now: datetime) -> str | None:
    """What is wrong with what a change says; the API has checked the same, and more, before."""
    if cmd.action == "move" and cmd.date is None:
        return 'Say to which day: {"action": "move", "date": "2027-03-01", ...}.'
    if cmd.action == "change_method" and cmd.method is None:
        return 'Say which payment method: {"action": "change_method", "method": "...", ...}.'
    if cmd.action == "bring_forward" and cmd.date is not None and cmd.date >= due_on:
        return f"It is due on {due_on}: only an earlier day brings it forward."
    if cmd.date is not None and cmd.date > now.date() + FURTHEST:
        return "A payment can be due at most five years from now."
    return None


def may_compensate(state: SessionState, cmd: Compensate, steps: Steps) -> None:
    _reasoned(state, cmd)
    if state.status is not Status.PROCESSING:
        raise _illegal(state, cmd, "compensated")
    if steps.turning_back or isinstance(steps.decision, Compensate):
        words = "The confirmation is being undone already."
        raise refused(state, cmd, "invalid-status-transition", words, undoing=True)


def may_move_clock(state: SessionState, cmd: MoveClock, now: datetime, *, moving: bool) -> None:
    if not state.goes_on:
        raise _illegal(state, cmd, "moved in time")
    if moving:
        raise refused(state, cmd, "request-in-progress", "The session's clock is being moved already.")
    if cmd.to - now > LONGEST_ADVANCE:
        raise refused(state, cmd, "validation", f"A clock is moved {LONGEST_ADVANCE.days} days at once, at most.")


def _reasoned(state: SessionState, cmd: Retry | Acknowledge | Compensate | ChangePayment) -> None:
    if not cmd.reason.strip():
        raise refused(state, cmd, "validation", 'Say why: {"actor": "your name", "reason": "..."}.')


def _table(state: SessionState, cmd: Request, event: Event) -> None:
    try:
        after(state.status, event)
    except IllegalTransition:
        raise _illegal(state, cmd, PARTICIPLES[event]) from None


PARTICIPLES: Final = {Event.CONFIRM: "confirmed", Event.CANCEL: "cancelled"}


def _illegal(state: SessionState, cmd: Request, done: str) -> ApplicationError:
    can = ", ".join(allowed(state)) or "nothing"
    return refused(
        state,
        cmd,
        "invalid-status-transition",
        f"A session that is {state.status} can't be {done}; its payment is {state.payment_status}. Allowed now: {can}.",
    )


def _not_stale(state: SessionState, cmd: Request) -> None:
    if cmd.version not in {None, state.version}:
        raise refused(state, cmd, "stale-session", "The session has changed since the version named in If-Match.")


def _not_expired(state: SessionState, cmd: Request, now: datetime) -> None:
    if now >= state.offer.expires_at:
        raise refused(state, cmd, "invalid-status-transition", "The session has expired and is about to be closed.")
