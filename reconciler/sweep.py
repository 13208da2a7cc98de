"""One sweep of the reconciler over every organisation: what it finds is set right, or somebody is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from psycopg.rows import DictRow
from temporalio.client import Client

from checkout.commands import FoundAdrift, MethodSaved, PaymentReported, Reconcile
from checkout.outcomes import Reconciled
from gateways.port import PaymentGateway
from reconciler.ended import Runs, ended_early, running
from reconciler.further_runs import FurtherRuns
from reconciler.later import or_later, together
from reconciler.money import Comparison
from store import gateway_events, organisations, reconciliation
from store.database import Database
from store.reconciliation import Between

NOBODY: Final = UUID(int=0)

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when events may have waited: however long ago, they are no less about a session that may be known by now."""


class Sweep:
    """Sweeps can be repeated, and may run beside everything else: a session decides about itself in its own workflow."""

    def __init__(
        self,
        client: Client,
        database: Database,
        gateways: Mapping[str, PaymentGateway],
        further: FurtherRuns,
    ) -> None:
        self._client = client
        self._database = database
        self._further = further
        self._money = Comparison(database, gateways, further)

    async def sweep(self, cmd: Reconcile) -> Reconciled:
        """Look at what happened since the window began; or at everything that is not over."""
        now = datetime.now(UTC)
        since, between = now - cmd.window, (now - cmd.window, now - cmd.rest)
        dead = await ended_early(self._client, since)
        alive = await running(self._client, None if cmd.everything else since)
        async with self._database.unbound() as connection:
            every = await organisations.every(connection)
        waiting_since = EVER if cmd.everything else since
        done = [await or_later("events", self._passed_on((waiting_since, between[1])))]
        for organisation in every:
            for what, work in (
                ("ended", self._went_on(organisation, set(dead.get(organisation, ())))),
                ("lost", self._found_again(organisation, alive if cmd.everything else None)),
                ("rewound", self._rewound(organisation, alive)),
                ("adrift", self._set_right(organisation, between)),
                ("methods", self._payable(organisation, between)),
                ("money", self._compared(organisation, between)),
            ):
                done.append(await or_later(f"{organisation}/{what}", work))
        return together(done)

    async def _passed_on(self, between: Between) -> Reconciled:
        """Events that nobody could be told of when they came: their session was not known, or somebody was away."""
        async with self._database.unbound() as connection:
            waiting = await gateway_events.next_in_line(connection, *between)
        return together([await or_later(f"events/{row['gateway']}/{row['id']}", self._heard(row)) for row in waiting])

    async def _heard(self, row: DictRow) -> Reconciled:
        told = PaymentReported(event=row["id"], key=row["key"], captured=row["captured"])
        if not await self._further.pass_on(row["organisation_id"], row["session_id"], told):
            return Reconciled()
        async with self._database.unbound() as connection:
            await gateway_events.passed_on(connection, row["gateway"], row["id"])
        return Reconciled(passed_on=1)

    async def _found_again(self, organisation: UUID, alive: Runs | None) -> Reconciled:
        """Sessions that are not over by their rows, and that Temporal does not list as running; looked for where *alive*
        lists all that run.
        """
        return await self._went_on(organisation, await self._lost(organisation, alive) if alive is not None else set())

    async def _lost(self, organisation: UUID, alive: Runs) -> set[UUID]:
        lost: set[UUID] = set()
        after: UUID | None = NOBODY
        while after is not None:
            async with self._database.of(organisation) as connection:
                page = await reconciliation.unfinished(connection, after)
            lost |= set(page) - set(alive.get(organisation, ()))
            after = page[-1] if page else None
        return lost

    async def _went_on(self, organisation: UUID, ended: set[UUID]) -> Reconciled:
        """Sessions whose workflow ended early go on; each decides by itself whether it is over."""
        return together(
            [
                await or_later(f"{organisation}/{session}", self._goes_on(organisation, session))
                for session in sorted(ended)
            ]
        )

    async def _goes_on(self, organisation: UUID, session: UUID) -> Reconciled:
        return Reconciled(went_on=await self._further.go_on(organisation, session))

    async def _told(self, organisation: UUID, session: UUID, found: FoundAdrift) -> Reconciled:
        return Reconciled(set_right=await self._further.set_right(organisation, session, found))

    async def _all_told(self, organisation: UUID, sessions: Iterable[UUID], found: FoundAdrift) -> Reconciled:
        return together(
            [
                await or_later(f"{organisation}/{session}", self._told(organisation, session, found))
                for session in sessions
            ]
        )

    async def _rewound(self, organisation: UUID, alive: Runs) -> Reconciled:
        """Sessions whose row was written by another run than the one that runs: what reads show is of before a reset."""
        runs = alive.get(organisation, {})
        async with self._database.of(organisation) as connection:
            writers = await reconciliation.written_by(connection, list(runs))
        others = [session for session, run in writers.items() if run != runs[session]]
        return await self._all_told(organisation, others, FoundAdrift(rewound=True))

    async def _set_right(self, organisation: UUID, between: Between) -> Reconciled:
        """Sessions whose rows hold what is no part of them."""
        async with self._database.of(organisation) as connection:
            adrift = await reconciliation.adrift(connection, between)
        return await self._all_told(organisation, adrift, FoundAdrift())

    async def _payable(self, organisation: UUID, between: Between) -> Reconciled:
        """Sessions that could not be told of a method when it was saved, and wait for money all the same."""
        async with self._database.of(organisation) as connection:
            unpaid = await reconciliation.unpaid_since(connection, between)
        return together(
            [
                await or_later(f"{organisation}/{session}", self._told_of(organisation, session, method))
                for session, method in unpaid
            ]
        )

    async def _told_of(self, organisation: UUID, session: UUID, method: UUID) -> Reconciled:
        saved = MethodSaved(method=method)
        return Reconciled(passed_on=await self._further.method_saved(organisation, session, saved))

    async def _compared(self, organisation: UUID, between: Between) -> Reconciled:
        """Rows and gateways: where the organisation takes money, and where it did."""
        async with self._database.of(organisation) as connection:
            places = await organisations.at_gateways(connection, organisation)
        return together(
            [
                await or_later(f"{organisation}/{name}", self._money.compare(name, account, between))
                for name, account in places
            ]
        )
