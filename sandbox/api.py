"""The calls of the provider's API, as routes."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sandbox import faults
from sandbox.desk import Desk, Visit
from sandbox.requests import Attach, Charge, ClosePage, ListCaptures, ListMethods, LookUp, OpenPage, Refund

bearer = HTTPBearer(auto_error=False)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def authenticated(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
    """Only who knows the shared secret may call."""
    secret: str = request.app.state.secret
    if given is None or not hmac.compare_digest(given.credentials.encode(), secret.encode()):
        raise HTTPException(401, "unauthorized", {"WWW-Authenticate": "Bearer"})


AtDesk = Annotated[Desk, Depends(desk_of)]

calls = APIRouter(dependencies=[Depends(authenticated)])
health = APIRouter()


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


@calls.post("/methods")
async def methods(body: ListMethods, request: Request, desk: AtDesk) -> Response:
    """List what a customer can be charged by."""
    return await faults.answer(Visit(desk, "methods", body, request))


@calls.post("/captures")
async def captures(body: ListCaptures, request: Request, desk: AtDesk) -> Response:
    """List what was captured."""
    return await faults.answer(Visit(desk, "captures", body, request))


@health.get("/health")
async def healthy() -> dict[str, str]:
    return {"status": "ok"}
