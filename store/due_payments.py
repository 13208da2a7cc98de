"""Payments that fall due: when their days begin, and whether they are still owed as they were confirmed."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from checkout.commands import CheckDue, DueInstants
from checkout.due import start_of
from checkout.money import Money
from checkout.outcomes import DueAnswer, Instants, MethodChosen, NoMethod, NotDueYet, NotOwed
from store import organisations
from store.database import Connection, Database
from store.payment_methods import expired

OWED: Final[LiteralString] = """
    SELECT organisation.time_zone,
           contract.status IN ('active', 'expired') AS in_force,
           customer.status = 'active' AS active,
           part ->> 'amount' AS amount, part ->> 'currency' AS currency
    FROM organisations organisation
    LEFT JOIN contracts contract ON contract.id = %(contract)s AND contract.customer_id = %(customer)s
    LEFT JOIN customers customer ON customer.id = %(customer)s
    LEFT JOIN contents content ON content.estimation_id = %(estimation)s
    LEFT JOIN jsonb_array_elements(content.content #> '{estimates,payment_schedule}') part
           ON (part ->> 'n')::int = %(n)s
    WHERE organisation.id = %(organisation)s
"""
"""What an instalment hangs on. A contract past its last day is in force for what is still owed under it."""

METHODS: Final[LiteralString] = """
    SELECT id, expiry_month, expiry_year FROM payment_methods
    WHERE customer_id = %(customer)s AND status = 'active' AND id <> ALL(%(refused)s)
    ORDER BY array_position(%(methods)s, id), is_default DESC, created_at DESC
"""
"""The customer's methods, those that were asked for first, then the default, then the newest."""


class DuePayments:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def instants(self, cmd: DueInstants) -> Instants:
        """When *cmd.days* begin in the organisation's time zone."""
        async with self._database.of(cmd.organisation) as connection:
            organisation = await organisations.get(connection, cmd.organisation)
        if organisation is None:
            raise LookupError("the organisation is missing")
        return Instants(at=tuple(start_of(day, organisation["time_zone"]) for day in cmd.days))

    async def check(self, cmd: CheckDue) -> DueAnswer:
        """Whether an instalment is owed as it was confirmed, due by now, and which method can be charged at the
        command's instant.
        """
        async with self._database.of(cmd.organisation) as connection:
            cursor = await connection.execute(
                OWED,
                {
                    "contract": cmd.contract,
                    "customer": cmd.customer,
                    "estimation": cmd.estimation_id,
                    "organisation": cmd.organisation,
                    "n": cmd.n,
                },
            )
            row = await cursor.fetchone()
            if row is None:
                raise LookupError("the organisation is missing")
            if not row["in_force"]:
                return NotOwed(reason="contract_not_in_force")
            if not row["active"]:
                return NotOwed(reason="customer_archived")
            if row["amount"] is None or Money.of(row["amount"], row["currency"]) != cmd.amount:
                return NotOwed(reason="amount_changed")
            due_at = start_of(cmd.due_on, row["time_zone"]) if cmd.due_on else cmd.at
            if due_at > cmd.at:
                return NotDueYet(due_at=due_at)
            method = await _method(connection, cmd)
        return MethodChosen(method=method) if method else NoMethod()


async def _method(connection: Connection, cmd: CheckDue) -> UUID | None:
    cursor = await connection.execute(
        METHODS, {"customer": cmd.customer, "refused": list(cmd.refused), "methods": list(cmd.methods)}
    )
    methods: list[UUID] = [row["id"] for row in await cursor.fetchall() if not expired(row, cmd.at)]
    return next(iter(methods), None)
