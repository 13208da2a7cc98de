"""Where a session may send its customer: to hosts that its organisation allows (checkout/door.py)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from psycopg.rows import DictRow

from api.problems import Problem
from api.session_bodies import Surroundings
from checkout.hosts import lets_in

URLS: Final = ("success_url", "cancel_url", "pending_url")


def refuse_foreign_hosts(owner: DictRow, body: Surroundings) -> None:
    """Raise `validation`, naming each URL of *body* that leads to a host which the organisation *owner* does not allow."""
    given = body.model_dump(include=set(URLS), exclude_none=True)
    hosts = {name: urlsplit(given[name]).hostname or "" for name in URLS if name in given}
    foreign = [name for name, host in hosts.items() if not lets_in(owner["redirect_hosts"], host)]
    if foreign:
        rule = "must lead to a host that the organisation allows"
        raise Problem("validation", errors=[{"loc": ["body", name], "msg": rule} for name in foreign])
