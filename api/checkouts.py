"""The way from the API to the workflows of sessions: starting one, telling it something, reading it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import Depends, Request
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.auth import Caller
from api.earlier_answers import Unanswered, earlier_answer
from api.problems import Problem
from api.session_answer import Session, shown
from api.temporal_errors import NO_ANSWER, is_away, is_unknown, problem_of, refusal_of, unavailable, was_interrupted
from checkout.commands import Accepted, MethodSaved, Opening, PaymentReported
from checkout.commands import Request as Command
from checkout.ids import update_of, workflow_of
from checkout.lifecycle import FINAL
from checkout.session import SessionState
from reconciler.further_runs import FurtherRuns
from store import reconciliation, sessions
from store.database import UNAVAILABLE, Database
from workflows.checkout import CheckoutWorkflow
from workflows.resuming import presented

SOON: Final = 1.0
"""Seconds after which a call that is still running asks whether it is waiting for another one's answer."""


@dataclass(frozen=True)
class Told:
    """What a session answered. *state* is None while it is still at work; *replayed* is an earlier call's answer."""

    state: SessionState | None
    replayed: bool = False


class Checkouts:
    """The sessions of every organisation; each method names the organisation it acts for."""

    def __init__(self, client: Client, database: Database, task_queue: str, wait: float) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._wait = wait
        self._further = FurtherRuns(client, database, task_queue)

    async def start(self, opening: Opening) -> bool:
        """Start the session's workflow; False when it was started before. Raises `temporarily-unavailable`."""
        try:
            await asyncio.wait_for(
                self._client.start_workflow(
                    CheckoutWorkflow.run,
                    opening,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    **presented(opening),
                ),
                self._wait,
            )
        except WorkflowAlreadyStartedError:
            return False
        except NO_ANSWER as error:
            raise unavailable(error) from None
        return True

    async def opened(self, organisation: UUID, session: UUID) -> SessionState | None:
        """The session as it opened, whatever it is now; None where there is none."""
        async with self._database.of(organisation) as connection:
            state = await sessions.opened(connection, session)
        return state or await self._queried(organisation, session, "opened")

    async def state(self, organisation: UUID, session: UUID) -> SessionState:
        """The session as it stands: from the view, or from its workflow where nothing is published yet.

        Raises `session-not-found`.
        """
        async with self._database.of(organisation) as connection:
            row = await sessions.find(connection, session)
        if row is not None:
            return SessionState.model_validate(row["state"])
        state = await self._queried(organisation, session, "session")
        if state is None:
            raise Problem("session-not-found")
        return state

    async def show(self, state: SessionState) -> Session:
        """*state* with its documents."""
        async with self._database.of(state.organisation) as connection:
            return shown(state, await sessions.documents(connection, state))

    async def read(self, organisation: UUID, session: UUID) -> Session:
        """The session as it stands, with its documents, in one question to the database. Raises `session-not-found`."""
        return (await self.stands(organisation, session))[1]

    async def stands(self, organisation: UUID, session: UUID) -> tuple[SessionState, Session]:
        """The session as it stands, and as it is shown, likewise."""
        async with self._database.of(organisation) as connection:
            row = await sessions.find(connection, session)
        if row is not None:
            state = SessionState.model_validate(row["state"])
            return state, shown(state, row, datetime.now(UTC))
        state = await self.state(organisation, session)
        return state, await self.show(state)

    async def told_before(self, caller: Caller, session: UUID, call: str, print_: str, key: str) -> Told | None:
        """What the session answered to *call* under *key* before; None where it was never asked, or Temporal is away.

        Raises the earlier refusal's problem, `idempotency-key-reused`.
        """
        update = update_of(call, key)
        with suppress(Unanswered):
            if state := await earlier_answer(self._database, caller.organisation, session, update, print_):
                return Told(state, replayed=True)
        handle = self._client.get_workflow_handle(workflow_of(caller.organisation, session))
        earlier = handle.get_update_handle(update, result_type=Accepted)
        try:
            accepted = await asyncio.wait_for(earlier.result(), self._wait)
        except WorkflowUpdateFailedError as error:
            if was_interrupted(error):
                return None
            refusal = refusal_of(error)
            _same_request(refusal.fingerprint, print_)
            raise problem_of(refusal) from None
        except (WorkflowUpdateRPCTimeoutOrCancelledError, *NO_ANSWER):
            return None
        _same_request(accepted.fingerprint, print_)
        return Told(accepted.state, replayed=True)

    async def tell(self, caller: Caller, session: UUID, call: str, cmd: Command, key: str | None) -> Told:
        """Send *cmd* as the update *call*, under an id derived from *key*: sent again, it finds its first answer.

        Raises the refusal's problem, `idempotency-key-reused`, `request-in-progress`, `session-not-found`,
        `temporarily-unavailable`.
        """
        update, begun = update_of(call, key) if key else str(uuid4()), False
        try:
            state = key and await earlier_answer(self._database, caller.organisation, session, update, cmd.fingerprint)
        except Unanswered:
            state, begun = None, True
        if state:
            return Told(state, replayed=True)
        handle = self._client.get_workflow_handle(workflow_of(caller.organisation, session))
        sent = asyncio.ensure_future(handle.execute_update(call, cmd, id=update, result_type=Accepted))
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({sent}, timeout=min(SOON, self._wait))
            if not sent.done() and key and await _somebody_elses(handle, update, cmd):
                raise Problem("request-in-progress")
            if not sent.done():
                await asyncio.wait({sent}, timeout=max(0, self._wait - SOON))
            if not sent.done():
                return Told(None)
            return await self._answer(caller.organisation, session, cmd, sent, begun=begun)
        finally:
            sent.cancel()

    async def hint(self, organisation: UUID, session: UUID, reported: PaymentReported) -> bool:
        """Tell the session that something happened at the gateway; False where there is no such session (yet). A workflow
        that is over goes on in a further run where there is something left to do: the session goes on, or money arrived
        late. Raises TimeoutError, and what Temporal's client and psycopg raise where they are away.
        """
        async with asyncio.timeout(self._wait):
            return await self._further.pass_on(organisation, session, reported)

    async def method_saved(self, organisation: UUID, method: UUID) -> None:
        """Tell every session that the method may pay of it. What is not told now, the reconciler tells later."""
        with suppress(*NO_ANSWER, *UNAVAILABLE):
            async with asyncio.timeout(self._wait):
                async with self._database.of(organisation) as connection:
                    unpaid = await reconciliation.unpaid_with(connection, method)
                for session in unpaid:
                    await self._further.method_saved(organisation, session, MethodSaved(method=method))

    async def _answer(
        self, organisation: UUID, session: UUID, cmd: Command, sent: asyncio.Future[Accepted], *, begun: bool
    ) -> Told:
        """The answer; still at work where the request had *begun* in another run than the one that refused it now."""
        try:
            accepted = sent.result()
        except WorkflowUpdateFailedError as error:
            if was_interrupted(error):
                return Told(None)
            refusal = refusal_of(error)
            _same_request(refusal.fingerprint, cmd.fingerprint)
            if begun and refusal.request == cmd.request:
                return Told(None)
            raise problem_of(refusal) from None
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            return Told(None)
        except NO_ANSWER as error:
            if is_unknown(error):
                raise await self._ended(organisation, session) from None
            if is_away(error):
                return Told(None)
            raise unavailable(error) from None
        _same_request(accepted.fingerprint, cmd.fingerprint)
        return Told(accepted.state, replayed=accepted.request != cmd.request)

    async def _ended(self, organisation: UUID, session: UUID) -> Problem:
        """Why a session takes no update: it does not exist, or it has ended."""
        state = await self.state(organisation, session)
        if state.status not in FINAL:
            return Problem("temporarily-unavailable")
        return Problem(
            "invalid-status-transition",
            f"The session is {state.status} and its payment is {state.payment_status}. Nothing is allowed any more.",
            session_status=state.status,
            payment_status=state.payment_status,
            allowed=[],
        )

    async def _queried(self, organisation: UUID, session: UUID, query: str) -> SessionState | None:
        handle = self._client.get_workflow_handle(workflow_of(organisation, session))
        try:
            return await asyncio.wait_for(handle.query(query, result_type=SessionState), self._wait)
        except NO_ANSWER as error:
            if is_unknown(error):
                return None
            raise unavailable(error) from None


def _same_request(first: str, now: str) -> None:
    if first != now:
        raise Problem("idempotency-key-reused")


async def _somebody_elses(handle: WorkflowHandle[object, object], update: str, cmd: Command) -> bool:
    """Whether the answer being waited for belongs to another call with the same key."""
    try:
        running = await asyncio.wait_for(handle.query("running_request", update, result_type=str), SOON)
    except NO_ANSWER:
        return False
    return running is not None and running != cmd.request


def _checkouts(request: Request) -> Checkouts:
    state = request.app.state
    return Checkouts(state.temporal, state.database, state.task_queue, state.wait)


Sessions = Annotated[Checkouts, Depends(_checkouts)]
