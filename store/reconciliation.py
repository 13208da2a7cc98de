"""What the reconciler asks the rows: which sessions go on, which have loose ends, and which payments are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from store.database import Connection

UNFINISHED: Final[LiteralString] = """
    SELECT id FROM checkout_sessions WHERE (goes_on OR needs_attention) AND id > %s ORDER BY id LIMIT 1000
"""

ADRIFT: Final[LiteralString] = """
    WITH session AS (
        SELECT id, needs_attention, checkout_session_status = 'completed' AS completed, state -> 'payments' AS payments,
               CASE WHEN checkout_session_status IN ('processing', 'completed')
                    THEN (state #>> '{confirmation,attempt}')::int ELSE 0 END AS kept
        FROM checkout_sessions
        WHERE id IN (SELECT id FROM checkout_sessions
                     WHERE last_activity_at >= %(since)s AND last_activity_at < %(until)s
                     UNION SELECT session_id FROM payments
                     WHERE settled_at >= %(since)s AND settled_at < %(until)s)
          AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(state -> 'asks') asked
                          WHERE asked ->> 'reason' IN ('step_failing', 'rejected'))
    )
    SELECT session.id FROM session JOIN payments charge ON charge.session_id = session.id
    WHERE charge.kind = 'charge'
      AND ((charge.status <> 'declined' AND attempt_of(charge.key) <> kept)
           OR (charge.status = 'captured' AND completed
               AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(payments) own
                               WHERE own ->> 'key' = charge.key AND own ->> 'status' = 'captured'
                                 AND NOT coalesce((own ->> 'late')::boolean, false))))
      AND NOT EXISTS (SELECT 1 FROM payments refund
                      WHERE refund.session_id = charge.session_id AND refund.key LIKE charge.key || '/refund%%'
                        AND refund.status = 'refunded')
      AND NOT asked_about(session.id, charge.key)
    UNION
    SELECT session.id FROM session JOIN contracts contract ON contract.session_id = session.id
    WHERE contract.status IN ('draft', 'active') AND contract.attempt <> kept AND NOT needs_attention
"""
"""A session with a failing step is left alone: it is at work, and active again once the step succeeds."""

UNPAID: Final[LiteralString] = """
    SELECT DISTINCT session.id, method.id AS method, method.created_at
    FROM payment_methods method
    JOIN checkout_sessions session ON session.customer_id = method.customer_id
    CROSS JOIN coalesce((session.state ->> 'clock_ahead')::interval, interval '0') AS ahead
    CROSS JOIN jsonb_to_recordset(session.state -> 'schedule')
        AS instalment (n int, status text, method uuid, declined_at timestamptz)
    WHERE method.status = 'active'
      AND (method.expiry_year IS NULL OR make_date(method.expiry_year, method.expiry_month, 1) + interval '1 month' > now() + ahead)
      AND session.checkout_session_status = 'completed' AND session.payment_status IN ('pending', 'failed')
      AND instalment.status IN ('declined', 'failed', 'needs_customer')
      AND instalment.method IS DISTINCT FROM method.id
      AND NOT EXISTS (SELECT 1 FROM payments charge
                      WHERE charge.session_id = session.id AND charge.payment_method_id = method.id
                        AND charge.key LIKE '%%/charge/' || instalment.n || '/%%')
"""
"""Sessions that wait for money, with the methods of their customer that it was not asked from yet; by each session's
own clock, which may be *ahead*.
"""

UNPAID_WITH: Final[LiteralString] = UNPAID + "AND method.id = %s ORDER BY session.id"

UNPAID_SINCE: Final[LiteralString] = (
    UNPAID
    + """
      AND method.created_at >= %s AND method.created_at < %s
      AND method.created_at + ahead >= coalesce(instalment.declined_at, '-infinity')
    ORDER BY method.created_at, session.id
"""
)
"""Of methods saved in between, and after the decline: what was there before is the dunning's to try."""

CAPTURED: Final = """
    SELECT key, session_id, amount_minor, currency, at, reference FROM payments
    WHERE kind = 'charge' AND status = 'captured' AND settled_at >= %(since)s AND settled_at < %(until)s
      AND gateway = %(gateway)s AND gateway_account IS NOT DISTINCT FROM %(account)s
      AND EXISTS (SELECT 1 FROM checkout_sessions WHERE id = session_id) AND NOT asked_about(session_id, key)
"""


Between = tuple[datetime, datetime]
"""From the first instant on, and before the second."""


async def unfinished(connection: Connection, after: UUID) -> list[UUID]:
    """Up to 1,000 sessions behind *after* that still have something to do, or ask somebody."""
    cursor = await connection.execute(UNFINISHED, (after,))
    return [row["id"] for row in await cursor.fetchall()]


async def adrift(connection: Connection, between: Between) -> list[UUID]:
    """Sessions, active or with a payment settled in between, whose rows hold money or a contract that is no part of
    them; not money that somebody was asked about.
    """
    cursor = await connection.execute(ADRIFT, {"since": between[0], "until": between[1]})
    return [row["id"] for row in await cursor.fetchall()]


async def unpaid_with(connection: Connection, method: UUID) -> list[UUID]:
    """Sessions that this method, just saved, may pay: something of theirs was declined, failed or needs the customer."""
    cursor = await connection.execute(UNPAID_WITH, (method,))
    return [row["id"] for row in await cursor.fetchall()]


async def unpaid_since(connection: Connection, between: Between) -> list[tuple[UUID, UUID]]:
    """Sessions like that, each with a method of its customer's that was saved in between and not charged yet."""
    cursor = await connection.execute(UNPAID_SINCE, between)
    return [(row["id"], row["method"]) for row in await cursor.fetchall()]


async def written_by(connection: Connection, sessions: Sequence[UUID]) -> dict[UUID, str]:
    """Which workflow run wrote each session's row last."""
    cursor = await connection.execute("SELECT id, run_id FROM checkout_sessions WHERE id = ANY(%s)", (list(sessions),))
    return {row["id"]: row["run_id"] for row in await cursor.fetchall()}


async def statuses(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """The status of each payment that has a row."""
    cursor = await connection.execute("SELECT key, status FROM payments WHERE key = ANY(%s)", (list(keys),))
    return {row["key"]: row["status"] for row in await cursor.fetchall()}


async def captured(connection: Connection, gateway: str, account: str | None, between: Between) -> list[DictRow]:
    """Charges that our rows call captured at a gateway, in between, and that nobody was asked about: key, session_id,
    amount_minor, currency, at, reference.
    """
    given = {"since": between[0], "until": between[1], "gateway": gateway, "account": account}
    return await (await connection.execute(CAPTURED, given)).fetchall()
