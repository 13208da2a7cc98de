"""Contracts as they are read; checkout makes them in store/contract_steps.py."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from store.database import Connection

SELECT: Final[LiteralString] = """
    SELECT contracts.id, session_id AS checkout_session_id, customer_id, contracts.estimation_id, currency,
           contracts.name, start_date, end_date, contents.content -> 'contract' AS content, contracts.created_at,
           activated_at, voided_at,
           CASE WHEN status = 'active' AND end_date < (now() AT TIME ZONE organisations.time_zone)::date
                THEN 'expired' ELSE status END AS status
    FROM contracts
    JOIN contents USING (organisation_id, estimation_id)
    JOIN organisations ON organisations.id = contracts.organisation_id
"""
"""An active contract reads `expired` from the day after its last one, by the organisation's calendar; nothing has to
happen for that, so nothing can fail to.
"""


async def get(connection: Connection, contract: UUID) -> DictRow | None:
    """A contract with its content: what was priced, as the session's estimate had it."""
    cursor = await connection.execute(SELECT + "WHERE contracts.id = %s", (contract,))
    return await cursor.fetchone()
