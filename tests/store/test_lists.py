"""Keyset pages: complete, without repeats, also where many rows share an instant."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from store import products
from store.database import Connection, Database
from store.lists import Condition, ListQuery, page


async def walk(connection: Connection, query: ListQuery) -> list[UUID]:
    seen: list[UUID] = []
    while True:
        found = await page(connection, products.SELECT, query)
        seen += [row["id"] for row in found.rows]
        if found.next is None:
            return seen
        query = replace(query, after=found.next)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("descending", [True, False])
async def test_rows_of_the_same_instant_come_once_each(
    database: Database, organisation: UUID, limit: int, *, descending: bool
) -> None:
    ids = [uuid4() for _ in range(7)]
    async with database.of(organisation) as connection:
        for product in ids:
            await products.insert(connection, product, "Seats", None, None)
        seen = await walk(connection, ListQuery(limit=limit, descending=descending))

    assert seen == sorted(ids, reverse=descending)


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (Condition("name", "eq", "b"), ["b"]),
        (Condition("name", "in", ["a", "c", "z"]), ["a", "c"]),
        (Condition("name", "gt", "b"), ["c"]),
        (Condition("name", "gte", "b"), ["b", "c"]),
        (Condition("name", "lt", "b"), ["a"]),
        (Condition("name", "lte", "b"), ["a", "b"]),
        (Condition("name", "eq", "' OR true --"), []),
    ],
)
async def test_conditions_compare_values_and_count_what_matches(
    database: Database, organisation: UUID, condition: Condition, matches: list[str]
) -> None:
    async with database.of(organisation) as connection:
        for name in "abc":
            await products.insert(connection, uuid4(), name, None, None)
        found = await page(
            connection, products.SELECT, ListQuery(order="name", descending=False, conditions=[condition])
        )

    assert [row["name"] for row in found.rows] == matches
    assert found.total == len(matches)
