"""Money that the gateway has moved and our rows do not have, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from psycopg.rows import DictRow

from checkout.commands import AtKey, FoundAdrift, PaymentReported
from checkout.ids import attempt_of, kind_of
from checkout.money import Money
from checkout.outcomes import Captured, Reconciled
from gateways.port import Account, Moved, PaymentGateway, Posted, ToAsk
from reconciler.further_runs import FurtherRuns
from reconciler.later import or_later, together
from store import reconciliation
from store.database import Database
from store.loose_ends import standing
from store.payment_records import PaymentRecords
from store.reconciliation import Between


class Comparison:
    """Compares an organisation's rows with the list of captures of a gateway."""

    def __init__(self, database: Database, gateways: Mapping[str, PaymentGateway], further: FurtherRuns) -> None:
        self._database = database
        self._gateways = gateways
        self._records = PaymentRecords(database)
        self._further = further

    async def compare(self, gateway: str, account: Account, between: Between) -> Reconciled:
        """Tell sessions of what was captured without a row, and record it; have somebody asked about rows without money.
        A payment that can't be looked at stops no other. Raises LookupError where there is no adapter of the gateway.
        """
        (since, until), organisation = between, account.organisation
        captures = await self._gateways[gateway].captures(account, since)
        listed = {moved.key: moved for moved in captures if moved.at < until}
        async with self._database.of(organisation) as connection:
            known = await reconciliation.statuses(connection, list(listed))
            rows = await reconciliation.captured(connection, gateway, account.at_gateway, between)
        unrecorded = [moved for key, moved in listed.items() if known.get(key) != "captured"]
        doubtful = [row for row in rows if row["key"] not in listed]
        works = chain(
            ((moved.key, self._recorded(gateway, account, moved)) for moved in unrecorded),
            ((row["key"], self._missed(gateway, account, row)) for row in doubtful),
        )
        return together([await or_later(f"{organisation}/{key}", work) for key, work in works])

    async def _recorded(self, gateway: str, account: Account, moved: Moved) -> Reconciled:
        """Tell the session of a capture, then record what the gateway says of it. In this order: once the row is there,
        no sweep finds the capture again, so the session must know of it. It reads a reported key also without a row.
        """
        session, organisation = moved.reference, account.organisation
        if session is None or not await self._is_ours(organisation, session, moved.key):
            return Reconciled(strangers=(moved.key,))
        told = PaymentReported(event="reconciliation", key=moved.key, captured=True)
        if not await self._further.pass_on(organisation, session, told):
            return Reconciled(strangers=(moved.key,))
        posted = Posted(moved.key, account, kind_of(moved.key), moved.amount, moved.at, moved.at_gateway)
        answer = await self._gateways[gateway].look_up(posted)
        if isinstance(answer, Captured):
            at = datetime.now(UTC)
            row = AtKey(organisation=organisation, session=session, at=at, key=moved.key, amount=moved.amount)
            await self._records.answered(row, answer, ToAsk(gateway, posted))
        return Reconciled(mended=1)

    async def _is_ours(self, organisation: UUID, session: UUID, key: str) -> bool:
        """Whether the key is one of a session that has a row."""
        known = attempt_of(session, key) is not None
        return known and (await standing(self._database, organisation, session)).state is not None

    async def _missed(self, gateway: str, account: Account, row: DictRow) -> Reconciled:
        """Have a session ask for attention where the gateway does not know of money that our row has."""
        amount = Money(minor=row["amount_minor"], currency=row["currency"])
        posted = Posted(row["key"], account, kind_of(row["key"]), amount, row["at"], row["reference"])
        if isinstance(await self._gateways[gateway].look_up(posted), Captured):
            return Reconciled()
        missing = FoundAdrift(missing=(posted.key,))
        return Reconciled(set_right=await self._further.set_right(account.organisation, row["session_id"], missing))
