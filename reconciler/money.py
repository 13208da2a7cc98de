"""Money that the gateway has moved and our rows do not have, and the other way round."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from checkout.commands import AtKey, FoundAdrift, PaymentReported
from checkout.ids import attempt_of
from checkout.outcomes import Captured, Reconciled
from gateways.port import Moved, PaymentGateway
from reconciler.further_runs import FurtherRuns
from reconciler.later import or_later, together
from store import reconciliation
from store.database import Database
from store.loose_ends import standing
from store.payment_records import PaymentRecords
from store.reconciliation import Between


class Money:
    """Compares an organisation's rows with its gateway's list of captures."""

    def __init__(self, database: Database, further: FurtherRuns) -> None:
        self._database = database
        self._records = PaymentRecords(database)
        self._further = further

    async def compare(self, organisation: UUID, gateway: PaymentGateway, between: Between) -> Reconciled:
        """Tell sessions of what was captured without a row, and record it; have somebody asked about rows without money.
        A payment that can't be looked at stops no other.
        """
        since, until = between
        listed = {moved.key: moved for moved in await gateway.captures(organisation, since) if moved.at < until}
        async with self._database.of(organisation) as connection:
            known = await reconciliation.statuses(connection, list(listed))
            rows = await reconciliation.captured(connection, between)
        unrecorded = [moved for key, moved in listed.items() if known.get(key) != "captured"]
        doubtful = [row for row in rows if row["key"] not in listed]
        works = chain(
            ((moved.key, self._recorded(organisation, gateway, moved)) for moved in unrecorded),
            ((row["key"], self._missed(organisation, gateway, row["session_id"], row["key"])) for row in doubtful),
        )
        return together([await or_later(f"{organisation}/{key}", work) for key, work in works])

    async def _recorded(self, organisation: UUID, gateway: PaymentGateway, moved: Moved) -> Reconciled:
        """Tell the session of a capture, then record what the gateway says of it. In this order: once the row is there,
        no sweep finds the capture again, so the session must know of it. It reads a reported key also without a row.
        """
        session = moved.reference
        if session is None or not await self._is_ours(organisation, session, moved.key):
            return Reconciled(strangers=(moved.key,))
        told = PaymentReported(event="reconciliation", key=moved.key, captured=True)
        if not await self._further.pass_on(organisation, session, told):
            return Reconciled(strangers=(moved.key,))
        answer = await gateway.look_up(moved.key, organisation)
        if isinstance(answer, Captured):
            at = datetime.now(UTC)
            row = AtKey(organisation=organisation, session=session, at=at, key=moved.key, amount=moved.amount)
            await self._records.answered(row, answer)
        return Reconciled(mended=1)

    async def _is_ours(self, organisation: UUID, session: UUID, key: str) -> bool:
        """Whether the key is one of a session that has a row."""
        known = attempt_of(session, key) is not None
        return known and (await standing(self._database, organisation, session)).state is not None

    async def _missed(self, organisation: UUID, gateway: PaymentGateway, session: UUID, key: str) -> Reconciled:
        """Have a session ask for attention where the gateway does not know of money that our row has."""
        if isinstance(await gateway.look_up(key, organisation), Captured):
            return Reconciled()
        missing = FoundAdrift(missing=(key,))
        return Reconciled(set_right=await self._further.set_right(organisation, session, missing))
