"""Tenancy is the database's: a transaction sees and writes the rows of its organisation only."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from store import business_entities, customers
from store.database import Connection, Database
from tests.conftest import new_organisation

NOBODY: Final[dict[str, Any]] = {
    "business_entity_id": None,
    "customer_name": "Acme GmbH",
    "email": None,
    "external_id": None,
    "phone_number": None,
    "address": None,
    "tax_info": [],
    "custom_data": None,
}


async def tenant_tables(connection: Connection) -> list[str]:
    cursor = await connection.execute(
        """
        SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'organisation_id' AND table_name NOT IN
            ('api_keys', 'gateway_events')
        """
    )
    return [row["name"] async for row in cursor]


async def test_every_table_with_an_organisation_has_a_policy_that_binds_its_owner_too(database: Database) -> None:
    async with database.unbound() as connection:
        tables = await tenant_tables(connection)
        cursor = await connection.execute(
            """
            SELECT relname AS name FROM pg_class
            WHERE relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)
            """
        )
        guarded = {row["name"] async for row in cursor}

    assert len(tables) > 10
    assert set(tables) <= guarded


async def test_the_services_own_role_is_bound_by_row_level_security(database: Database) -> None:
    await database.refuse_unsafe_role()


async def test_a_row_is_not_there_for_another_organisation(database: Database, organisation: UUID) -> None:
    stranger = await new_organisation(database)
    customer = uuid4()
    async with database.of(organisation) as connection:
        await customers.insert(connection, customer, NOBODY)
    async with database.of(stranger) as connection:
        assert await customers.get(connection, customer) is None
        with pytest.raises(LookupError):
            await customers.update(connection, customer, NOBODY)


async def test_no_row_can_join_two_organisations(database: Database, organisation: UUID) -> None:
    stranger = await new_organisation(database)
    entity = uuid4()
    async with database.of(stranger) as connection:
        await business_entities.ensure(connection, entity, "Northwind", "GB", "GBP")

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with database.of(organisation) as connection:
            await customers.insert(connection, uuid4(), {**NOBODY, "business_entity_id": entity})


async def test_a_row_cannot_be_written_for_another_organisation(database: Database, organisation: UUID) -> None:
    stranger = await new_organisation(database)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.of(organisation) as connection:
            await connection.execute(
                "INSERT INTO products (id, organisation_id, name) VALUES (%s, %s, 'Seats')", (uuid4(), stranger)
            )


async def test_without_an_organisation_tenant_tables_cannot_be_read(database: Database) -> None:
    with pytest.raises(psycopg.Error):
        async with database.unbound() as connection:
            await connection.execute("SELECT * FROM customers")
