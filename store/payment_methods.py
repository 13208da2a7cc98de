"""Saved payment methods: the gateway's token and what may be shown; never a card number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from gateways.port import SavedMethod, ToAsk
from store.database import Connection

SELECT: Final[LiteralString] = """
    SELECT id, customer_id, gateway, type, brand, last4, expiry_month, expiry_year, is_default, status, created_at
    FROM payment_methods
"""


async def insert(  # noqa: PLR0913, PLR0917 - whose, where and what
    connection: Connection, method: UUID, customer: UUID, gateway: str, saved: SavedMethod, account: str | None = None
) -> DictRow:
    """Keep a method that the gateway has attached to our *account* there; not the default yet."""
    cursor = await connection.execute(
        """
        INSERT INTO payment_methods (id, organisation_id, customer_id, gateway, gateway_account, token, type, brand, last4,
                                     expiry_month, expiry_year)
        VALUES (%s, current_organisation(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
        RETURNING *
        """,
        (
            method,
            customer,
            gateway,
            account,
            saved.token,
            saved.type,
            saved.brand,
            saved.last4,
            saved.expiry_month,
            saved.expiry_year,
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the payment method is missing")
    return row


async def get(connection: Connection, customer: UUID, method: UUID) -> DictRow | None:
    """A method of this customer, removed ones too."""
    cursor = await connection.execute(
        "SELECT * FROM payment_methods WHERE customer_id = %s AND id = %s", (customer, method)
    )
    return await cursor.fetchone()


async def usable(connection: Connection, customer: UUID, method: UUID, at: datetime) -> bool:
    """Whether it is an active method of this customer that has not expired by then."""
    row = await get(connection, customer, method)
    return row is not None and row["status"] == "active" and not expired(row, at)


async def make_default(connection: Connection, customer: UUID, method: UUID) -> None:
    """Make an active method the customer's only default. The caller holds the customer's row."""
    await connection.execute(
        "UPDATE payment_methods SET is_default = false WHERE customer_id = %s AND is_default", (customer,)
    )
    await connection.execute(
        "UPDATE payment_methods SET is_default = true WHERE id = %s AND status = 'active'", (method,)
    )


async def remove(connection: Connection, customer: UUID, method: UUID) -> None:
    """Remove a method: it is never charged again, and stays for the record."""
    await connection.execute(
        "UPDATE payment_methods SET status = 'removed', is_default = false WHERE customer_id = %s AND id = %s",
        (customer, method),
    )


async def keep(connection: Connection, customer: UUID, at: ToAsk, saved: SavedMethod) -> None:
    """Keep a method that the gateway *at* which it is has saved for the customer, unless it is known, be it removed. It is
    their default where they have none. The caller holds the customer's row.
    """
    cursor = await connection.execute(
        """
        SELECT bool_or(gateway = %(gateway)s AND token = %(token)s) AS known,
               bool_or(is_default AND status = 'active') AS has_default
        FROM payment_methods WHERE customer_id = %(customer)s
        """,
        {"gateway": at.gateway, "token": saved.token, "customer": customer},
    )
    row = await cursor.fetchone()
    if row is None or row["known"]:
        return
    kept = await insert(connection, uuid4(), customer, at.gateway, saved, at.posted.account.at_gateway)
    if not row["has_default"]:
        await make_default(connection, customer, kept["id"])


def expired(method: Mapping[str, Any], at: datetime) -> bool:
    """Whether a method's row says that it is past its expiry month, to whose end (UTC) a card is good."""
    if method["expiry_year"] is None:
        return False
    year, month = divmod(method["expiry_year"] * 12 + method["expiry_month"], 12)
    return at >= datetime(year, month + 1, 1, tzinfo=UTC)
