"""Whether this process lives, and whether what it needs answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from fastapi import Request
from temporalio.service import RPCError

from api.fields import Shown
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from store.database import UNAVAILABLE, Database

router: Final = routes("/health", "Health")


class Part(Shown):
    """One thing that the service needs: *reason* says why it is not ok."""

    ok: bool
    reason: str | None = None


class Live(Shown):
    status: str


class Ready(Shown):
    status: str
    parts: dict[str, Part]


@router.get("/live", summary="This process answers")
async def live() -> Live:
    return Live(status="live")


@router.get("/ready", summary="Everything this process needs answers")
async def ready(request: Request, database: Data) -> Ready:
    """200 when requests can be served, else 503 with the part that is away."""
    first, second = await asyncio.gather(_database(database), _temporal(request.app.state.temporal))
    parts = {"database": first, "temporal": second}
    if not all(part.ok for part in parts.values()):
        shown = {name: part.model_dump() for name, part in parts.items()}
        raise Problem("temporarily-unavailable", "A part of the service does not answer.", parts=shown)
    return Ready(status="ready", parts=parts)


async def _database(database: Database) -> Part:
    try:
        async with database.unbound() as connection:
            await connection.execute("SELECT 1")
    except UNAVAILABLE:
        return Part(ok=False, reason="PostgreSQL does not answer")
    return Part(ok=True)


async def _temporal(client: object) -> Part:
    """*client* is a temporalio Client, or None while there is none."""
    service = getattr(client, "service_client", None)
    if service is None:
        return Part(ok=False, reason="There is no connection to Temporal")
    try:
        await service.check_health(timeout=timedelta(seconds=2))
    except (RPCError, RuntimeError):
        return Part(ok=False, reason="Temporal does not answer")
    return Part(ok=True)
