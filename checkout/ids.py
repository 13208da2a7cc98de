"""Ids and keys, each built in one place and derived: never random where an effect hangs on it, never from time."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal
from uuid import UUID, uuid5

_SPACE: Final = UUID("6f2b7c3e-0d0f-5c52-9a53-6f1c2e7d4b10")


def session_of(organisation: UUID, idempotency_key: str) -> UUID:
    """The session that *organisation* opens with *idempotency_key*: the same one each time."""
    return uuid5(_SPACE, f"session/{organisation}/{idempotency_key}")


def workflow_of(organisation: UUID, session: UUID) -> str:
    """The workflow id of a session; another organisation's session has another one, so it can't be addressed."""
    return f"checkout/{organisation}/{session}"


def guest_of(session: UUID) -> UUID:
    """The customer that a guest session creates, on every attempt the same."""
    return uuid5(_SPACE, f"customer/{session}")


def contract_of(session: UUID, attempt: int) -> UUID:
    """The contract that a confirmation attempt drafts."""
    return uuid5(_SPACE, f"contract/{session}/{attempt}")


def details_of(session: UUID, fingerprint: str) -> UUID:
    """The details row that a request with *fingerprint* writes for a session."""
    return uuid5(_SPACE, f"details/{session}/{fingerprint}")


def update_of(call: str, idempotency_key: str) -> str:
    """The Temporal update id of a call made with *idempotency_key*; another call with the same key is another one."""
    return f"{call}/{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


def page_key(session: UUID, attempt: int) -> str:
    return f"{session}/{attempt}/page"


def charge_key(session: UUID, attempt: int, instalment: int, charge: int) -> str:
    """The key of the *charge*-th try at an instalment: a new one only after a definite no."""
    return f"{session}/{attempt}/charge/{instalment}/{charge}"


def action_key(charge: str) -> str:
    """The key of the page at which a customer acts on the due payment whose *charge* needs them."""
    return f"{charge}/page"


def attempt_of(session: UUID, key: str) -> int | None:
    """The attempt of *session* that made *key*, a page's or a charge's; None for any other key."""
    found = re.fullmatch(rf"{session}/(\d{{1,9}})/(page|charge/\d+/\d+(/page)?)", key)
    return int(found[1]) if found else None


def charge_of(session: UUID, key: str) -> tuple[int, int, bool] | None:
    """Which instalment of *session* a charge's *key* is about, which try at it, and whether it is the customer's page of
    that try; None for any other key.
    """
    found = re.fullmatch(rf"{session}/\d{{1,9}}/charge/(\d{{1,9}})/(\d{{1,9}})(/page)?", key)
    return (int(found[1]), int(found[2]), found[3] is not None) if found else None


def refund_key(of: str) -> str:
    """The key of the refund of what was captured under the key *of*."""
    return f"{of}/refund"


def refund_of(key: str) -> str:
    """The key of what a refund's *key* returns."""
    return key.partition("/refund")[0]


def taken_of(key: str) -> str:
    """The key under which was captured what a refund's *key* returns, or a part of it; any other key is its own."""
    return refund_of(key).removesuffix("/excess")


def excess_key(of: str) -> str:
    """The key of the refund of what was captured under the key *of* beyond what was asked for."""
    return f"{of}/excess"


def kind_of(key: str) -> Literal["page", "charge", "refund"]:
    """What a key was made for."""
    last = key.rsplit("/", 1)[-1]
    if last == "excess" or "/refund" in key:
        return "refund"
    return "page" if last == "page" else "charge"


def another_refund_key(key: str) -> str:
    """The key after *key*, a refund's that never arrived and is too old to be used: `.../refund`, `.../refund/2`, ..."""
    of, _, number = key.partition("/refund")
    return f"{of}/refund/{int(number[1:] or 1) + 1}"
