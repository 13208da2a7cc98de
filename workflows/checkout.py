"""CheckoutWorkflow: a checkout session. Handlers move the status and wait; `run` drives the saga and the timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from activities.sessions import SessionActivities
from checkout.commands import (
    Accepted,
    Acknowledge,
    Cancel,
    ChangePayment,
    Compensate,
    Confirm,
    Effect,
    FoundAdrift,
    MethodSaved,
    MoveClock,
    Opening,
    PaymentReported,
    Request,
    Retry,
    Update,
)
from checkout.ids import workflow_of
from checkout.lifecycle import Event, Status
from checkout.session import TEMPORAL, SessionState, Undo
from checkout.session import Confirmation as ConfirmationState
from workflows.clock import Clock
from workflows.collection import Collection
from workflows.confirmation import Confirmation
from workflows.ending import complete, turn_back
from workflows.hosted_page import HostedPage
from workflows.live import GoesOn, LiveSession, for_the_way
from workflows.loose_ends import LooseEnds
from workflows.policies import PUBLISH
from workflows.refusals import (
    interrupted,
    may_acknowledge,
    may_cancel,
    may_change_payment,
    may_compensate,
    may_confirm,
    may_move_clock,
    may_retry,
    may_update,
    refused,
    refused_by,
)
from workflows.saga import CANCELLED, Undone, shielded, undo_of
from workflows.steps import Steps, undo_after
from workflows.summaries import summary_of

UNDO_BEGUN: Final = Undo(reason="A run before this one had begun to undo it.")

MOST_REPORTS: Final = 30
"""Hints beyond this many to one confirmation are not listened to: the workflow asks by itself anyway."""


@workflow.defn(name="CheckoutWorkflow")
class CheckoutWorkflow:
    """One checkout session, from open to completed, cancelled or closed, and on to its last due payment."""

    @workflow.init
    def __init__(self, opening: Opening) -> None:
        self._live = LiveSession(opening)
        self._opened = opening.state()
        self._steps = Steps(self._live)
        self._collection = Collection(self._live)
        self._loose = LooseEnds(self._live)
        self._clock = Clock(self._live)
        self._ready = opening.resumed is None
        self._taken_over: int | None = None
        self._cancelled = False
        self._reports = 0
        self._ended = 0
        self._undone: dict[int, Undo] = {}
        self._running: dict[str, str] = {}

    @workflow.run
    async def run(self, opening: Opening) -> None:
        if workflow.info().workflow_id != workflow_of(opening.organisation, opening.session):
            raise ApplicationError("A session's workflow has the session's own id.", non_retryable=True)
        publisher = asyncio.create_task(self._live.publish_for_ever())
        try:
            await self._to_its_end()
        except GoesOn:
            await workflow.wait_condition(self._can_leave)
        publisher.cancel()
        if self._live.leaving:
            workflow.continue_as_new(opening.model_copy(update={"resumed": self._live.state}))

    async def _to_its_end(self) -> None:
        """Live through the session; cancelled in Temporal, undo it. Raises GoesOn where another run is to go on."""
        try:
            if not self._ready:
                await shielded(self._take_over())
            await self._live_through()
            await self._settle()
        except BaseException as error:
            if is_cancelled_exception(error):
                self._live.may_leave = False
                await shielded(self._abandon())
                await shielded(self._settle())
            raise

    def _can_leave(self) -> bool:
        """Whether every read shows what this run did, and every caller has been answered."""
        return self._live.all_published and workflow.all_handlers_finished()

    async def _take_over(self) -> None:
        """Begin a further run where the one before it ended; until then nothing is accepted."""
        effect = Effect(**self._live.effect())
        standing = await workflow.execute_activity_method(
            SessionActivities.standing, effect, summary=summary_of("sessions.standing", effect), **PUBLISH
        )
        self._live.stand_at(standing)
        await self._clock.restore()
        if self._live.status is Status.PROCESSING:
            confirmation = self._live.confirmation
            self._taken_over = confirmation.attempt
            if standing.undo_begun and confirmation.undo is None:
                self._live.note(confirmation=confirmation.model_copy(update={"undo": UNDO_BEGUN}))
        self._ready = True
        if workflow.info().continued_run_id is not None:
            self._live.show_operators()
        elif self._live.state.goes_on or self._live.state.asks:
            self._live.change("checkout_session.resumed")

    async def _live_through(self) -> None:
        """Do what is to be done next, until there is nothing; what is no part of the session is taken back first. Nothing
        is done before reads show why: so a run that was reset learns of what came after before it does anything.
        """
        while self._live.state.goes_on:
            if not self._live.adrift:
                self._live.leave_if_long()
            if self._live.intruder:
                raise ApplicationError("This session had a workflow before: it can't begin again.", non_retryable=True)
            if self._live.adrift:
                await shielded(self._loose.tie())
            elif self._live.status is Status.OPEN:
                await self._until_left_open()
            elif not self._live.all_published:
                await self._live.until_published()
            elif self._live.status is Status.PROCESSING:
                await self._confirm_once()
            else:
                await self._collection.go_on()

    async def _until_left_open(self) -> None:
        """Wait for a confirm, a cancel or the expiry; after a timeout look again before acting."""
        while self._live.status is Status.OPEN and not (self._live.adrift or self._live.intruder or self._live.is_long):
            expires = self._live.state.offer.expires_at
            if workflow.now() >= expires:
                self._live.move(Event.EXPIRE)
                return
            try:
                await workflow.wait_condition(
                    partial(self._left_open_or_moved, expires),
                    timeout=expires - workflow.now(),
                    timeout_summary="The session expires",
                )
            except TimeoutError:
                continue

    def _left_open_or_moved(self, expires: datetime) -> bool:
        moved = self._live.status is not Status.OPEN or self._live.state.offer.expires_at != expires
        return moved or self._live.adrift or self._live.intruder or self._live.is_long

    async def _confirm_once(self, undo: Undo | None = None) -> None:
        """Run the saga to its end: completed; or undone, and reopened or closed. With *undo* it is only undone."""
        attempt = self._live.confirmation.attempt
        taken_over = attempt == self._taken_over or undo is not None
        undo = undo or (self._live.confirmation.undo if taken_over else None)
        page = HostedPage(self._live, self._steps, lambda: self._reports)
        try:
            await Confirmation(self._live, self._steps, page).run(taken_over=taken_over, undo=undo)
        except BaseException as why:
            if not (isinstance(why, Undone) or is_cancelled_exception(why)):
                raise
            self._undone[attempt] = undo_of(why)
            turn_back(self._live, page, undo_of(why))
            if not isinstance(why, Undone):
                raise
        else:
            complete(self._live)
        finally:
            if not self._live.leaving:
                self._ended = attempt

    async def _abandon(self) -> None:
        """Somebody pressed Cancel in Temporal: what was not left or undone by it yet is now."""
        self._cancelled = True
        if self._live.status is Status.OPEN:
            self._live.move(Event.CANCEL, actor=TEMPORAL)
        elif self._live.status is Status.PROCESSING:
            await self._live.until_published()
            await self._confirm_once(CANCELLED)
        elif self._live.state.goes_on:
            await self._collection.cancel_the_rest()

    async def _settle(self) -> None:
        """End only when every read shows the end, every caller has its answer, nothing is left to take back, and nobody
        is asked to see to something.
        """
        while not self._at_rest():
            if self._live.adrift:
                await shielded(self._loose.tie())
            self._steps.decision = self._collection.steps.decision = None
            self._live.lower_attention(for_the_way)
            await workflow.wait_condition(lambda: self._at_rest() or self._live.adrift)

    def _at_rest(self) -> bool:
        seen_to = self._live.state.attention is None or self._cancelled
        return self._live.all_published and seen_to and not self._live.adrift and workflow.all_handlers_finished()

    @workflow.update(
        name="confirm",
        description='Confirm: {"actor": "...", "mode": "charge_immediately", "charge_when_due" or "no_payment"}',
    )
    async def confirm(self, cmd: Confirm) -> Accepted:
        attempt = self._live.state.attempts + 1
        self._live.move(
            Event.CONFIRM,
            by=cmd,
            attempts=attempt,
            confirmed_at=workflow.now(),
            confirmation=ConfirmationState(
                mode=cmd.mode,
                attempt=attempt,
                confirmed_at=workflow.now(),
                method=cmd.method,
                preferred=cmd.preferred,
                save_method=cmd.save_method,
                notes=cmd.notes,
            ),
        )
        self._steps = Steps(self._live)
        self._reports = 0
        with self._answering(cmd):
            await self._live.until_published()
            attempt = self._live.confirmation.attempt
            await self._until(lambda: self._ended >= attempt or self._live.confirmation.redirect_url is not None)
            state = await self._live.until_published()
            if attempt in self._undone:
                raise refused_by(self._undone[attempt], state, cmd)
            return self._accepted(cmd, state)

    @confirm.validator
    def _may_confirm(self, cmd: Confirm) -> None:
        state = self._known(cmd)
        if self._live.adrift or self._loose.tying:
            raise self._busy(cmd)
        may_confirm(state, cmd, workflow.now())

    @workflow.update(name="update", description="Replace what is on offer: sent by the API only, which prices it first")
    async def update(self, cmd: Update) -> Accepted:
        self._live.change(
            "checkout_session.updated",
            by=cmd,
            data={"updated_fields": list(cmd.updated_fields)},
            offer=cmd.offer,
            business_entity=cmd.business_entity or self._live.state.business_entity,
            revision=self._live.state.revision + 1,
        )
        with self._answering(cmd):
            return self._accepted(cmd, await self._live.until_published())

    @update.validator
    def _may_update(self, cmd: Update) -> None:
        may_update(self._known(cmd), cmd, workflow.now())

    @workflow.update(name="cancel", description='Cancel an open session: {"actor": "..."}')
    async def cancel(self, cmd: Cancel) -> Accepted:
        self._live.move(Event.CANCEL, by=cmd, cancellation=cmd.details)
        with self._answering(cmd):
            return self._accepted(cmd, await self._live.until_published())

    @cancel.validator
    def _may_cancel(self, cmd: Cancel) -> None:
        may_cancel(self._known(cmd), cmd, workflow.now())

    @workflow.update(
        name="retry",
        description='Run the failing step again now, where attention offers it: {"actor": "...", "reason": "..."}',
    )
    async def retry(self, cmd: Retry = Retry()) -> Accepted:
        steps = self._acting
        if self._live.asked_last("retry").reason == "payment_failed":
            self._collection.retry_failed(cmd)
        else:
            steps.decision = cmd
            self._live.change("checkout_session.retried", by=cmd, data={"reason": cmd.reason})
        with self._answering(cmd):
            await self._until(lambda: steps.decision is not cmd)
            return self._accepted(cmd, await self._live.until_published())

    @retry.validator
    def _may_retry(self, cmd: Retry = Retry()) -> None:
        if self._loose.tying and not self._loose.asks:
            raise self._busy(cmd)
        may_retry(self._known(cmd), cmd, self._acting)

    @workflow.update(
        name="compensate",
        description="Undo everything done so far and return the money: "
        '{"actor": "...", "reason": "...", "then": "reopen" or "close"}',
    )
    async def compensate(self, cmd: Compensate = Compensate()) -> Accepted:
        self._steps.decision = cmd
        attempt = self._live.confirmation.attempt
        undo = undo_after(self._live.confirmation.undo, cmd)
        confirmation = self._live.confirmation.model_copy(update={"undo": undo})
        reason = {"reason": cmd.reason}
        self._live.change("checkout_session.compensating", by=cmd, data=reason, confirmation=confirmation)
        with self._answering(cmd):
            await self._until(lambda: self._ended >= attempt)
            return self._accepted(cmd, await self._live.until_published())

    @compensate.validator
    def _may_compensate(self, cmd: Compensate = Compensate()) -> None:
        may_compensate(self._known(cmd), cmd, self._steps)

    @workflow.update(
        name="acknowledge",
        description='Say that you have seen to it, where attention offers it: {"actor": "...", "reason": "..."}',
    )
    async def acknowledge(self, cmd: Acknowledge = Acknowledge()) -> Accepted:
        seen_to = self._live.asked_last("acknowledge")
        left = tuple(asked for asked in self._live.state.asks if asked is not seen_to)
        data = {"reason": cmd.reason} | ({"key": seen_to.key} if seen_to.key else {})
        self._live.change("checkout_session.acknowledged", by=cmd, data=data, asks=left)
        with self._answering(cmd):
            return self._accepted(cmd, await self._live.until_published())

    @acknowledge.validator
    def _may_acknowledge(self, cmd: Acknowledge = Acknowledge()) -> None:
        may_acknowledge(self._known(cmd), cmd)

    @workflow.update(
        name="change_payment",
        description='Change a due payment: {"actor": "...", "reason": "...", "n": 1, "action": "move", "date": '
        '"2027-03-01"}; also "bring_forward", "pause", "resume", "cancel", "change_method" with "method"',
    )
    async def change_payment(self, cmd: ChangePayment) -> Accepted:
        with self._answering(cmd):
            if self._collection.instalment(cmd.n).status == "needs_customer":
                self._collection.take_back_page(cmd.n)
                await self._until(lambda: self._collection.instalment(cmd.n).status != "needs_customer")
                may_change_payment(self._live.state, cmd, workflow.now())
            self._collection.change(cmd)
            await self._until(lambda: self._collection.instalment(cmd.n).resolved)
            return self._accepted(cmd, await self._live.until_published())

    @change_payment.validator
    def _may_change_payment(self, cmd: ChangePayment) -> None:
        may_change_payment(self._known(cmd), cmd, workflow.now())

    @workflow.signal(name="payment_method_saved", description="The customer saved another method; sent by the service")
    def payment_method_saved(self, saved: MethodSaved) -> None:
        self._collection.tell(saved)

    @workflow.update(
        name="move_clock",
        description="In a sandbox: move the clock of this session, and of no other: "
        '{"actor": "...", "to": "2027-01-31T00:00:00Z"}',
    )
    async def move_clock(self, cmd: MoveClock) -> Accepted:
        with self._answering(cmd):
            fixed = await self._clock.move(cmd)
            state = await self._live.until_published()
            if fixed:
                raise refused(state, cmd, "test-clock-unavailable", fixed)
            return self._accepted(cmd, state)

    @move_clock.validator
    def _may_move_clock(self, cmd: MoveClock) -> None:
        may_move_clock(self._known(cmd), cmd, workflow.now(), moving=self._live.clock_moving)

    @workflow.signal(name="payment_reported", description="Ask the gateway now what is true; sent by the service")
    def payment_reported(self, event: PaymentReported = PaymentReported()) -> None:
        if self._reports < MOST_REPORTS:
            self._reports += 1
        self._collection.tell(event)
        if event.key and event.captured:
            self._loose.report(event.key)

    @workflow.signal(name="found_adrift", description="Take back what is no part of the session; sent by the service")
    def found_adrift(self, found: FoundAdrift = FoundAdrift()) -> None:
        self._loose.miss(found.missing)
        if found.rewound:
            self._loose.rewind()

    @workflow.query(name="session", description="The session as it stands: status, money, attention; takes no input")
    def session(self) -> SessionState:
        return self._live.state

    @workflow.query(name="opened", description="The session as it opened")
    def opened(self) -> SessionState:
        return self._opened

    @workflow.query(name="running_request", description="Which request a running update answers, by update id")
    def running_request(self, update: str) -> str | None:
        return self._running.get(update)

    def _known(self, cmd: Request) -> SessionState:
        """The session that a validator asks about. Raises a refusal while this run does not know where it stands, or
        leaves what comes to the next one.
        """
        if not self._ready or self._live.leaving:
            raise self._busy(cmd)
        return self._live.state

    def _busy(self, cmd: Request) -> ApplicationError:
        why = "What an earlier run of this session left is being seen to first."
        return refused(self._live.state, cmd, "temporarily-unavailable", why)

    @property
    def _acting(self) -> Steps:
        """What takes steps now, and is told what an operator decides."""
        if self._loose.tying:
            return self._loose.steps
        return self._collection.steps if self._live.status is Status.COMPLETED else self._steps

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until *holds*; raises `interrupted` where this run leaves it to the next one."""
        await workflow.wait_condition(lambda: holds() or self._live.leaving)
        if not holds():
            raise interrupted()

    @contextmanager
    def _answering(self, cmd: Request) -> Iterator[None]:
        """Remember which request is being answered, for as long as it is."""
        info = workflow.current_update_info()
        update = info.id if info else ""
        self._running[update] = cmd.request
        try:
            yield
        finally:
            del self._running[update]

    def _accepted(self, cmd: Request, state: SessionState) -> Accepted:
        return Accepted(request=cmd.request, fingerprint=cmd.fingerprint, state=state)
