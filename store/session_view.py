"""The view of sessions and their events: written by workflows only, and never backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from checkout.commands import Publish
from checkout.outcomes import Published
from checkout.session import Policy, SessionEvent, SessionState
from store import attempts
from store.database import Connection, Database


class SessionView:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, cmd: Publish, run: str) -> Published:
        """Write the events of a workflow *run* and the state after the last of them, in one transaction; again changes
        nothing. An event, and a confirmation, is numbered behind what is there: a run that was reset counts from where
        it was reset to, and what the run before it wrote stays. Where another run writes the row, nothing is written and
        it is named: only a run that goes on hears of it, and takes the row over by naming whose it was.
        """
        state, last = cmd.events[-1].state, cmd.events[-1].sequence
        async with self._database.of(state.organisation) as connection:
            head, writer = await _head(connection, state.id)
            if head and cmd.events[0].sequence == 1 and not await _wrote_before(connection, state.id, cmd.chain, run):
                return Published(version=last, intruder=True)
            if writer not in {None, run, cmd.claimed}:
                return Published(version=last, writer=writer)
            written = await _written(connection, state.id, run, cmd.events[0].sequence)
            fresh = [event for event in cmd.events if event.sequence not in written]
            fresh = await attempts.numbered(connection, fresh)
            numbered = _numbered(fresh, head)
            if numbered:
                await _append(connection, run, fresh, numbered)
                await _write(connection, numbered[-1], cmd.policy, run)
                return _published(numbered[-1])
        return written[last]


def _published(state: SessionState) -> Published:
    """What a run is told of the *state* that it wrote."""
    return Published(version=state.version, attempt=state.confirmation.attempt if state.confirmation else None)


async def _head(connection: Connection, session: UUID) -> tuple[int, str | None]:
    """The number of the last event, and the run that writes, held until this transaction ends; 0 where there is none."""
    cursor = await connection.execute(
        "SELECT version, run_id FROM checkout_sessions WHERE id = %s FOR UPDATE", (session,)
    )
    row = await cursor.fetchone()
    return (row["version"], row["run_id"]) if row else (0, None)


async def _wrote_before(connection: Connection, session: UUID, *runs: str) -> bool:
    """Whether one of *runs* wrote of the session."""
    cursor = await connection.execute(
        "SELECT 1 FROM session_events WHERE session_id = %s AND run_id = ANY(%s) LIMIT 1", (session, list(runs))
    )
    return await cursor.fetchone() is not None


async def _written(connection: Connection, session: UUID, run: str, since: int) -> Mapping[int, Published]:
    """What this run wrote before, from its own number *since* on: its own number, and what it was told then."""
    cursor = await connection.execute(
        "SELECT run_sequence, state FROM session_events WHERE session_id = %s AND run_id = %s AND run_sequence >= %s",
        (session, run, since),
    )
    return {
        row["run_sequence"]: _published(SessionState.model_validate(row["state"])) for row in await cursor.fetchall()
    }


def _numbered(events: Sequence[SessionEvent], head: int) -> list[SessionState]:
    """The states of *events*, each with the version that it gets."""
    versions = (max(event.sequence, head + place) for place, event in enumerate(events, start=1))
    return [
        event.state.model_copy(update={"version": version}) for event, version in zip(events, versions, strict=True)
    ]


async def _append(
    connection: Connection, run: str, events: Sequence[SessionEvent], states: Sequence[SessionState]
) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO session_events (organisation_id, session_id, sequence, type, actor, data, state, at, run_id,
                                        run_sequence, update_id, fingerprint)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [_event_row(event, state, run) for event, state in zip(events, states, strict=True)],
        )


def _event_row(event: SessionEvent, state: SessionState, run: str) -> tuple[Any, ...]:
    return (
        state.organisation,
        state.id,
        state.version,
        event.type,
        event.actor,
        Jsonb(dict(event.data)),
        Jsonb(state.model_dump(mode="json")),
        event.at,
        run,
        event.sequence,
        event.update,
        event.fingerprint,
    )


async def _write(connection: Connection, state: SessionState, policy: Policy, run: str) -> None:
    await connection.execute(
        """
        INSERT INTO checkout_sessions AS current (
            id, organisation_id, version, checkout_session_status, payment_status, customer_id, contract_id,
            guest_checkout, business_entity_id, currency, needs_attention, goes_on, state, policy, run_id,
            created_at, confirmed_at, paid_at, last_activity_at, due_at)
        VALUES (
            %(id)s, %(organisation)s, %(version)s, %(status)s, %(payment_status)s, %(customer)s, %(contract)s,
            %(guest)s, %(entity)s, %(currency)s, %(attention)s, %(goes_on)s, %(state)s, %(policy)s, %(run)s,
            %(created_at)s, %(confirmed_at)s, %(paid_at)s, %(last_activity_at)s, %(due_at)s)
        ON CONFLICT (id) DO UPDATE SET
            version = excluded.version, checkout_session_status = excluded.checkout_session_status,
            payment_status = excluded.payment_status, customer_id = excluded.customer_id,
            contract_id = excluded.contract_id, currency = excluded.currency,
            needs_attention = excluded.needs_attention, goes_on = excluded.goes_on, state = excluded.state,
            run_id = excluded.run_id, confirmed_at = excluded.confirmed_at, paid_at = excluded.paid_at,
            last_activity_at = excluded.last_activity_at, due_at = excluded.due_at
        WHERE current.version < excluded.version
        """,
        {
            "id": state.id,
            "organisation": state.organisation,
            "version": state.version,
            "status": state.status,
            "payment_status": state.payment_status,
            "customer": state.customer,
            "contract": state.contract,
            "guest": state.guest_checkout,
            "entity": state.business_entity,
            "currency": state.offer.amount_due.currency,
            "attention": state.attention is not None,
            "goes_on": state.goes_on,
            "state": Jsonb(state.model_dump(mode="json")),
            "policy": Jsonb(policy.model_dump(mode="json")),
            "run": run,
            "created_at": state.created_at,
            "confirmed_at": state.confirmed_at,
            "paid_at": state.paid_at,
            "last_activity_at": state.last_activity_at,
            "due_at": state.next_due_at,
        },
    )
