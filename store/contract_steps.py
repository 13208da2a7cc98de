"""Drafting, activating and voiding the contract of a confirmation attempt."""

from __future__ import annotations

from typing import Final, LiteralString

from checkout.commands import ContractStep
from checkout.outcomes import ContractAnswer, Done, Refused
from store.customer_steps import link
from store.database import Connection, Database

PLAN_GONE: Final = Refused(problem="plan-not-available", detail="The plan of this session is archived.")
CUSTOMER_GONE: Final = Refused(problem="customer-required", detail="The customer of this session is archived.")
VOID: Final = Refused(problem="contract-creation-failed", detail="The contract of this attempt is void.")
ANOTHER: Final = Refused(
    problem="contract-creation-failed", detail="This attempt has a contract already, of another estimate."
)
UNDONE: Final = Refused(
    problem="contract-creation-failed", detail="This attempt of the session is undone, or about to be."
)

UNDO_BEGUN: Final = """
    SELECT 1
    WHERE EXISTS (SELECT 1 FROM payments
                  WHERE session_id = %(session)s AND kind = 'refund' AND key LIKE %(paid)s || '/refund%%')
       OR EXISTS (SELECT 1 FROM customer_undos WHERE session_id = %(session)s AND through >= %(attempt)s)
"""
"""Whether what a contract was paid with was returned, or is about to be, or its attempt's customer was undone."""


class ContractSteps:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, cmd: ContractStep) -> ContractAnswer:
        """One contract per attempt, from the content row; the second time it finds the first."""
        async with self._database.of(cmd.organisation) as connection:
            if made := await _made(connection, cmd):
                return made
            if cmd.plan is not None and not await _holds(
                connection, "SELECT 1 FROM plans WHERE id = %s AND status = 'active' FOR SHARE", cmd.plan
            ):
                return PLAN_GONE
            if cmd.customer is None or not await _holds(
                connection, "SELECT 1 FROM customers WHERE id = %s AND status = 'active' FOR UPDATE", cmd.customer
            ):
                return CUSTOMER_GONE
            await link(connection, cmd, cmd.customer, cmd.attempt, created=False)
            await _insert(connection, cmd, "draft")
            return await _made(connection, cmd) or VOID

    async def activate(self, cmd: ContractStep) -> ContractAnswer:
        """Put it in force, unless its attempt is void or its undoing has begun: a run that was reset does not know."""
        async with self._database.of(cmd.organisation) as connection:
            given = {"session": cmd.session, "attempt": cmd.attempt, "paid": cmd.paid}
            if await (await connection.execute(UNDO_BEGUN, given)).fetchone():
                return UNDONE
            cursor = await connection.execute(
                """
                UPDATE contracts SET status = 'active', activated_at = coalesce(activated_at, %(at)s)
                WHERE id = %(contract)s AND status IN ('draft', 'active')
                """,
                {"contract": cmd.contract, "at": cmd.at},
            )
            return Done() if cursor.rowcount else VOID

    async def void(self, cmd: ContractStep) -> None:
        """Void it; where it was never drafted, leave a void row, so that a draft that arrives late finds it."""
        async with self._database.of(cmd.organisation) as connection:
            await _insert(connection, cmd, "void")
            await connection.execute(
                "UPDATE contracts SET status = 'void', voided_at = coalesce(voided_at, %s) WHERE id = %s",
                (cmd.at, cmd.contract),
            )


async def _holds(connection: Connection, question: LiteralString, value: object) -> bool:
    cursor = await connection.execute(question, (value,))
    return await cursor.fetchone() is not None


async def _made(connection: Connection, cmd: ContractStep) -> ContractAnswer | None:
    """What the contract that this attempt has already makes of its draft; None where there is none yet."""
    cursor = await connection.execute("SELECT status, estimation_id FROM contracts WHERE id = %s", (cmd.contract,))
    row = await cursor.fetchone()
    if row is None:
        return None
    if row["status"] == "void":
        return VOID
    return Done() if row["estimation_id"] == cmd.estimation_id else ANOTHER


async def _insert(connection: Connection, cmd: ContractStep, status: str) -> None:
    """Write the attempt's contract unless it is there. Raises LookupError."""
    cursor = await connection.execute(
        """
        WITH content AS (SELECT * FROM contents WHERE estimation_id = %(estimation)s),
        made AS (
            INSERT INTO contracts (id, organisation_id, session_id, attempt, customer_id, estimation_id, currency,
                                   name, start_date, end_date, status, created_at)
            SELECT %(contract)s, organisation_id, %(session)s, %(attempt)s, %(customer)s, estimation_id,
                   content #>> '{contract,currency}', content #>> '{contract,name}',
                   (content #>> '{contract,start_date}')::date, (content #>> '{contract,end_date}')::date,
                   %(status)s, %(at)s
            FROM content
            ON CONFLICT (id) DO NOTHING
        )
        SELECT 1 FROM content
        """,
        {
            "contract": cmd.contract,
            "session": cmd.session,
            "attempt": cmd.attempt,
            "customer": cmd.customer,
            "estimation": cmd.estimation_id,
            "status": status,
            "at": cmd.at,
        },
    )
    if await cursor.fetchone() is None:
        raise LookupError("the content row of this session is missing")
