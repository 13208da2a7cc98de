"""The live session of a workflow: its state, changed only through the tables, and its publication."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.sessions import SessionActivities
from checkout.commands import Opening, Publish, Request
from checkout.lifecycle import Event, Payment, PaymentEvent, Status, after, payment_after
from checkout.outcomes import Published, Standing
from checkout.session import (
    SERVICE,
    Attention,
    Confirmation,
    PaymentRecord,
    SessionEvent,
    SessionState,
    Step,
    StepStatus,
)
from workflows.policies import PUBLISH
from workflows.search_attributes import attributes_of
from workflows.standing import current_details
from workflows.summaries import published

NAMES: Final = {
    Event.CONFIRM: "checkout_session.confirmed",
    Event.CANCEL: "checkout_session.cancelled",
    Event.EXPIRE: "checkout_session.closed",
    Event.COMPLETE: "checkout_session.completed",
    Event.REOPEN: "checkout_session.reopened",
    Event.CLOSE: "checkout_session.closed",
}
"""The event that tells of each change of status."""

PAYMENT_NAMES: Final = {
    PaymentEvent.ASK: "payment.pending",
    PaymentEvent.CAPTURE: "payment.paid",
    PaymentEvent.LAST_CANCELLED_PAID: "payment.paid",
    PaymentEvent.LAST_CANCELLED_UNPAID: "payment.cancelled",
    PaymentEvent.REFUSE: "payment.failed",
    PaymentEvent.REFUND: "payment.refunded",
}
"""The event that tells of each change of the payment; the others go with a change of the session's status."""

FAILING: Final = frozenset({"step_failing", "rejected"})
"""Kinds of attention that a step asks for which fails, and that end when it succeeds."""

REWOUND: Final = "checkout_session.rewound"
"""The event that tells of a reset, behind what the run before it told."""

STAMPS: Final = {Status.COMPLETED: "completed_at", Status.CANCELLED: "cancelled_at"}
"""The time that a status is remembered by."""


class GoesOn(Exception):
    """This run's history has become long: the session goes on in another run. Nothing is undone by it."""


