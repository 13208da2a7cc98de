"""The list of keys, as a table that holds at 80 columns, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rich import box
from rich.table import Table
from rich.text import Text

from checkout.plain_text import plain
from stack.keys import Key


def table(keys: Sequence[Key]) -> Table:
    """Two lines a key: prefix and id are always whole, and a long name folds."""
    shown = Table(box=box.SIMPLE, leading=1, pad_edge=False)
    shown.add_column("Key", no_wrap=True, min_width=36)
    shown.add_column("Scope, name", overflow="fold", ratio=1)
    shown.add_column("Since", no_wrap=True)
    for key in keys:
        shown.add_row(
            Text.assemble((key.prefix, "bold"), "\n", (str(key.id), "dim")),
            Text(f"{key.scope}\n{plain(key.name)}" if key.name else key.scope),
            _since(key),
        )
    return shown


def as_json(keys: Sequence[Key]) -> str:
    """An array of what the table shows."""
    return json.dumps([key.model_dump(mode="json", exclude={"organisation_id"}) for key in keys], indent=2)


def _since(key: Key) -> Text:
    made = f"made {_moment(key.created_at)}"
    return Text.assemble(made, ("\nrevoked " + _moment(key.revoked_at), "red")) if key.revoked_at else Text(made)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
