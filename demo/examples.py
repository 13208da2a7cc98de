"""What examples/ holds: a company, its catalogue, its customers, and purchases (examples/README.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from checkout.lifecycle import Payment, Status

FOLDER: Final = Path(__file__).parents[1] / "examples"

_DAYS: Final = {"today": 0, "tomorrow": 1}
_LATER: Final = re.compile(r"\+(\d{1,4})D")

Json = dict[str, Any]
Step = Annotated[dict[str, Any], Field(min_length=1, max_length=1)]
"""One verb of demo.purchases and what it is told: {"page": "card_ok"}."""


class End(BaseModel):
    """How a purchase must end. Amounts are decimal strings in major units; *declined* counts refusals at the gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkout_session_status: Status
    payment_status: Payment
    amount_due: str
    collected: str
    declined: int = 0


class Purchase(BaseModel):
    """A session to open, and what is then done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str
    session: Json
    steps: tuple[Step, ...]
    ends: End


class Catalogue(BaseModel):
    """Products with their pricings, and plans: request bodies, each with a `ref`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    products: tuple[Json, ...]
    plans: tuple[Json, ...]


class Examples(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    company: Json
    catalogue: Catalogue
    customers: tuple[Json, ...]
    purchases: tuple[Purchase, ...]


def load(folder: Path = FOLDER) -> Examples:
    """Read the JSON files of *folder*: company, catalogue, customers, purchases."""
    files = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in Examples.model_fields}
    return TypeAdapter(Examples).validate_python(files)


def filled(value: Any, ids: Mapping[str, str], run: str, today: date | None = None) -> Any:
    """*value* with its shorthands replaced: "@ref" by an id, a relative day by the day, {run} by *run*."""
    today = today or datetime.now(UTC).date()
    if isinstance(value, dict):
        return {name: filled(member, ids, run, today) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, ids, run, today) for item in value]
    return _text(value, ids, run, today) if isinstance(value, str) else value


def _text(text: str, ids: Mapping[str, str], run: str, today: date) -> str:
    if text.startswith("@"):
        return ids[text[1:]]
    if text in _DAYS:
        return (today + timedelta(days=_DAYS[text])).isoformat()
    if later := _LATER.fullmatch(text):
        return (today + timedelta(days=int(later[1]))).isoformat()
    return text.replace("{run}", run)
