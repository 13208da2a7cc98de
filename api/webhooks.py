"""Events in: verified, stored, acknowledged, then passed on as a hint; the workflow asks the gateway what is true."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import BackgroundTasks, Depends, Request

from api.checkouts import Checkouts, Sessions
from api.metrics import Counts, Metrics
from api.parts import Data, Gateways
from api.problems import Problem, where
from api.routes import router as routes
from checkout.commands import PaymentReported
from gateways.port import ForgedEvent, GatewayEvent, PaymentGateway
from store import gateway_events
from store.database import Database

log = structlog.get_logger()

PLAIN: Final = re.compile(r"[!-~]{1,255}")
"""What an event's id, type and key are made of: anything else can't be stored, and names nothing of ours."""

router: Final = routes("/webhooks", "Events in")


@dataclass(frozen=True)
class Intake:
    """The way that the events of one gateway take. Whatever becomes of one is counted."""

    name: str
    gateway: PaymentGateway
    database: Database
    checkouts: Checkouts
    counts: Metrics

    async def read(self, request: Request) -> GatewayEvent:
        """The event, where it is one. Raises `content-too-large`, `unauthorized`, `bad-request`."""
        try:
            event = self.gateway.read_event(request.headers, await request.body())
        except Problem:
            self.counts.event(self.name, "too_large")
            raise
        except ForgedEvent:
            self.counts.event(self.name, "unverified")
            raise Problem("unauthorized", "The event's signature is missing, malformed, wrong or too old.") from None
        if not all(PLAIN.fullmatch(text) for text in (event.id, event.type, event.key or "-")):
            self.counts.event(self.name, "unreadable")
            raise Problem("bad-request", "The event's id, type or key is empty, too long, or no plain text.")
        return event

    async def keep(self, event: GatewayEvent) -> bool:
        """Store the event; whether its session is to be told of it. Raises what psycopg raises where that fails."""
        try:
            async with self.database.unbound() as connection:
                kept = await gateway_events.keep(connection, self.name, event)
        except Exception:
            self.counts.event(self.name, "not_stored")
            raise
        self.counts.event(self.name, kept)
        return kept == "accepted"

    async def pass_on(self, event: GatewayEvent) -> None:
        """Tell the event's session of it. Where nobody hears it, it stands in line: the reconciler passes it on."""
        try:
            self.counts.passed_on(self.name, "told" if await self._told(event) else "waiting")
        except Exception as error:  # noqa: BLE001 - the event is acknowledged and kept, whatever comes now
            self.counts.passed_on(self.name, "put_off")
            log.warning("event_put_off", gateway=self.name, error=type(error).__name__, where=where(error))

    async def _told(self, event: GatewayEvent) -> bool:
        if event.account is None or event.reference is None:
            return False
        reported = PaymentReported(event=event.id, key=event.key, captured=event.captured)
        if not await self.checkouts.hint(event.account, event.reference, reported):
            return False
        async with self.database.unbound() as connection:
            await gateway_events.passed_on(connection, self.name, event.id)
        return True


def _intake(gateway: str, database: Data, gateways: Gateways, checkouts: Sessions, counts: Counts) -> Intake:
    """Raises `not-found` where there is no such gateway."""
    if gateway not in gateways:
        raise Problem("not-found")
    return Intake(gateway, gateways[gateway], database, checkouts, counts)


OfGateway = Annotated[Intake, Depends(_intake)]


@router.post("/{gateway}", summary="Take a gateway's event; its signature is the authentication")
async def take(request: Request, intake: OfGateway, later: BackgroundTasks) -> dict[str, bool]:
    """Answered once the event is stored; anything but a 2xx says that it is not, and should be sent again."""
    event = await intake.read(request)
    if await intake.keep(event):
        later.add_task(intake.pass_on, event)
    return {"received": True}
