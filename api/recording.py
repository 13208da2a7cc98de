"""Recent requests on their way to the log: noted when they are answered, written behind it, never in anybody's way."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

import structlog
from psycopg.errors import ReadOnlySqlTransaction
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Caller
from api.metrics import Metrics
from api.parsing import has_card_number
from api.problems import where
from checkout.plain_text import plain
from store import organisations, request_log
from store.database import UNAVAILABLE, Database
from store.request_log import Record

log = structlog.get_logger()

MOST_WAITING: Final = 10_000
"""Requests that wait to be written; while so many do, no more are noted."""

BATCH: Final = 2_000
OFTEN: Final = 0.25
"""Seconds between writes."""

LAST: Final = 3.0
"""Seconds that a process which ends waits for its last requests to be written."""

PRUNE_AFTER: Final = 1_000
"""Requests of an organisation, after which what is too much of its log is forgotten."""

SWEEP: Final = 3600.0
"""Seconds between looks at every organisation's log: those that send nothing any more have old requests, too."""

LONGEST_AGENT: Final = 200
LONGEST_KEY: Final = 64

AWAY: Final = (*UNAVAILABLE, ReadOnlySqlTransaction, TimeoutError)

_OUR_ID: Final = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/(\d{1,9}|page|charge|refund|excess)){0,8}|\d{1,9}", re.ASCII
)
_PLACE: Final = re.compile(r"{(\w+)(?::\w+)?}")
_TELLING: Final = re.compile(r"@|%40|\bck_[a-z]+_|\b(sk|rk|pk|whsec)_", re.IGNORECASE)


class RequestLog:
    """What waits to be written, and its writer: at work within `async with log.written()`."""

    def __init__(self, database: Database, metrics: Metrics, most: int = MOST_WAITING) -> None:
        self._database = database
        self._metrics = metrics
        self._most = most
        self._waiting: deque[tuple[UUID, Record]] = deque()
        self._since_pruned: defaultdict[UUID, int] = defaultdict(int)

    def note(self, organisation: UUID, record: Record) -> None:
        """Have *record* written soon; where too many wait, it is dropped and counted."""
        if len(self._waiting) >= self._most:
            self._metrics.logged("dropped")
            return
        self._waiting.append((organisation, record))

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Write what is noted meanwhile, and at the end what is left, within LAST seconds."""
        writer = asyncio.create_task(self._write_on())
        try:
            yield
        finally:
            writer.cancel()
            await asyncio.wait({writer})
            with suppress(*AWAY):
                async with asyncio.timeout(LAST):
                    while self._waiting:
                        await self.flush()

    async def _write_on(self) -> None:
        swept = -SWEEP
        while True:
            await asyncio.sleep(OFTEN)
            with suppress(*AWAY):
                while self._waiting:
                    await self.flush()
                if time.monotonic() - swept >= SWEEP:
                    swept = time.monotonic()
                    await self._sweep()

    async def flush(self) -> None:
        """Write a batch. Where the database is away it goes on waiting, and what the database says is raised; written
        twice, it is there once.
        """
        batch = list(islice(self._waiting, BATCH))
        for organisation, records in _by_organisation(batch).items():
            await self._write(organisation, records)
        for _ in batch:
            self._waiting.popleft()

    async def _write(self, organisation: UUID, records: list[Record]) -> None:
        """Write what *organisation* sent; what can't be written at all is given up, so that the others don't wait for it."""
        try:
            async with self._database.of(organisation) as connection:
                await request_log.write(connection, records)
                if self._since_pruned[organisation] + len(records) >= PRUNE_AFTER:
                    await request_log.prune(connection)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - a log must not stop at what it can't log
            self._metrics.logged("failed", len(records))
            log.warning("requests_not_logged", error=type(error).__name__, where=where(error))
            return
        self._metrics.logged("written", len(records))
        self._since_pruned[organisation] = (self._since_pruned[organisation] + len(records)) % PRUNE_AFTER

    async def _sweep(self) -> None:
        async with self._database.unbound() as connection:
            every = await organisations.every(connection)
        for organisation in every:
            async with self._database.of(organisation) as connection:
                await request_log.prune(connection)


def _by_organisation(batch: Iterable[tuple[UUID, Record]]) -> Mapping[UUID, list[Record]]:
    sent: dict[UUID, list[Record]] = {}
    for organisation, record in batch:
        sent.setdefault(organisation, []).append(record)
    return sent


class Recorded:
    """Notes each request that came with a valid key, once it is answered; nobody waits for that."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came, began, status = datetime.now(UTC), time.perf_counter(), 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            caller: Caller | None = scope.get("checkout.caller")
            if caller is not None and status:
                self._log.note(caller.organisation, _record(scope, came, status, time.perf_counter() - began))


def _record(scope: Scope, came: datetime, status: int, seconds: float) -> Record:
    headers = Headers(scope=scope)
    return Record(
        id=uuid4(),
        created_at=came,
        method=scope["method"],
        path=path_of(scope["route"].path, scope["path_params"]),
        status=status,
        duration_ms=round(seconds * 1000),
        user_agent=told(headers.get("user-agent"), LONGEST_AGENT),
        idempotency_key=told(headers.get("idempotency-key"), LONGEST_KEY),
    )


def path_of(template: str, given: Mapping[str, object]) -> str:
    """The route's *template* with our own ids in it; anything else that was *given* is not repeated."""

    def shown(place: re.Match[str]) -> str:
        text = str(given.get(place[1], ""))
        return text if _OUR_ID.fullmatch(text) else f"{{{place[1]}}}"

    return _PLACE.sub(shown, template)


def told(text: str | None, most: int) -> str | None:
    """What a caller calls itself or its request, harmless and cut; nothing where it may tell a secret, a card or a
    person.
    """
    if not text or _TELLING.search(text) or has_card_number(text):
        return None
    return plain(text)[:most]
