"""The addresses of the pages that tell customers what became of their payment: signed, since who has one may look."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID


def outcome_address(base: str, pepper: str, organisation: UUID, session: UUID) -> str:
    """The session's page of the API whose customers reach it at *base*; its signature is made with the *pepper*."""
    return f"{base.rstrip('/')}/{_path(organisation, session)}?signature={_signature(pepper, organisation, session)}"


def is_signed(pepper: str, organisation: object, session: object, signature: str) -> bool:
    """Whether we made an address of that page: then *organisation* and *session*, as they stand there, are ids."""
    return hmac.compare_digest(_signature(pepper, organisation, session).encode(), signature.encode(errors="replace"))


def _path(organisation: object, session: object) -> str:
    return f"outcome/{organisation}/{session}"


def _signature(pepper: str, organisation: object, session: object) -> str:
    return hmac.new(pepper.encode(), _path(organisation, session).encode(), hashlib.sha256).hexdigest()
