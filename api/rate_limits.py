"""How many requests each key may send within a second (api.md, limits). Each API process counts for itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPENT: Final = "checkout.spent"
"""Where a request's scope keeps what its key has spent."""


@dataclass(frozen=True)
class Spent:
    """How a key stands within this second, this request counted: it may send *most*, and *left* more of them."""

    most: int
    left: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """The header fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it."""
        return {"RateLimit-Policy": f'"key";q={self.most};w=1', "RateLimit": f'"key";r={self.left};t=1'}


class Rates:
    """Counts requests by key, in seconds of *clock*, which never goes back: the library's own would hold a key for as
    long as the machine's clock was set back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._clock = clock

    async def spend(self, key: UUID, most: int) -> Spent:
        """Count a request of *key*, which may send *most* of them a second."""
        limit, counted = RateLimitItemPerSecond(most), (str(key), str(int(self._clock())))
        allowed = await self._limiter.hit(limit, *counted)
        stats = await self._limiter.get_window_stats(limit, *counted)
        return Spent(most=most, left=stats.remaining, exceeded=not allowed)


class TellsRate:
    """Tells each caller with a key how it stands, with refusals too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            spent: Spent | None = scope.get(SPENT)
            if spent is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(spent.headers())
            await send(message)

        await self._app(scope, receive, told)
