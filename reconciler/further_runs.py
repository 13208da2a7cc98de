"""Telling a session something, whether or not its workflow still runs."""

from __future__ import annotations

from uuid import UUID

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from checkout.commands import FoundAdrift, MethodSaved, Opening, PaymentReported
from checkout.ids import workflow_of
from checkout.outcomes import Standing
from checkout.session import SessionState
from store.database import Database
from store.loose_ends import standing
from workflows.resuming import resume, start_again


class FurtherRuns:
    """Signals that reach sessions in every state. Raises what Temporal's client and psycopg raise where they are away."""

    def __init__(self, client: Client, database: Database, task_queue: str) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue

    async def pass_on(self, organisation: UUID, session: UUID, reported: PaymentReported) -> bool:
        """Pass on what a gateway reported; False where there is no such session (yet). A session that is over is left
        alone, unless money arrived that is no part of it.
        """
        if await self._signal(organisation, session, "payment_reported", reported):
            return True
        stands = await self._standing(organisation, session)
        if stands.state is None:
            return False
        if stands.state.goes_on or _is_late(stands.state, reported):
            await resume(self._client, self._task_queue, stands.state, stands.policy, ("payment_reported", reported))
        return True

    async def method_saved(self, organisation: UUID, session: UUID, saved: MethodSaved) -> bool:
        """Tell a session whose payment was declined of another method to charge; False where nothing is left to do."""
        if await self._signal(organisation, session, "payment_method_saved", saved):
            return True
        stands = await self._standing(organisation, session)
        if stands.state is None or not stands.state.goes_on:
            return False
        await resume(self._client, self._task_queue, stands.state, stands.policy, ("payment_method_saved", saved))
        return True

    async def go_on(self, organisation: UUID, session: UUID) -> bool:
        """Have a session go on whose workflow is over; False where it runs, or has nothing left to do. One that asks for
        attention waits for an answer, unless its workflow was cancelled: then somebody has ended it like that.
        """
        handle = self._client.get_workflow_handle(workflow_of(organisation, session))
        status = await _status(handle)
        if status is WorkflowExecutionStatus.RUNNING:
            return False
        stands = await self._standing(organisation, session)
        if stands.state is None:
            return status is not None and await self._open_again(handle)
        asks = stands.state.attention is not None and status is not WorkflowExecutionStatus.CANCELED
        return (stands.state.goes_on or asks) and await self.set_right(organisation, session, FoundAdrift())

    async def _open_again(self, handle: WorkflowHandle[object, object]) -> bool:
        """Start a session anew that ended before anything of it was published."""
        async for event in handle.fetch_history_events():
            given = event.workflow_execution_started_event_attributes.input.payloads
            (opening,) = await self._client.data_converter.decode(list(given), [Opening])
            await start_again(self._client, self._task_queue, opening)
            return True
        return False

    async def set_right(self, organisation: UUID, session: UUID, found: FoundAdrift) -> bool:
        """Have the session take back what is no part of it, and go on where its workflow is over; False where there is
        no such session.
        """
        stands = await self._standing(organisation, session)
        if stands.state is None:
            return False
        await resume(self._client, self._task_queue, stands.state, stands.policy, ("found_adrift", found))
        return True

    async def _standing(self, organisation: UUID, session: UUID) -> Standing:
        return await standing(self._database, organisation, session)

    async def _signal(self, organisation: UUID, session: UUID, signal: str, told: object) -> bool:
        try:
            await self._client.get_workflow_handle(workflow_of(organisation, session)).signal(signal, told)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True


async def _status(handle: WorkflowHandle[object, object]) -> WorkflowExecutionStatus | None:
    """How the session's workflow stands; None where Temporal does not know it (any more)."""
    try:
        return (await handle.describe()).status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _is_late(state: SessionState, reported: PaymentReported) -> bool:
    return reported.captured and (reported.key is None or state.is_late(reported.key))
