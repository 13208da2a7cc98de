"""Lists: what their query strings may say, their cursors, and the shape of their answers (api.md, Conventions)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import GenericAlias
from typing import Annotated, Any, Final, Generic, TypeVar, get_args
from uuid import UUID

from fastapi import Query
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model, field_validator

from api.fields import Shown
from api.problems import invalid
from store.lists import Condition, ListQuery, Operator, Page

Item = TypeVar("Item", bound=BaseModel)

MOST_VALUES: Final = 100
RANGES: Final[tuple[Operator, ...]] = ("gt", "gte", "lt", "lte")


class Listed(Shown, Generic[Item]):
    """A page of a list: `next` is the cursor of the page after it, or null; `total` counts all that match."""

    data: list[Item]
    next: str | None
    total: int


def listed(page: Page, query: ListQuery, shown: Callable[[DictRow], Item]) -> Listed[Item]:
    """The answer that shows *page*, each row as *shown* makes it: `Customer.model_validate`."""
    return Listed(
        data=[shown(row) for row in page.rows],
        next=None if page.next is None else _cursor(query, page.next),
        total=page.total,
    )


def listing(
    filters: Mapping[str, Any],
    orders: Sequence[str] = ("created_at",),
    columns: Mapping[str, str] | None = None,
    key: Any = UUID,
) -> Callable[..., ListQuery]:
    """The dependency that reads a list's query string: `Annotated[ListQuery, Depends(listing({...}))]`.

    *filters* gives each field's type; times and days have ranges (`__gte`, `__gt`, `__lte`, `__lt`), all have `__in`.
    *orders* are columns that are never null; the first is the default, descending. *columns* names the column of a
    field that is called otherwise, *key* is the type of the list's `id`. Anything else in the query string is a 422.
    """
    asked = _model(filters, orders)
    targets = _targets(filters, columns or {})
    rows: dict[str, TypeAdapter[tuple[Any, Any]]] = {
        order: TypeAdapter(_of(tuple, filters[order], key)) for order in orders
    }

    def read(query: BaseModel) -> ListQuery:
        given = query.model_dump(exclude_none=True)
        order, descending = given["order"].removeprefix("-"), given["order"].startswith("-")
        return ListQuery(
            limit=given["limit"],
            order=order,
            descending=descending,
            after=_after(given["cursor"], given["order"], rows[order]) if "cursor" in given else None,
            conditions=[Condition(*targets[name], value) for name, value in given.items() if name in targets],
        )

    read.__annotations__["query"] = Annotated[asked, Query()]
    return read


def _of(container: Any, *kinds: Any) -> Any:
    """`list[str]` of types that are only known at run time."""
    return GenericAlias(container, kinds)


def _ranged(kind: Any) -> bool:
    plain = get_args(kind)[0] if get_args(kind) else kind
    return isinstance(plain, type) and issubclass(plain, (datetime, date))


def _targets(filters: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, tuple[str, Operator]]:
    targets: dict[str, tuple[str, Operator]] = {}
    for field, kind in filters.items():
        column = columns.get(field, field)
        targets[field] = (column, "eq")
        targets[f"{field}__in"] = (column, "in")
        if _ranged(kind):
            targets |= {f"{field}__{operator}": (column, operator) for operator in RANGES}
    return targets


def _split(values: Any) -> Any:
    """`a,b` is a and b; so is the parameter given twice."""
    if not isinstance(values, list):
        return values
    parts = [part for value in values for part in value.split(",")]
    if len(parts) > MOST_VALUES:
        raise ValueError(f"has too many values: at most {MOST_VALUES}")
    return parts


def _model(filters: Mapping[str, Any], orders: Sequence[str]) -> type[BaseModel]:
    directions = "|".join(f"-?{order}" for order in orders)
    fields: dict[str, Any] = {
        "limit": (Annotated[int, Field(ge=1, le=100)], 20),
        "cursor": (Annotated[str, Field(max_length=500)] | None, None),
        "order": (Annotated[str, Field(pattern=f"^({directions})$")], f"-{orders[0]}"),
    }
    for field, kind in filters.items():
        fields[field] = (kind | None, None)
        fields[f"{field}__in"] = (_of(list, kind) | None, None)
        if _ranged(kind):
            fields |= {f"{field}__{operator}": (kind | None, None) for operator in RANGES}
    split = field_validator(*(f"{field}__in" for field in filters), mode="before")(_split)
    return create_model(
        "ListParameters", __config__=ConfigDict(extra="forbid"), __validators__={"split": split}, **fields
    )


def _cursor(query: ListQuery, after: tuple[Any, Any]) -> str:
    value, row = after
    signed_order = f"-{query.order}" if query.descending else query.order
    text = json.dumps([signed_order, value.isoformat() if isinstance(value, date) else value, str(row)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(cursor: str, order: str, row: TypeAdapter[tuple[Any, Any]]) -> tuple[Any, Any]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        made_for, *after = json.loads(text)
        if made_for == order:
            return row.validate_python(tuple(after))
    except (binascii.Error, ValueError, TypeError):
        pass
    raise invalid(("query", "cursor"), "is not a cursor of this list in this order")
