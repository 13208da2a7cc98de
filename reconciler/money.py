"""Money that the gateway has moved and our rows do not have, and the other way round."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from checkout.commands import AtKey, FoundAdrift, PaymentReported
from checkout.ids import attempt_of
from checkout.outcomes import Captured, Reconciled
from gateways.port import Moved, PaymentGateway
from reconciler.further_runs import FurtherRuns
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
        """Write rows for what was captured without one, and tell its session; ask somebody about rows without money."""
        since, until = between
        listed = [moved for moved in await gateway.captures(organisation, since) if moved.at < until]
        keys = [moved.key for moved in listed]
        async with self._database.of(organisation) as connection:
            known = await reconciliation.statuses(connection, keys)
            rows = await reconciliation.captured(connection, between)
        unrecorded = [moved for moved in listed if known.get(moved.key) != "captured"]
        strangers = [moved.key for moved in unrecorded if not await self._recorded(organisation, gateway, moved)]
        doubtful = [row for row in rows if row["key"] not in keys]
        asked = [
            row["key"] for row in doubtful if await self._missed(organisation, gateway, row["session_id"], row["key"])
        ]
        return Reconciled(mended=len(unrecorded) - len(strangers), set_right=len(asked), strangers=tuple(strangers))

    async def _recorded(self, organisation: UUID, gateway: PaymentGateway, moved: Moved) -> bool:
        """Record what the gateway says of a capture, and tell its session; False where there is no such session."""
        known = moved.reference is not None and attempt_of(moved.reference, moved.key) is not None
        if (
            not known
            or moved.reference is None
            or (await standing(self._database, organisation, moved.reference)).state is None
        ):
            return False
        answer = await gateway.look_up(moved.key, organisation)
        if isinstance(answer, Captured):
            at = AtKey(
                organisation=organisation,
                session=moved.reference,
                at=datetime.now(UTC),
                key=moved.key,
                amount=moved.amount,
            )
            await self._records.answered(at, answer)
        told = PaymentReported(event="reconciliation", key=moved.key, captured=True)
        return await self._further.pass_on(organisation, moved.reference, told)

    async def _missed(self, organisation: UUID, gateway: PaymentGateway, session: UUID, key: str) -> bool:
        """Whether the gateway does not know of money that our row has; then its session asks for attention."""
        if isinstance(await gateway.look_up(key, organisation), Captured):
            return False
        return await self._further.set_right(organisation, session, FoundAdrift(missing=(key,)))
