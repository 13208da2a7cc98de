"""The tables' side of the evidence: each organisation's rows, read within its own tenancy, by session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

from audit.evidence import ContractRow, EventRow, PaymentRow, ViewRow
from checkout.session import SessionState
from store.database import Database

Row = TypeVar("Row", PaymentRow, ContractRow)

QUESTIONS: Final[Mapping[str, LiteralString]] = {
    "checkout_sessions": "SELECT *, id AS session_id FROM checkout_sessions WHERE id = coalesce(%(session)s, id)",
    "session_events": """
        SELECT * FROM session_events WHERE session_id = coalesce(%(session)s, session_id) ORDER BY sequence
        """,
    "payments": "SELECT * FROM payments WHERE session_id = coalesce(%(session)s, session_id) ORDER BY at, key",
    "contracts": "SELECT * FROM contracts WHERE session_id = coalesce(%(session)s, session_id) ORDER BY attempt",
}
"""What is asked of each table: the rows of one session, or of all."""

CONTENTS: Final = "SELECT estimation_id, content FROM contents WHERE estimation_id = ANY(%s)"


@dataclass(frozen=True)
class Tables:
    """The rows of an organisation, by session; *contents* by estimation id."""

    views: Mapping[UUID, ViewRow]
    events: Mapping[UUID, tuple[EventRow, ...]]
    payments: Mapping[UUID, tuple[PaymentRow, ...]]
    contracts: Mapping[UUID, tuple[ContractRow, ...]]
    contents: Mapping[str, Mapping[str, Any]]

    @property
    def sessions(self) -> set[UUID]:
        """Every session that any row names."""
        return {session for rows in (self.views, self.events, self.payments, self.contracts) for session in rows}


async def organisations(database: Database) -> list[UUID]:
    async with database.unbound() as connection:
        cursor = await connection.execute("SELECT id FROM organisations ORDER BY created_at, id")
        return [row["id"] for row in await cursor.fetchall()]


async def read(database: Database, organisation: UUID, session: UUID | None) -> Tables:
    """The rows of an organisation, or of one *session* of it."""
    async with database.of(organisation) as connection:
        found = {
            table: _by_session(await (await connection.execute(question, {"session": session})).fetchall())
            for table, question in QUESTIONS.items()
        }
        views = {session: _view(rows[0]) for session, rows in found["checkout_sessions"].items()}
        events = {session: tuple(map(_event, rows)) for session, rows in found["session_events"].items()}
        contracts = _each(ContractRow, found["contracts"])
        named = {event.state.offer.estimation_id for told in events.values() for event in told}
        named |= {view.state.offer.estimation_id for view in views.values()}
        named |= {contract.estimation_id for made in contracts.values() for contract in made}
        contents = await (await connection.execute(CONTENTS, (list(named),))).fetchall()
    return Tables(
        views=views,
        events=events,
        payments=_each(PaymentRow, found["payments"]),
        contracts=contracts,
        contents={row["estimation_id"]: row["content"] for row in contents},
    )


async def versions(database: Database, organisation: UUID) -> dict[UUID, int]:
    """The version of every session's view now."""
    async with database.of(organisation) as connection:
        cursor = await connection.execute("SELECT id, version FROM checkout_sessions")
        return {row["id"]: row["version"] for row in await cursor.fetchall()}


def _by_session(rows: Iterable[dict[str, Any]]) -> dict[UUID, list[dict[str, Any]]]:
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["session_id"]].append(row)
    return found


def _each(kind: type[Row], found: Mapping[UUID, list[dict[str, Any]]]) -> dict[UUID, tuple[Row, ...]]:
    """Rows as *kind*, which has some of their members."""
    names = [each.name for each in fields(kind)]
    return {
        session: tuple(kind(**{name: row[name] for name in names}) for row in rows) for session, rows in found.items()
    }


def _event(row: Mapping[str, Any]) -> EventRow:
    return EventRow(
        sequence=row["sequence"],
        type=row["type"],
        actor=row["actor"],
        at=row["at"],
        run=row["run_id"],
        data=row["data"],
        state=SessionState.model_validate(row["state"]),
        raw=row["state"],
    )


def _view(row: Mapping[str, Any]) -> ViewRow:
    return ViewRow(
        version=row["version"],
        status=row["checkout_session_status"],
        payment_status=row["payment_status"],
        customer_id=row["customer_id"],
        contract_id=row["contract_id"],
        needs_attention=row["needs_attention"],
        state=SessionState.model_validate(row["state"]),
        raw=row["state"],
    )
