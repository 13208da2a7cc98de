"""Customers: made, read and changed by the merchant. Guests become customers in store/customer_steps.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from store.database import Connection

SELECT: Final[LiteralString] = """
    SELECT id, business_entity_id, customer_name, email, lower(email) AS email_lower, external_id, phone_number,
           address, tax_info, custom_data, status, created_at, updated_at
    FROM customers
"""


class EmailTaken(Exception):
    """Another active customer of the organisation has this e-mail address."""


async def insert(connection: Connection, customer: UUID, values: Mapping[str, Any]) -> DictRow:
    """Make a customer of *values*: every column a merchant may write, JSON as plain objects. Raises EmailTaken."""
    return await _written(
        connection,
        """
        INSERT INTO customers (id, organisation_id, business_entity_id, customer_name, email, external_id,
                               phone_number, address, tax_info, custom_data)
        VALUES (%(id)s, current_organisation(), %(business_entity_id)s, %(customer_name)s, %(email)s,
                %(external_id)s, %(phone_number)s, %(address)s, %(tax_info)s, %(custom_data)s)
        RETURNING *
        """,
        customer,
        values,
    )


async def update(connection: Connection, customer: UUID, values: Mapping[str, Any]) -> DictRow:
    """Write all of *values*, as `insert` takes them, on a customer that is there. Raises EmailTaken."""
    return await _written(
        connection,
        """
        UPDATE customers SET business_entity_id = %(business_entity_id)s, customer_name = %(customer_name)s,
            email = %(email)s, external_id = %(external_id)s, phone_number = %(phone_number)s,
            address = %(address)s, tax_info = %(tax_info)s, custom_data = %(custom_data)s, updated_at = now()
        WHERE id = %(id)s
        RETURNING *
        """,
        customer,
        values,
    )


async def get(connection: Connection, customer: UUID) -> DictRow | None:
    cursor = await connection.execute("SELECT * FROM customers WHERE id = %s", (customer,))
    return await cursor.fetchone()


async def lock(connection: Connection, customer: UUID) -> DictRow | None:
    """The customer, held until the transaction ends: what is decided on it stays true."""
    cursor = await connection.execute("SELECT * FROM customers WHERE id = %s FOR UPDATE", (customer,))
    return await cursor.fetchone()


async def _written(
    connection: Connection, statement: LiteralString, customer: UUID, values: Mapping[str, Any]
) -> DictRow:
    written = {
        **values,
        "id": customer,
        "address": _json(values["address"]),
        "tax_info": Jsonb(values["tax_info"] or []),
        "custom_data": _json(values["custom_data"]),
    }
    try:
        cursor = await connection.execute(statement, written)
    except UniqueViolation:
        raise EmailTaken from None
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the customer is missing")
    return row


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value)
