"""The invariants of sessions, S1-S7."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from audit.evidence import Evidence, Run, UpdateCall
from audit.rest import page_ends, waits
from checkout.ids import workflow_of
from checkout.lifecycle import PAYMENT, SESSION, Payment, Status
from checkout.session import SessionState

UNDER_WAY: Final = frozenset({"RUNNING", "CONTINUED_AS_NEW"})
WRONG_ENDS: Final = frozenset({"FAILED", "TIMED_OUT", "TERMINATED"})


def only_transitions_of_the_table(seen: Evidence) -> Iterator[str]:
    """S1."""
    if seen.events:
        first = seen.events[0].state
        if (first.status, first.payment_status) != (Status.OPEN, Payment.NOT_STARTED):
            yield f"it began {first.status}, {first.payment_status}"
    for earlier, later in pairwise(seen.events):
        was, now = earlier.state, later.state
        if earlier.run != later.run and later.run in seen.rewound:
            continue
        if was.status is not now.status and now.status not in SESSION[was.status].values():
            yield f"event {later.sequence}: {was.status} became {now.status}"
        if (
            was.payment_status is not now.payment_status
            and now.payment_status not in PAYMENT[was.payment_status].values()
        ):
            yield f"event {later.sequence}: payment {was.payment_status} became {now.payment_status}"


def what_was_said_is_durable(seen: Evidence) -> Iterator[str]:
    """S2: events without gaps, the view of the last of them, and every answered state among them."""
    numbers = [event.sequence for event in seen.events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"events are numbered {_gap(numbers)}"
    for event in seen.events:
        if event.state.version != event.sequence:
            yield f"event {event.sequence} holds version {event.state.version}"
    yield from _view(seen)
    by_version = {event.sequence: event.state for event in seen.events}
    for call in _answered(seen):
        if call.state is not None and not _same(by_version.get(call.state.version), call.state):
            yield f"{call.name} was answered with version {call.state.version}, {call.state.status}: it is not there"


def _gap(numbers: list[int]) -> str:
    wrong = next(n for n, number in enumerate(numbers, start=1) if n != number)
    return f"with {numbers[wrong - 1]} in the place of {wrong}"


def _view(seen: Evidence) -> Iterator[str]:
    view = seen.view
    if view is None:
        return
    last = seen.events[-1].state if seen.events else None
    if last is None or (view.version, view.state) != (last.version, last):
        yield f"the view is of version {view.version}, the last event of {last.version if last else 0}"
    told = (view.state.status, view.state.payment_status, view.state.customer, view.state.contract, view.state.version)
    if told != (view.status, view.payment_status, view.customer_id, view.contract_id, view.version):
        yield "the view's columns are not its state's"


def _answered(seen: Evidence) -> Iterator[UpdateCall]:
    """Updates of the latest run: those of a run that was reset are told again by it."""
    return (call for call in (seen.run.updates if seen.run else ()) if call.answered and not call.failed)


def _same(told: SessionState | None, answered: SessionState) -> bool:
    return told is not None and (told.status, told.payment_status) == (answered.status, answered.payment_status)


def one_of_those_at_once_wins(seen: Evidence) -> Iterator[str]:
    """S3: each accepted confirm or cancel is one change, so what was refused had no effect; M2 judges the money. A run
    that was reset repeats what the run before it was told; and Temporal forgets the first run before the last.
    """
    runs = _in_succession(seen)
    if not runs:
        return
    first = runs[-1].opening
    complete = not seen.rewound and (first is None or first.resumed is None)
    for name, change in (("confirm", "checkout_session.confirmed"), ("cancel", "checkout_session.cancelled")):
        accepted = sum(call.name == name for run in runs for call in run.updates)
        told = sum(event.type == change and event.actor != "temporal" for event in seen.events)
        if accepted > told or (complete and accepted != told):
            yield f"{accepted} times {name} was accepted, and {told} times it happened"


def _in_succession(seen: Evidence) -> list[Run]:
    """The latest run that told anything, and those before it that it goes on from; not those that it repeats after a
    reset.
    """
    runs: list[Run] = []
    told = {event.run for event in seen.events}
    for run in sorted(
        (each for each in seen.runs if each.run_id in told), key=lambda run: run.started_at, reverse=True
    ):
        runs.append(run)
        if run.opening is None or run.opening.resumed is None:
            break
    return runs


def confirmed_before_the_expiry(seen: Evidence) -> Iterator[str]:
    """S4, by the workflow's time."""
    for event in seen.confirmations():
        if event.at >= event.state.offer.expires_at:
            yield f"confirmed at {event.at:%F %T}, and it had expired at {event.state.offer.expires_at:%F %T}"


def nothing_is_stuck(seen: Evidence) -> Iterator[str]:
    """S5, at rest."""
    state = seen.state
    if state is None or state.attention is not None:
        return
    idle = f"without activity since {state.last_activity_at:%F %T}"
    if state.status is Status.PROCESSING:
        window = f", its page's window over since {page_ends(state, seen.policy.page_window):%F %T}"
        yield f"processing{window}, {idle}"
    if state.status is Status.OPEN and state.offer.expires_at <= seen.now:
        yield f"open, although it expired at {state.offer.expires_at:%F %T}"
    given_up = state.payment_status is Payment.FAILED and not state.goes_on
    if state.status is Status.COMPLETED and state.payment_status in {Payment.PENDING, Payment.FAILED} and not given_up:
        later = any(part.status == "paused" or waits(part, seen.now) for part in state.schedule)
        if not later:
            yield f"its payment is {state.payment_status}, nothing is due later, {idle}"


def rows_have_their_workflow(seen: Evidence) -> Iterator[str]:
    """S6, at rest. Temporal forgets a finished workflow after its retention."""
    state = seen.state
    if seen.runs and seen.view is None:
        yield f"workflow {workflow_of(seen.organisation, seen.session)} has no row"
    if state is None:
        if not seen.runs:
            yield "only payments, contracts, events or the ledger know it: no row and no workflow"
        return
    if not seen.runs and (state.goes_on or seen.now - state.last_activity_at < seen.retention):
        yield f"it is {state.status} and has no workflow"
    if seen.runs and state.goes_on and not any(run.status in UNDER_WAY for run in seen.runs):
        yield f"it is {state.status}, and its workflow is over"


def workflows_end_well(seen: Evidence) -> Iterator[str]:
    """S7. A run that was reset ends terminated; the run that goes on instead of it is judged."""
    for run in seen.runs:
        reset = any(other.started_at > run.started_at for other in seen.runs) and run.status == "TERMINATED"
        if run.status in WRONG_ENDS and not reset:
            yield f"run {run.run_id} ended {run.status.lower().replace('_', ' ')}"
        if run.failed_tasks:
            yield f"run {run.run_id}: {len(run.failed_tasks)} workflow tasks failed ({run.failed_tasks[0]})"