class LiveSession:
    """State changes here, one event a change; the publisher writes view and events behind it. *adrift* says that the
    rows may hold more of this session than it knows of; an *intruder* began a session that had begun before. Once it is
    *leaving*, this run begins nothing any more; it *may_leave* unless what it does can't be handed over.
    """

    def __init__(self, opening: Opening) -> None:
        self.state: SessionState = opening.state()
        self.policy = opening.policy
        self.adrift = opening.resumed is not None
        self.intruder = False
        self.leaving = False
        self.may_leave = True
        self.clock_moving = False
        self._known: dict[SearchAttributeKey[Any], Any] = attributes_of(self.state)
        opened = SessionEvent(
            sequence=1, type="checkout_session.opened", actor=SERVICE, at=opening.opened_at, data={}, state=self.state
        )
        self._pending = [opened]
        if opening.resumed is not None:
            self._pending.clear()
        self._told = 0
        self._others = 0
        self._shown = self.state

    @property
    def status(self) -> Status:
        return self.state.status

    @property
    def confirmation(self) -> Confirmation:
        """The confirmation that is running, or the last one."""
        if self.state.confirmation is None:
            raise RuntimeError("the session was never confirmed")
        return self.state.confirmation

    @property
    def is_long(self) -> bool:
        """Whether this run should end, and another one go on."""
        info = workflow.info()
        long = info.get_current_history_length() > self.policy.most_events or info.is_continue_as_new_suggested()
        return long and self.may_leave and not self.clock_moving

    def leave_if_long(self) -> None:
        """Raise GoesOn where another run should go on; every step finds again what it made."""
        if self.is_long:
            self.leaving = True
            raise GoesOn

    def change(
        self,
        event: str,
        /,
        *,
        actor: str = SERVICE,
        by: Request | None = None,
        data: dict[str, Any] | None = None,
        **to: Any,
    ) -> None:
        """Change members of the state, as one event with the next version; *by* the request that this handler answers,
        if one does it.
        """
        now, info = workflow.now(), workflow.current_update_info()
        self.state = self.state.model_copy(
            update={"version": self.state.version + 1, "updated_at": now, "last_activity_at": now} | to
        )
        self._shown = self.state
        self._pending.append(
            SessionEvent(
                sequence=self.state.version,
                type=event,
                actor=by.actor if by else actor,
                at=now,
                data=data or {},
                state=self.state,
                update=info.id if by and info else None,
                fingerprint=by.fingerprint if by else "",
            )
        )

    def move(self, event: Event, payment: PaymentEvent | None = None, **more: Any) -> None:
        """Change the session's status by the table, and the payment's with it; raises IllegalTransition."""
        status = after(self.status, event)
        if status in STAMPS:
            more[STAMPS[status]] = workflow.now()
        if payment is not None:
            more["payment_status"] = payment_after(self.state.payment_status, payment)
        self.change(NAMES[event], status=status, **more)

    def pay(self, event: PaymentEvent, **more: Any) -> None:
        """Change the payment's status by the table; raises IllegalTransition."""
        payment = payment_after(self.state.payment_status, event)
        if payment is Payment.PAID:
            more["paid_at"] = workflow.now()
        self.change(PAYMENT_NAMES[event], payment_status=payment, **more)

    def with_payment(self, record: PaymentRecord) -> tuple[PaymentRecord, ...]:
        """The session's payments with *record* in the place of the one with its key, or added."""
        kept = [record if known.key == record.key else known for known in self.state.payments]
        return tuple(kept) if record in kept else (*kept, record)

    def with_step(self, name: str, status: StepStatus) -> Confirmation:
        """The confirmation with a step that is now *status*."""
        step = Step(name=name, status=status, at=workflow.now())
        kept = tuple(known for known in self.confirmation.steps if known.name != name)
        return self.confirmation.model_copy(update={"steps": (*kept, step)})

    def note(self, **to: Any) -> None:
        """Change members of the state without an event of their own; they show with the next change."""
        self.state = self.state.model_copy(update=to)

    def note_step(self, name: str, status: StepStatus) -> None:
        """Remember how far a step is."""
        if self.state.confirmation is not None:
            self.note(confirmation=self.with_step(name, status))

    def has_done(self, name: str) -> bool:
        """Whether this confirmation took the step before: in a run before this one."""
        return any(step.name == name and step.status == "done" for step in self.confirmation.steps)

    def has_answered(self, name: str) -> bool:
        """Whether the step has an answer, the last time that this confirmation took it."""
        confirmation = self.state.confirmation
        ended = confirmation.steps if confirmation else ()
        return any(step.name == name and step.status in {"done", "refused"} for step in ended)

    def stand_at(self, standing: Standing) -> None:
        """Go on from where the run before this one stood, should it have come further than was known."""
        if standing.state is not None:
            self.state = self._shown = standing.state

    def effect(self) -> dict[str, Any]:
        """What every activity is told: whose effect it is, and the workflow's own instant."""
        return {"organisation": self.state.organisation, "session": self.state.id, "at": workflow.now()}

    def ask_for_attention(self, attention: Attention) -> None:
        """Ask somebody to decide; said once per reason and detail."""
        before = next((asked for asked in self.state.asks if _same(asked, attention)), None)
        if before is not None:
            attention = attention.model_copy(update={"since": before.since})
        if attention != before:
            others = tuple(asked for asked in self.state.asks if asked is not before)
            self.change("checkout_session.attention_raised", asks=(*others, attention))

    def asked_last(self, act: str) -> Attention:
        """The latest that asks for *act*, which something does."""
        return next(asked for asked in reversed(self.state.asks) if act in asked.can)

    def lower_attention(self, ends: Callable[[Attention], bool]) -> None:
        """Nobody needs to look any more at that which *ends* holds for."""
        left = tuple(asked for asked in self.state.asks if not ends(asked))
        if left != self.state.asks:
            self.change("checkout_session.attention_cleared", asks=left)

    @property
    def all_published(self) -> bool:
        """Whether every read shows the state as it is now."""
        return not self._pending

    async def until_published(self) -> SessionState:
        """The session as its last event told it, once every read shows it, with the version that it has there. What was
        noted since shows with the next: so an answer is the same when it is told again by its event.
        """
        state, others, told = self._shown, self._others, self._told + len(self._pending)
        await workflow.wait_condition(lambda: self._told >= told)
        return _later(state, self._others - others)

    async def publish_for_ever(self) -> None:
        """Publish each change behind it, in order; several at once when they come fast."""
        while True:
            await workflow.wait_condition(lambda: bool(self._pending))
            chain = workflow.info().first_execution_run_id
            batch = Publish(events=tuple(self._pending), policy=self.policy, chain=chain)
            self.show_operators()
            written = await self._written(batch)
            self.intruder = written.intruder
            del self._pending[: len(batch.events)]
            self._told += len(batch.events)
            self._renumber(written.attempt, batch.events[-1].state)
            self._stand_behind(written.version - batch.events[-1].sequence, batch.events)

    async def _written(self, batch: Publish) -> Published:
        """Write *batch*. Where the row is another run's, it is taken over: that run is over, for only the one that goes on
        is ever answered.
        """
        while True:
            written: Published = await workflow.execute_activity_method(
                SessionActivities.publish, batch, summary=published(batch.events), **PUBLISH
            )
            if written.writer is None:
                return written
            batch = batch.model_copy(update={"claimed": written.writer})

    def _renumber(self, attempt: int | None, written: SessionState) -> None:
        """The confirmation that was *written* is another *attempt* than it was thought to be: this run was reset, and
        what is under that number is not its own.
        """
        known = written.confirmation
        if attempt is None or known is None or known.attempt == attempt:
            return
        self.state, self._shown = self.state.as_attempt(attempt), self._shown.as_attempt(attempt)
        self._pending = [event.model_copy(update={"state": event.state.as_attempt(attempt)}) for event in self._pending]
        self.adrift = True

    def _stand_behind(self, others: int, written: Sequence[SessionEvent]) -> None:
        """This run was reset, and *others* events of the run before it came after: it is numbered behind them."""
        if not others:
            return
        self._others += others
        self.state, self._shown = _later(self.state, others), _later(self._shown, others)
        self._pending = [
            event.model_copy(update={"sequence": event.sequence + others, "state": _later(event.state, others)})
            for event in self._pending
        ]
        self.adrift = True
        if written[-1].type != REWOUND:
            self.change(REWOUND)

    def show_operators(self) -> None:
        """Upsert the search attributes that changed, and say in words where the session stands."""
        workflow.set_current_details(current_details(self.state))
        now = attributes_of(self.state)
        changed = [
            key.value_set(value) if value is not None else key.value_unset()
            for key, value in now.items()
            if self._known[key] != value
        ]
        if changed:
            workflow.upsert_search_attributes(changed)
        self._known = now


def _same(one: Attention, other: Attention) -> bool:
    """Whether both ask about the same; what only people can mend is another thing with another detail."""
    alike = (one.reason, one.step) == (other.reason, other.step)
    return alike and (one.detail == other.detail or "acknowledge" not in other.can)


def failing_at(step: str) -> Callable[[Attention], bool]:
    """What the failing of *step* asks, and its success ends."""
    return lambda asked: asked.step == step and asked.reason in FAILING


def for_the_way(asked: Attention) -> bool:
    """What is asked about going on, and over once another way is taken; not what only people can mend."""
    return "acknowledge" not in asked.can


def _later(state: SessionState, others: int) -> SessionState:
    return state.model_copy(update={"version": state.version + others})
