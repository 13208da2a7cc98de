"""Events in: verified, stored, then passed on as a hint; the workflow asks the gateway what is true."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from api.checkouts import Sessions
from api.parts import Data, Gateways
from api.problems import Problem
from api.routes import router as routes
from checkout.commands import PaymentReported
from gateways.port import ForgedEvent
from store import gateway_events

router: Final = routes("/webhooks", "Events in")


@router.post("/{gateway}", summary="Take a gateway's event; its signature is the authentication")
async def take(
    gateway: str, request: Request, database: Data, gateways: Gateways, checkouts: Sessions
) -> dict[str, bool]:
    if gateway not in gateways:
        raise Problem("not-found")
    body = await request.body()
    try:
        event = gateways[gateway].read_event(request.headers, body)
    except ForgedEvent:
        raise Problem("unauthorized", "The event's signature is missing, malformed, wrong or too old.") from None
    async with database.unbound() as connection:
        fresh = await gateway_events.keep(connection, gateway, event)
    if fresh and event.account and event.reference:
        reported = PaymentReported(event=event.id, key=event.key, captured=event.captured)
        if await checkouts.hint(event.account, event.reference, reported):
            async with database.unbound() as connection:
                await gateway_events.passed_on(connection, gateway, event.id)
    return {"received": True}
