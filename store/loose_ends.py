"""What the rows hold of a session that a further run of its workflow must know: where it stands, and what is loose."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from checkout.commands import Effect, FindLooseEnds
from checkout.money import Money
from checkout.outcomes import LooseCharge, LooseContract, LooseEnds, Standing
from checkout.session import Policy, SessionState
from store.database import Connection, Database

STANDING: Final = """
    SELECT state, policy, greatest(
        (state ->> 'attempts')::int,
        (SELECT max(attempt) FROM contracts WHERE session_id = session.id),
        (SELECT max(attempt) FROM customer_links WHERE session_id = session.id),
        (SELECT max(attempt_of(key)) FROM payments WHERE session_id = session.id)) AS attempts,
        EXISTS (SELECT 1 FROM contracts
                WHERE session_id = session.id AND status = 'void'
                  AND attempt = (state #>> '{confirmation,attempt}')::int)
        OR EXISTS (SELECT 1 FROM customer_undos
                   WHERE session_id = session.id AND through >= (state #>> '{confirmation,attempt}')::int)
        OR EXISTS (SELECT 1 FROM payments
                   WHERE session_id = session.id AND kind = 'refund'
                     AND key LIKE session.id || '/' || (state #>> '{confirmation,attempt}') || '/page/refund%%')
        AS undo_begun
    FROM checkout_sessions session WHERE id = %(session)s
"""
"""The view, the last attempt of which there is a trace, and whether there is one of undoing the confirmation: the view
may lag behind a run that was terminated.
"""

CHARGES: Final[LiteralString] = """
    SELECT key, amount_minor, currency, true AS recorded FROM payments charge
    WHERE session_id = %(session)s AND kind = 'charge'
      AND ((attempt_of(key) <> %(kept)s AND status <> 'declined') OR status = 'captured' OR key = ANY(%(reported)s))
      AND NOT EXISTS (SELECT 1 FROM payments refund
                      WHERE refund.session_id = charge.session_id AND refund.key LIKE charge.key || '/refund%%'
                        AND refund.status = 'refunded')
      AND (key = ANY(%(reported)s) OR NOT asked_about(session_id, key))
    UNION ALL
    SELECT unheard_of, (session.state #>> '{offer,amount_due,minor}')::bigint, session.currency, false
    FROM unnest(%(reported)s::text[]) AS unheard_of
    JOIN checkout_sessions session ON session.id = %(session)s
    WHERE NOT EXISTS (SELECT 1 FROM payments WHERE key = unheard_of)
    ORDER BY key
"""
"""Charges that hold money, or may: no definite no, or one that is contradicted, and not returned; of the attempt that is
kept those that were captured, of which the session knows which are its own. What somebody is asked about, or has seen to,
is one only where it is reported anew. A key without a row is of the amount on offer.
"""

CONTRACTS: Final = """
    SELECT id AS contract, attempt, estimation_id FROM contracts
    WHERE session_id = %(session)s AND attempt <> %(kept)s AND status IN ('draft', 'active')
    ORDER BY attempt
"""

GUEST: Final = """
    SELECT 1 FROM customer_links
    WHERE session_id = %(session)s AND (attempt < %(kept)s OR %(kept)s = 0) AND NOT undone
"""


class SessionRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, cmd: Effect, run: str) -> Standing:
        """The session as last published; from now on only *run* writes its row, until another one takes over."""
        async with self._database.of(cmd.organisation) as connection:
            await connection.execute("UPDATE checkout_sessions SET run_id = %s WHERE id = %s", (run, cmd.session))
            return await _standing(connection, cmd.session)

    async def loose_ends(self, cmd: FindLooseEnds) -> LooseEnds:
        """Everything of attempts other than *kept*, and of the keys that were *reported*."""
        given = {"session": cmd.session, "kept": cmd.kept or 0, "reported": list(cmd.reported)}
        async with self._database.of(cmd.organisation) as connection:
            charges = await (await connection.execute(CHARGES, given)).fetchall()
            contracts = await (await connection.execute(CONTRACTS, given)).fetchall()
            guest = await (await connection.execute(GUEST, given)).fetchone()
            stands = await (await connection.execute(STANDING, given)).fetchone()
        return LooseEnds(
            attempts=stands["attempts"] if stands else 0,
            charges=tuple(map(_charge, charges)),
            contracts=tuple(LooseContract(**row) for row in contracts),
            guest=guest is not None,
        )


async def standing(database: Database, organisation: UUID, session: UUID) -> Standing:
    """Where a session stands, and how far its attempts have come."""
    async with database.of(organisation) as connection:
        return await _standing(connection, session)


async def _standing(connection: Connection, session: UUID) -> Standing:
    row = await (await connection.execute(STANDING, {"session": session})).fetchone()
    if row is None:
        return Standing()
    state = SessionState.model_validate(row["state"])
    return Standing(
        state=state.model_copy(update={"attempts": row["attempts"]}),
        policy=Policy.model_validate(row["policy"]),
        undo_begun=row["undo_begun"],
    )


def _charge(row: dict[str, Any]) -> LooseCharge:
    amount = Money(minor=row["amount_minor"], currency=row["currency"])
    return LooseCharge(key=row["key"], amount=amount, page=row["key"].endswith("/page"), recorded=row["recorded"])
