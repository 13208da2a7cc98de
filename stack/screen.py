"""What `checkout up` shows: a table of addresses and keys, and a sentence when something happens."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.ready import Ready


def show(console: Console, ready: Ready, home: Path, seconds: float) -> None:
    """Print where everything is. The database's password stays in the home folder."""
    table = Table.grid(padding=(0, 2))
    for name, value in _rows(ready, home):
        table.add_row(Text(name, "bold"), Text(value, no_wrap=True, overflow="ignore"))
    console.print(f"\n[green]Everything is up[/green] after {seconds:.1f} s.\n")
    console.print(table, soft_wrap=True)
    console.print("\nPress Ctrl-C to stop. Starting again finds everything where it was.")


def _rows(ready: Ready, home: Path) -> list[tuple[str, str]]:
    return [
        ("API", ready.api),
        ("API description", f"{ready.api}/openapi.json"),
        ("Temporal UI", ready.temporal_ui or "that of your server"),
        ("Payment gateway", ready.gateway),
        ("Temporal", ready.temporal),
        ("PostgreSQL", _without_password(ready.database)),
        ("API key", ready.api_key),
        ("Operator key", ready.operator_key),
        ("Organisation", str(ready.organisation)),
        ("Business entity", str(ready.business_entity)),
        ("Logs", f"{home / 'logs'}/*.log"),
        ("Passwords", str(home / "secrets.json")),
    ]


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"
