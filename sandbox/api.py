"""The sandbox's JSON calls, its ledger and its faults, as routes."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator

from sandbox import faults, store
from sandbox.arming import Arm
from sandbox.desk import Desk, Visit
from sandbox.records import Armed, Entry, stamp
from sandbox.requests import Attach, Charge, ClosePage, ListCaptures, LookUp, OpenPage, Refund

bearer = HTTPBearer(auto_error=False)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def authenticated(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
    """Only who knows the shared secret may call."""
    secret: str = request.app.state.secret
    if given is None or not hmac.compare_digest(given.credentials.encode(), secret.encode()):
        raise HTTPException(401, "unauthorized", {"WWW-Authenticate": "Bearer"})


def since(value: str) -> str | int:
    """A seq, then later ones are meant; or a time, then that and later. A `+` that arrived as a space is a `+`."""
    if value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    at = datetime.fromisoformat(value.strip().replace(" ", "+"))
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


AtDesk = Annotated[Desk, Depends(desk_of)]
Since = Annotated[str, AfterValidator(since), Query(description="a seq (later ones) or a time (that and later)")]

calls = APIRouter(dependencies=[Depends(authenticated)])
control = APIRouter()


@calls.post("/attach")
async def attach(body: Attach, request: Request, desk: AtDesk) -> Response:
    """Make a front-end token chargeable."""
    return await faults.answer(Visit(desk, "attach", body, request))


@calls.post("/open_page")
async def open_page(body: OpenPage, request: Request, desk: AtDesk) -> Response:
    """Open a hosted page."""
    return await faults.answer(Visit(desk, "open_page", body, request))


@calls.post("/close_page")
async def close_page(body: ClosePage, request: Request, desk: AtDesk) -> Response:
    """Close a hosted page for good, unless it is paid or being paid."""
    return await faults.answer(Visit(desk, "close_page", body, request))


@calls.post("/charge")
async def charge(body: Charge, request: Request, desk: AtDesk) -> Response:
    """Charge a saved method."""
    return await faults.answer(Visit(desk, "charge", body, request))


@calls.post("/refund")
async def refund(body: Refund, request: Request, desk: AtDesk) -> Response:
    """Return what was captured under a key."""
    return await faults.answer(Visit(desk, "refund", body, request))


@calls.post("/look_up")
async def look_up(body: LookUp, request: Request, desk: AtDesk) -> Response:
    """What is true of a key."""
    return await faults.answer(Visit(desk, "look_up", body, request))


@calls.post("/captures")
async def captures(body: ListCaptures, request: Request, desk: AtDesk) -> Response:
    """List what was captured."""
    return await faults.answer(Visit(desk, "captures", body, request))


@control.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@control.get("/ledger")
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


@control.post("/faults", status_code=201)
async def arm(body: Arm, desk: AtDesk) -> dict[str, Any]:
    """Arm a fault."""
    return _shown(await desk.books.write(lambda connection: store.arm(connection, body.armed())))


@control.get("/faults")
async def armed(desk: AtDesk) -> list[dict[str, Any]]:
    """The faults that were armed, oldest first; `times` 0 is used up."""
    return [_shown(fault) for fault in await desk.books.read(store.armed_faults)]


@control.delete("/faults", status_code=204)
async def disarm(desk: AtDesk) -> None:
    """Heal everything."""
    await desk.books.write(store.disarm)


def _shown(fault: Armed) -> dict[str, Any]:
    return {**fault.model_dump(), "match": json.loads(fault.match)}
