"""The view of sessions and their events: written by workflows only, and never backwards."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from checkout.commands import Publish
from checkout.session import SessionEvent, SessionState
from store.database import Connection, Database


class SessionView:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, cmd: Publish) -> None:
        """Write the events and the state after the last of them, in one transaction; again changes nothing."""
        state = cmd.events[-1].state
        async with self._database.of(state.organisation) as connection:
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    """
                    INSERT INTO session_events (organisation_id, session_id, sequence, type, actor, data, state, at)
                    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (session_id, sequence) DO NOTHING
                    """,
                    [_event_row(event) for event in cmd.events],
                )
            await _write(connection, state)


def _event_row(event: SessionEvent) -> tuple[Any, ...]:
    state = event.state
    return (
        state.organisation,
        state.id,
        event.sequence,
        event.type,
        event.actor,
        Jsonb(dict(event.data)),
        Jsonb(state.model_dump(mode="json")),
        event.at,
    )


async def _write(connection: Connection, state: SessionState) -> None:
    await connection.execute(
        """
        INSERT INTO checkout_sessions AS current (
            id, organisation_id, version, checkout_session_status, payment_status, customer_id, contract_id,
            guest_checkout, business_entity_id, currency, needs_attention, state, created_at, confirmed_at, paid_at,
            last_activity_at, due_at)
        VALUES (
            %(id)s, %(organisation)s, %(version)s, %(status)s, %(payment_status)s, %(customer)s, %(contract)s,
            %(guest)s, %(entity)s, %(currency)s, %(attention)s, %(state)s, %(created_at)s, %(confirmed_at)s,
            %(paid_at)s, %(last_activity_at)s, %(due_at)s)
        ON CONFLICT (id) DO UPDATE SET
            version = excluded.version, checkout_session_status = excluded.checkout_session_status,
            payment_status = excluded.payment_status, customer_id = excluded.customer_id,
            contract_id = excluded.contract_id, currency = excluded.currency,
            needs_attention = excluded.needs_attention, state = excluded.state,
            confirmed_at = excluded.confirmed_at, paid_at = excluded.paid_at,
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
            "state": Jsonb(state.model_dump(mode="json")),
            "created_at": state.created_at,
            "confirmed_at": state.confirmed_at,
            "paid_at": state.paid_at,
            "last_activity_at": state.last_activity_at,
            "due_at": state.next_due_at,
        },
    )
