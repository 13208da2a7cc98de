"""Events out: an outbox that is emptied in order, signed, and tried again for a day."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from sandbox import store
from sandbox.records import Event, stamp

FIRST: Final = 0.5
"""Seconds to the second try; each later interval is twice as long, up to LONGEST."""
LONGEST: Final = 3600.0
GIVE_UP: Final = timedelta(days=1)
AT_ONCE: Final = 20
COPIES: Final = 10
"""How often a duplicated event arrives, all at once."""


class Deliverer:
    """Posts what is in the outbox to *url*, signed with *secret* (`whsec_...`) after the Standard Webhooks spec; with each
    of several, with spaces or commas between them, while one takes another's place. Without a *url* the events stay where
    they are.
    """

    def __init__(self, books: store.Store, url: str | None, secret: str) -> None:
        self._books = books
        self._url = url
        self._signers = [Webhook(each) for each in secret.replace(",", " ").split()]
        self._client = httpx.AsyncClient(timeout=5, follow_redirects=False, trust_env=False)
        self._awake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._sends: dict[str, Callable[[str, Event], Awaitable[bool]]] = {
            "duplicate": self._send_copies,
            "forge": self._send_forged,
        }

    def wake(self) -> None:
        """There may be something new."""
        self._awake.set()

    async def run(self, every: float = 0.2) -> None:
        """Deliver what is due, for ever; look again when woken, at the latest after *every* seconds."""
        while True:
            delivered = await self.deliver_due()
            if delivered < AT_ONCE:
                await self._rest(every)

    async def deliver_due(self) -> int:
        """Try what is due once; answer how many events that were."""
        if self._url is None:
            return 0
        async with self._one_at_a_time:
            now = datetime.now(UTC)
            due = await self._books.read(lambda connection: store.due_events(connection, stamp(now), AT_ONCE))
            await self._deliver(self._url, due)
            return len(due)

    async def deliver(self, events: Sequence[Event]) -> None:
        """Try these once, now, unless they have arrived meanwhile."""
        if self._url is None or not events:
            return
        async with self._one_at_a_time:
            ids = [event.id for event in events]
            waiting = await self._books.read(lambda connection: store.waiting_events(connection, ids))
            await self._deliver(self._url, waiting)

    async def _deliver(self, url: str, due: Sequence[Event]) -> None:
        tried = await asyncio.gather(*(self._try(url, event) for event in due))
        if tried:
            await self._books.write(lambda connection: store.save_events(connection, tried))

    async def close(self) -> None:
        await self._client.aclose()

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), seconds)
        except TimeoutError:
            return
        self._awake.clear()

    async def _try(self, url: str, event: Event) -> Event:
        arrived = await self._sends.get(event.fault or "", self._send)(url, event)
        return _after(event, datetime.now(UTC), arrived=arrived)

    async def _send(self, url: str, event: Event) -> bool:
        return await self._post(url, event.id, event.body, *self._signers)

    async def _send_copies(self, url: str, event: Event) -> bool:
        return all(await asyncio.gather(*(self._send(url, event) for _ in range(COPIES))))

    async def _send_forged(self, url: str, event: Event) -> bool:
        """First a lie that somebody else signed, then the truth."""
        content = {**json.loads(event.body), "id": f"evt_{uuid4().hex}", "type": "page.paid"}
        await self._post(url, content["id"], json.dumps(content), Webhook(secrets.token_bytes(32)))
        return await self._send(url, event)

    async def _post(self, url: str, event: str, body: str, *signers: Webhook) -> bool:
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(event, now, body) for signer in signers),
        }
        try:
            answer = await self._client.post(url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.is_success


def _after(event: Event, now: datetime, *, arrived: bool) -> Event:
    """The event after a try: delivered, dead after a day, or due again later than the last time."""
    attempts = event.attempts + 1
    due = now + timedelta(seconds=min(FIRST * 2 ** min(event.attempts, 20), LONGEST))
    late = due > datetime.fromisoformat(event.created_at) + GIVE_UP
    status = "delivered" if arrived else "dead" if late else "waiting"
    return event.model_copy(update={"status": status, "attempts": attempts, "due_at": stamp(due), "fault": None})
