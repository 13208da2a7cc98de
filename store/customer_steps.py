"""Making a guest a customer, and undoing it, with the link that says which session did."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from checkout.commands import ArchiveCustomer, CreateCustomer, Effect
from checkout.ids import guest_of
from checkout.outcomes import CustomerAnswer, CustomerReady, Refused
from store.database import Connection, Database

UNDONE: Final = Refused(problem="confirmation-undone", detail="This attempt of the session is undone already.")


class CustomerSteps:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, cmd: CreateCustomer) -> CustomerAnswer:
        """The active customer with the guest's e-mail: found and linked, or made and linked."""
        async with self._database.of(cmd.organisation) as connection:
            await _one_at_a_time(connection, cmd)
            if await _is_undone(connection, cmd):
                return UNDONE
            guest = await _guest(connection, cmd.details)
            own = guest_of(cmd.session)
            customer = await _make(connection, own, cmd, guest) or await _find(connection, guest.get("email"))
            await link(connection, cmd, customer, cmd.attempt, created=customer == own)
            return CustomerReady(customer=customer, created=customer == own)

    async def archive(self, cmd: ArchiveCustomer) -> None:
        """Archive what this session made, unless another session uses it. The row is locked first: a session that
        links it at the same moment is either seen here, or waits and no longer finds it active.
        """
        customer = guest_of(cmd.session)
        async with self._database.of(cmd.organisation) as connection:
            await _one_at_a_time(connection, cmd)
            await _undo_through(connection, cmd)
            await connection.execute("SELECT 1 FROM customers WHERE id = %s FOR UPDATE", (customer,))
            await connection.execute(
                """
                WITH undone AS (
                    UPDATE customer_links SET undone = true
                    WHERE session_id = %(session)s AND attempt <= %(attempt)s
                    RETURNING customer_id, created
                )
                UPDATE customers SET status = 'archived', updated_at = %(at)s
                WHERE id = %(customer)s
                  AND EXISTS (SELECT 1 FROM undone WHERE created AND customer_id = %(customer)s)
                  AND NOT EXISTS (SELECT 1 FROM customer_links
                                  WHERE customer_id = %(customer)s AND session_id <> %(session)s AND NOT undone)
                """,
                {"session": cmd.session, "customer": customer, "attempt": cmd.attempt, "at": cmd.at},
            )


async def link(connection: Connection, effect: Effect, customer: UUID, attempt: int, *, created: bool) -> None:
    """Record that an attempt of a session uses *customer*; once said to be created, a link stays so."""
    await connection.execute(
        """
        INSERT INTO customer_links (organisation_id, session_id, customer_id, created, attempt)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (session_id, customer_id) DO UPDATE SET undone = false, attempt = excluded.attempt
        """,
        (effect.organisation, effect.session, customer, created, attempt),
    )


async def _one_at_a_time(connection: Connection, effect: Effect) -> None:
    """Let a session's creation and its undo wait for each other, to the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(effect.session),))


async def _undo_through(connection: Connection, cmd: ArchiveCustomer) -> None:
    """Leave word that this attempt is undone, whether or not its customer was made."""
    await connection.execute(
        """
        INSERT INTO customer_undos AS known (organisation_id, session_id, through) VALUES (%s, %s, %s)
        ON CONFLICT (session_id) DO UPDATE SET through = greatest(known.through, excluded.through)
        """,
        (cmd.organisation, cmd.session, cmd.attempt),
    )


async def _is_undone(connection: Connection, cmd: CreateCustomer) -> bool:
    """Whether the attempt is undone already: this creation arrives behind its undo."""
    cursor = await connection.execute(
        "SELECT 1 FROM customer_undos WHERE session_id = %s AND through >= %s FOR SHARE", (cmd.session, cmd.attempt)
    )
    return await cursor.fetchone() is not None


async def _guest(connection: Connection, details: UUID) -> dict[str, Any]:
    cursor = await connection.execute("SELECT details -> 'customer' AS guest FROM details WHERE id = %s", (details,))
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the details row of this session is missing")
    guest: dict[str, Any] = row["guest"]
    return guest


async def _make(connection: Connection, own: UUID, cmd: CreateCustomer, guest: dict[str, Any]) -> UUID | None:
    """Make the guest's row, or bring it back from an undone attempt; None when the e-mail is another customer's."""
    cursor = await connection.execute(
        """
        INSERT INTO customers (id, organisation_id, business_entity_id, customer_name, email, phone_number, address,
                               tax_info, custom_data)
        SELECT %(id)s, %(organisation)s, %(entity)s, %(name)s, %(email)s, %(phone)s, %(address)s, %(tax)s, %(custom)s
        WHERE NOT EXISTS (SELECT 1 FROM customers
                          WHERE lower(email) = lower(%(email)s) AND status = 'active' AND id <> %(id)s)
        ON CONFLICT (id) DO UPDATE SET status = 'active', customer_name = excluded.customer_name,
            email = excluded.email, phone_number = excluded.phone_number, address = excluded.address,
            tax_info = excluded.tax_info, custom_data = excluded.custom_data, updated_at = now()
        RETURNING id
        """,
        {
            "id": own,
            "organisation": cmd.organisation,
            "entity": cmd.business_entity,
            "name": guest["customer_name"],
            "email": guest.get("email"),
            "phone": guest.get("phone_number"),
            "address": Jsonb(guest["address"]) if guest.get("address") else None,
            "tax": Jsonb(guest.get("tax_info") or []),
            "custom": Jsonb(guest["custom_data"]) if guest.get("custom_data") else None,
        },
    )
    row = await cursor.fetchone()
    return row["id"] if row else None


async def _find(connection: Connection, email: str | None) -> UUID:
    """The active customer with this e-mail, held until the link to it is written. Not there any more: try again."""
    cursor = await connection.execute(
        "SELECT id FROM customers WHERE lower(email) = lower(%s) AND status = 'active' FOR UPDATE", (email,)
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the customer of this e-mail was archived just now")
    customer: UUID = row["id"]
    return customer
