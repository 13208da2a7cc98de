"""Pages of any list: filters, order and keyset cursors, composed as SQL without ever quoting by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, LiteralString

from psycopg import sql
from psycopg.rows import DictRow

from store.database import Connection

Operator = Literal["eq", "in", "gt", "gte", "lt", "lte"]

COMPARISONS: Final[dict[Operator, LiteralString]] = {
    "eq": "{column} = %s",
    "in": "{column} = ANY(%s)",
    "gt": "{column} > %s",
    "gte": "{column} >= %s",
    "lt": "{column} < %s",
    "lte": "{column} <= %s",
}


@dataclass(frozen=True)
class Condition:
    """A comparison of a column of the list with *value* (a list for `in`)."""

    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True)
class ListQuery:
    """What to list: rows that meet all *conditions*, by *order* and then id, after the row (order's value, id)."""

    limit: int = 20
    order: str = "created_at"
    descending: bool = True
    after: tuple[Any, Any] | None = None
    conditions: Sequence[Condition] = ()

    def narrowed(self, condition: Condition) -> ListQuery:
        """The same query with one more condition: the parent that a path names."""
        return replace(self, conditions=[*self.conditions, condition])


@dataclass(frozen=True)
class Page:
    """Rows, where the next page starts (the last row's order value and id; None at the end), and how many in all."""

    rows: list[DictRow]
    next: tuple[Any, Any] | None
    total: int


async def page(connection: Connection, select: LiteralString, query: ListQuery) -> Page:
    """A page of *select*, which has the columns `id`, the query's order (never null) and those of its conditions."""
    listed = sql.SQL("({}) AS listed").format(sql.SQL(select))
    wanted, values = _where(query.conditions)
    cursor = await connection.execute(
        sql.SQL("SELECT count(*) AS total FROM {} WHERE {}").format(listed, wanted), values
    )
    counted = await cursor.fetchone()

    rest, after = _after(query)
    direction = sql.SQL("DESC" if query.descending else "ASC")
    statement = sql.SQL(
        "SELECT * FROM {listed} WHERE {wanted} AND {rest} ORDER BY {order} {direction}, id {direction} LIMIT %s"
    ).format(listed=listed, wanted=wanted, rest=rest, order=sql.Identifier(query.order), direction=direction)
    cursor = await connection.execute(statement, [*values, *after, query.limit + 1])
    rows = await cursor.fetchall()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Page(rows, (rows[-1][query.order], rows[-1]["id"]) if more else None, counted["total"] if counted else 0)


def _where(conditions: Sequence[Condition]) -> tuple[sql.Composable, list[Any]]:
    parts = [
        sql.SQL(COMPARISONS[condition.operator]).format(column=sql.Identifier(condition.column))
        for condition in conditions
    ]
    return sql.SQL(" AND ").join([sql.SQL("true"), *parts]), [condition.value for condition in conditions]


def _after(query: ListQuery) -> tuple[sql.Composable, list[Any]]:
    if query.after is None:
        return sql.SQL("true"), []
    sign = sql.SQL("<" if query.descending else ">")
    return sql.SQL("({}, id) {} (%s, %s)").format(sql.Identifier(query.order), sign), [*query.after]
