"""Recent requests at a terminal: what was asked, when, and how it was answered, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.answers import Request
from ops.connection import Connection
from ops.door import Door
from ops.words import moment

COLOURS: Final = {4: "yellow", 5: "red"}
"""Of refusals, and of what went wrong here: by the first digit of the status."""


async def listed(to: Connection, asked: Mapping[str, str], limit: int, *, as_json: bool) -> None:
    """Print the newest *limit* requests that *asked*, the list's filters, describes."""
    found: list[Request] = []
    async with Door(to, page=min(limit, 100)) as door:
        async for request in door.requests(asked):
            found.append(request)
            if len(found) == limit:
                break
    if as_json:
        print(json.dumps([request.model_dump(mode="json") for request in found], indent=2))  # noqa: T201 - for programs
        return
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table(found) if found else Text("There are no such requests."))


def table(requests: Sequence[Request]) -> Table:
    """Two lines a request: when, and of what; how it was answered, and whom. It holds at 80 columns."""
    shown = Table(box=box.SIMPLE, pad_edge=False)
    shown.add_column("At, in UTC", no_wrap=True)
    shown.add_column("Request", overflow="fold", ratio=1)
    for request in requests:
        shown.add_row(_answered(request), _asked(request))
    return shown


def _answered(request: Request) -> Text:
    status = (str(request.status), COLOURS.get(request.status // 100, ""))
    return Text.assemble(f"{moment(request.created_at)}\n{request.method} ", status, f" in {request.duration_ms} ms")


def _asked(request: Request) -> Text:
    """The path; under it what the caller calls itself, and its key."""
    key = f"key {request.idempotency_key}" if request.idempotency_key else None
    caller = "; ".join(part for part in (request.user_agent, key) if part)
    return Text.assemble((request.path, "bold"), (f"\n{caller}", "dim") if caller else "")
