"""The control endpoints, as routes: what is truly so, and what is to go wrong. They ask for no key, so
they are there only in a sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from checkout.outcomes import Declined
from sandbox import disputes, store
from sandbox.api import AtDesk
from sandbox.arming import Arm
from sandbox.calls import Refused
from sandbox.desk import Desk, problem
from sandbox.records import Armed, Dispute, Entry, Said, stamp
from sandbox.requests import CloseDispute, OpenDispute
from sandbox.turn import Asking, Turn


def since(value: str) -> str | int:
    """A seq, then later ones are meant; or a time, then that and later. A `+` that arrived as a space is a `+`."""
    if value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    at = datetime.fromisoformat(value.strip().replace(" ", "+"))
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


Since = Annotated[str, AfterValidator(since), Query(description="a seq (later ones) or a time (that and later)")]

router = APIRouter()


@router.get("/ledger")
async def ledger(
    desk: AtDesk,
    key: str | None = None,
    reference: str | None = None,
    account: str | None = None,
    since: Since | None = None,
) -> list[Entry]:
    """Every call and its true effect, oldest first."""
    after, at = (since, None) if isinstance(since, int) else (None, since)
    return await desk.books.read(
        lambda connection: store.entries(connection, key=key, reference=reference, account=account, after=after, at=at)
    )


@router.post("/faults", status_code=201)
async def arm(body: Arm, desk: AtDesk) -> dict[str, Any]:
    """Arm a fault."""
    return _shown(await desk.books.write(lambda connection: store.arm(connection, body.armed())))


@router.get("/faults")
async def armed(desk: AtDesk) -> list[dict[str, Any]]:
    """The faults that were armed, oldest first; `times` 0 is used up."""
    return [_shown(fault) for fault in await desk.books.read(store.armed_faults)]


@router.delete("/faults", status_code=204)
async def disarm(desk: AtDesk) -> None:
    """Heal everything."""
    await desk.books.write(store.disarm)


@router.post("/disputes")
async def open_dispute(body: OpenDispute, desk: AtDesk) -> Response:
    """Let a customer's bank dispute what was captured."""
    return await _dispute(desk, 201, body, lambda turn: disputes.opened(turn, body))


@router.post("/disputes/{dispute}")
async def close_dispute(dispute: str, body: CloseDispute, desk: AtDesk) -> Response:
    """Decide it."""
    return await _dispute(desk, 200, body, lambda turn: disputes.closed(turn, dispute, body.outcome))


async def _dispute(
    desk: Desk, status: int, body: OpenDispute | CloseDispute, act: Callable[[Turn], Dispute]
) -> Response:
    asked = body.model_dump(include={"amount_minor", "reason", "outcome"}, exclude_none=True)
    try:
        now = await desk.turn("dispute", act, Asking(asked), lambda now: Said(status=status, outcome=now.status))
    except Refused as refused:
        return problem(refused.status, refused.code)
    return JSONResponse(now.model_dump(), status)


@router.get("/elsewhere")
async def elsewhere() -> Declined:
    """Where the fault `redirect` leads: a plain no that was never said, to whoever follows."""
    return Declined(code="redirected", soft=False)


def _shown(fault: Armed) -> dict[str, Any]:
    return {**fault.model_dump(), "match": json.loads(fault.match)}
