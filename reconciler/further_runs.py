"""Telling a session something, whether or not its workflow still runs."""

from __future__ import annotations

from uuid import UUID

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from checkout.commands import FoundAdrift, PaymentReported
from checkout.ids import workflow_of
from checkout.session import SessionState
from store.database import Database
from store.loose_ends import standing
from workflows.resuming import resume


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
        stands = await standing(self._database, organisation, session)
        if stands.state is None:
            return False
        if stands.state.goes_on or _is_late(stands.state, reported):
            await resume(self._client, self._task_queue, stands.state, stands.policy, ("payment_reported", reported))
        return True

    async def set_right(self, organisation: UUID, session: UUID, found: FoundAdrift) -> bool:
        """Have the session take back what is no part of it, and go on where its workflow is over; False where there is
        no such session.
        """
        stands = await standing(self._database, organisation, session)
        if stands.state is None:
            return False
        await resume(self._client, self._task_queue, stands.state, stands.policy, ("found_adrift", found))
        return True

    async def _signal(self, organisation: UUID, session: UUID, signal: str, told: object) -> bool:
        try:
            await self._client.get_workflow_handle(workflow_of(organisation, session)).signal(signal, told)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True


def _is_late(state: SessionState, reported: PaymentReported) -> bool:
    return reported.captured and (reported.key is None or state.is_late(reported.key))
