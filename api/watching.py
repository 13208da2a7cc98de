"""Watching sessions for their next change: one look per organisation for all who watch, and no look while nobody does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request

from api.auth import Caller
from api.problems import Problem
from store import api_keys, sessions
from store.database import UNAVAILABLE, Database

EVERY: Final = 0.25
"""Seconds between looks: for each organisation that somebody watches, one transaction of two small queries."""

LONGEST_LOOK: Final = 5.0
"""Seconds that a look may take: a database that has not answered by then is away."""

MOST_OF_KEY: Final = 50
MOST: Final = 1000
"""Streams at the same time: of one key, and of this process."""


class Ended(Exception):
    """There is nothing to see any more: the database is away, or the key was revoked."""


@dataclass(eq=False)
class _Wait:
    """Somebody who waits for the session to have a version above *version*."""

    caller: Caller
    session: UUID
    version: int
    changed: asyncio.Future[None] = field(default_factory=asyncio.Future)


class Watch:
    """Everybody of this process who watches a session. Its look goes on while somebody waits, and ends by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[_Wait] = set()
        self._watching: Counter[UUID] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._over = False

    @contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """One of the places that the caller's key has. Raises the problem `too-many-requests`."""
        if self._watching[caller.key_id] >= MOST_OF_KEY or self._watching.total() >= MOST:
            raise Problem("too-many-requests", "Too many sessions are being watched with this key, or at this server.")
        self._watching[caller.key_id] += 1
        try:
            yield
        finally:
            self._watching[caller.key_id] -= 1
            self._watching += Counter()  # forgets keys that watch nothing

    def end(self) -> None:
        """End every stream, and from now on each as soon as it has said how its session stands: the process stops."""
        self._over = True
        _end(self._waiting)

    async def changed(self, caller: Caller, session: UUID, version: int) -> None:
        """Return once the session has a version above *version*. Raises Ended."""
        if self._over:
            raise Ended
        wait = _Wait(caller, session, version)
        self._waiting.add(wait)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            await wait.changed
        finally:
            self._waiting.discard(wait)

    async def _look_on(self) -> None:
        while self._waiting:
            await asyncio.sleep(EVERY)
            by_organisation = sorted(self._waiting, key=_organisation)
            try:
                async with asyncio.timeout(LONGEST_LOOK):
                    for organisation, waits in groupby(by_organisation, _organisation):
                        await self._look(organisation, list(waits))
            except (*UNAVAILABLE, TimeoutError):
                _end(self._waiting)

    async def _look(self, organisation: UUID, waits: Sequence[_Wait]) -> None:
        """Wake those whose session has changed, and those who will see nothing any more."""
        async with self._database.of(organisation) as connection:
            versions = await sessions.versions(connection, {wait.session for wait in waits})
            valid = await api_keys.valid(connection, {wait.caller.key_id for wait in waits})
        _end(wait for wait in waits if wait.caller.key_id not in valid)
        for wait in waits:
            if versions.get(wait.session, 0) > wait.version and not wait.changed.done():
                wait.changed.set_result(None)


def _end(waits: Iterable[_Wait]) -> None:
    for wait in waits:
        if not wait.changed.done():
            wait.changed.set_exception(Ended())


def _organisation(wait: _Wait) -> UUID:
    return wait.caller.organisation


def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    return watch


Watching = Annotated[Watch, Depends(_watch)]
