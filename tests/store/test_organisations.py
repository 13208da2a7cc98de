"""Organisations' rows: the rules by which due payments are collected."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from checkout.due import DueRules, zones
from store import organisations
from store.database import Database


async def test_an_organisation_keeps_the_rules_it_was_made_with(database: Database) -> None:
    organisation = uuid4()
    rules = DueRules(time_zone="Asia/Kathmandu", dunning_days=(2, 4), notice_days=0)

    async with database.unbound() as connection:
        await organisations.ensure(connection, organisation, "Northwind", rules)
        await organisations.ensure(connection, organisation, "Northwind", DueRules())
        row = await organisations.get(connection, organisation)

    assert row is not None
    assert (row["time_zone"], row["dunning_days"], row["notice_days"]) == ("Asia/Kathmandu", [2, 4], 0)


async def test_the_database_knows_every_zone_that_an_organisation_may_have(database: Database) -> None:
    async with database.unbound() as connection:
        cursor = await connection.execute("SELECT name FROM pg_timezone_names")
        names = {row["name"] for row in await cursor.fetchall()}
    assert {zone for zone in sorted(zones()) if zone not in names} == set()


BAD = [
    "UPDATE organisations SET dunning_days = '{0}'",
    "UPDATE organisations SET dunning_days = '{1,61}'",
    "UPDATE organisations SET dunning_days = '{1,2,3,4,5,6,7,8,9,10,11}'",
    "UPDATE organisations SET dunning_days = NULL",
    "UPDATE organisations SET notice_days = -1",
    "UPDATE organisations SET notice_days = 61",
    "UPDATE organisations SET rate_limit = 0",
    "UPDATE organisations SET rate_limit = NULL",
    "UPDATE organisations SET redirect_hosts = NULL",
    "UPDATE organisations SET redirect_hosts = '{NULL}'",
    "UPDATE organisations SET redirect_hosts = array_fill('a'::text, '{101}')",
]


@pytest.mark.parametrize("change", BAD)
async def test_the_database_refuses_rules_out_of_bounds(database: Database, change: str) -> None:
    async with database.unbound() as connection:
        with pytest.raises(psycopg.IntegrityError):
            await connection.execute(change)
