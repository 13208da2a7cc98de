"""Keys at the gateway, taken apart again: which attempt, which instalment, which try (checkout/ids.py builds them)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

REFUND: Final = re.compile(r"(.+?)(?:/excess)?/(?:refund|refund/\d+|excess)")
"""A refund's key: of all that was captured, or of the excess; another one where the one before never arrived."""


@dataclass(frozen=True)
class Key:
    """*instalment* and *charge* count from 1, and are None for a page; an *action* is the page at which a customer acts on
    a due payment; *of* is the key whose capture a refund returns.
    """

    session: UUID
    attempt: int
    step: Literal["page", "charge", "action"]
    instalment: int | None = None
    charge: int | None = None
    of: str | None = None


def taken_apart(key: str | None) -> Key | None:
    """What *key* says; None for a key that this service does not build."""
    if key is None:
        return None
    refund = REFUND.fullmatch(key)
    of = refund[1] if refund else None
    try:
        match (of or key).split("/"):
            case [session, attempt, "page"]:
                return Key(UUID(session), int(attempt), "page", of=of)
            case [session, attempt, "charge", instalment, charge]:
                return Key(UUID(session), int(attempt), "charge", int(instalment), int(charge), of)
            case [session, attempt, "charge", instalment, charge, "page"]:
                return Key(UUID(session), int(attempt), "action", int(instalment), int(charge), of)
    except ValueError:
        return None
    return None


def session_of(key: str | None, reference: str | None) -> UUID | None:
    """The session that a line of the ledger is about: by its reference, else by its key."""
    for told in (reference, (key or "").partition("/")[0]):
        try:
            return UUID(told or "")
        except ValueError:
            continue
    return None
