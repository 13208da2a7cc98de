"""What the double keeps: objects in Stripe's shapes, used keys, and a ledger of what truly happened."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Thing = dict[str, Any]

INDEXED: float = 1.0
"""Seconds until search finds a new object; Stripe's own takes up to a minute."""


class Refused(Exception):
    """An error as Stripe answers it. One that is *kept* is answered again to its idempotency key."""

    def __init__(self, status: int, kind: str, code: str | None = None, *, kept: bool = True, **more: Any) -> None:
        super().__init__(code or kind)
        self.status = status
        self.kept = kept
        self.body = {"error": {"type": kind, "code": code, "message": "Words of the double.", **more}}


@dataclass
class Books:
    """All of it, written to *path* after each request that may have changed something. Members that begin with an
    underscore are the double's own, and are not shown.
    """

    path: Path
    things: dict[str, Thing] = field(default_factory=dict)
    keys: dict[str, Thing] = field(default_factory=dict)
    ledger: list[Thing] = field(default_factory=list)

    @classmethod
    def opened(cls, path: Path) -> Books:
        books = cls(path, **json.loads(path.read_text())) if path.exists() else cls(path)
        books.keys = {key: known for key, known in books.keys.items() if "status" in known}  # else nobody finishes them
        return books

    def save(self) -> None:
        kept = asdict(self)
        del kept["path"]
        written = self.path.with_suffix(".new")
        written.write_text(json.dumps(kept))
        written.replace(self.path)

    def add(self, account: str, prefix: str, kind: str, **members: Any) -> Thing:
        identifier = f"{prefix}_{secrets.token_hex(12)}"
        thing = {
            "id": identifier,
            "object": kind,
            "created": int(time.time()),
            "livemode": False,
            "_account": account,
            "_at": time.time(),
            **members,
        }
        self.things[identifier] = thing
        return thing

    def get(self, account: str, identifier: str, kind: str, param: str | None = None) -> Thing:
        thing = self.things.get(identifier)
        if thing is None or thing["object"] != kind or thing["_account"] != account:
            raise Refused(404 if param is None else 400, "invalid_request_error", "resource_missing", param=param)
        return thing

    def newest_first(self, account: str, kind: str) -> Iterator[Thing]:
        for thing in reversed(self.things.values()):
            if thing["object"] == kind and thing["_account"] == account:
                yield thing

    def enter(self, effect: str, thing: Thing, amount: int | None = None) -> None:
        """Write down what truly happened to something of ours, whether or not anybody heard of it."""
        named = thing["metadata"]
        self.ledger.append(
            {
                "effect": effect,
                "key": named.get("key"),
                "account": named.get("organisation"),
                "reference": named.get("session"),
                "amount_minor": amount,
                "currency": thing["currency"],
            }
        )


def page_of(things: Iterator[Thing], params: Thing, url: str, shown: Callable[[Thing], Thing]) -> Thing:
    """A list as Stripe pages it: `created[gte]` and `created[lte]`, `limit`, `starting_after`."""
    created = params.get("created", {})
    since, until = int(created.get("gte", 0)), int(created.get("lte", 2**40))
    found = [thing for thing in things if since <= thing["created"] <= until]
    if after := params.get("starting_after"):
        found = found[[thing["id"] for thing in found].index(after) + 1 :]
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Refused(400, "invalid_request_error", "parameter_invalid_integer", kept=False, param="limit")
    return {
        "object": "list",
        "url": url,
        "has_more": len(found) > limit,
        "data": [shown(thing) for thing in found[:limit]],
    }


def visible(thing: Any) -> Any:
    """A thing without what is the double's own."""
    if isinstance(thing, dict):
        return {name: visible(value) for name, value in thing.items() if not name.startswith("_")}
    return [visible(each) for each in thing] if isinstance(thing, list) else thing
