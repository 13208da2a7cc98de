"""The composition of the checker: gathers the evidence of every session, and judges it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from audit import histories, ledger, tables
from audit.evidence import STALE, Evidence, Run, Violation
from audit.invariants import judged
from audit.rest import unrest
from settings import Settings
from stack.errors import StackError
from stack.ready import Ready
from store.database import UNAVAILABLE, Database
from workflows.connection import connect

AT_ONCE: Final = 8
"""Histories that are read at the same time."""


@dataclass(frozen=True)
class Sources:
    """Where the evidence is: PostgreSQL's URL, the sandbox provider's, and Temporal's host:port (None: as the
    environment says).
    """

    database: str
    sandbox: str
    temporal: str | None = None
    retention: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Report:
    """How many *sessions* were judged, what does not hold, and which are not at rest, with why."""

    sessions: int
    violations: tuple[Violation, ...]
    moving: dict[UUID, str]


def sources(settings: Settings, ready_file: Path | None) -> Sources:
    """From the ready file where one is given, else from the settings. Raises StackError where they don't say."""
    retention = timedelta(days=settings.retention_days)
    if ready_file is not None:
        try:
            ready = Ready.model_validate_json(ready_file.read_bytes())
        except OSError as error:
            raise StackError(f"The ready file can't be read: {error.strerror}.") from error
        return Sources(ready.database, ready.gateway, ready.temporal, retention)
    if settings.database_url is None or settings.sandbox_url is None:
        raise StackError("Set CHECKOUT_DATABASE_URL and CHECKOUT_SANDBOX_URL, or name a --ready-file.")
    return Sources(settings.database_url.get_secret_value(), settings.sandbox_url, retention=retention)


async def audit(
    where: Sources, *, organisation: UUID | None = None, session: UUID | None = None, stale: timedelta = STALE
) -> Report:
    """Judge every session of every organisation, of one *organisation*, or one *session*. Raises StackError where a
    source of evidence is away.
    """
    try:
        temporal = await connect(override={"TEMPORAL_ADDRESS": where.temporal} if where.temporal else None)
    except RuntimeError as error:
        raise StackError("Temporal does not answer.") from error
    try:
        return await _audit(where, temporal, organisation, session, stale)
    except (*UNAVAILABLE, httpx.HTTPError, RPCError) as error:
        raise StackError(f"A source of evidence does not answer: {type(error).__name__}.") from error


async def _audit(
    where: Sources, temporal: Client, organisation: UUID | None, session: UUID | None, stale: timedelta
) -> Report:
    async with Database(where.database, most=2) as database, httpx.AsyncClient(base_url=where.sandbox) as sandbox:
        gatherer = Gatherer(database, sandbox, temporal, replace(NOBODY, stale=stale, retention=where.retention))
        asked = [organisation] if organisation else await tables.organisations(database)
        seen = [each for one in asked for each in await gatherer.gathered(one, session)]
    moving = {each.session: why for each in seen if (why := unrest(each))}
    return Report(len(seen), tuple(violation for each in seen for violation in judged(each)), moving)


NOBODY: Final = Evidence(organisation=UUID(int=0), session=UUID(int=0), at=datetime.min.replace(tzinfo=UTC))


class Gatherer:
    """Gathers evidence: tables first, then the ledger, then histories; and looks who moved meanwhile."""

    def __init__(self, database: Database, sandbox: httpx.AsyncClient, temporal: Client, blank: Evidence) -> None:
        self._database = database
        self._sandbox = sandbox
        self._temporal = temporal
        self._blank = blank
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def gathered(self, organisation: UUID, session: UUID | None) -> list[Evidence]:
        """The evidence of every session of an organisation that any source names, or of the one asked for."""
        executions = await histories.runs(self._temporal, organisation, session)
        rows = await tables.read(self._database, organisation, session)
        lines = await ledger.read(self._sandbox, organisation)
        named = rows.sessions | set(executions) | set(lines)
        named = named & {session} if session else named
        histories_of = (self._runs(organisation, one, executions.get(one, [])) for one in named)
        runs = dict(zip(named, await asyncio.gather(*histories_of), strict=True))
        at, versions = datetime.now(UTC), await tables.versions(self._database, organisation)
        return [
            replace(
                self._blank,
                organisation=organisation,
                session=one,
                at=at,
                moved=versions.get(one) != (rows.views[one].version if one in rows.views else None),
                ledger=lines.get(one, ()),
                payments=rows.payments.get(one, ()),
                contracts=rows.contracts.get(one, ()),
                contents=rows.contents,
                events=rows.events.get(one, ()),
                view=rows.views.get(one),
                runs=runs[one],
            )
            for one in sorted(named)
        ]

    async def _runs(self, organisation: UUID, session: UUID, listed: Sequence[WorkflowExecution]) -> tuple[Run, ...]:
        async with self._turn:
            found = listed or await histories.latest(self._temporal, organisation, session)
            return tuple([await histories.run(self._temporal, each) for each in found])
