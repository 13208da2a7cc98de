"""A session as a stream of server-sent events: as it stands now, and again each time it changes, until it is final."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.auth import Caller, Merchant
from api.checkouts import Checkouts, Sessions
from api.problems import Problem, invalid
from api.routes import router as routes
from api.session_answer import Session
from api.watching import Ended, Watch, Watching
from checkout.session import SessionState
from store.database import UNAVAILABLE

router: Final = routes("/checkout_session", "Checkout sessions")

EVENT_STREAM: Final = "text/event-stream"

HEARTBEAT: Final = 15.0
"""Seconds without a change after which a comment says that the stream lives: less than proxies wait."""

RETRY: Final = 2000
"""Milliseconds that a client whose stream broke waits before it comes back."""

UNBUFFERED: Final = {"X-Accel-Buffering": "no"}
"""Proxies pass each event on at once."""

EXAMPLE: Final = 'retry: 2000\n\nevent: session\ndata: {"checkout_session_status": "processing", ...}\nid: 2\n\n'


def _last(
    request: Request,
    _documented: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The `id` of the last event that arrived")
    ] = None,
) -> int:
    """The version that the client has; 0 for none."""
    given = request.headers.get("last-event-id", "0")
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise invalid(("header", "Last-Event-ID"), "must be the id of an event of this stream")
    return int(given)


async def _placed(caller: Merchant, watch: Watching) -> AsyncIterator[None]:
    """Holds one of the key's places until the stream has ended, or its client is gone."""
    with watch.place(caller):
        yield


@router.get(
    "/{session_id}/events",
    summary="Watch a session",
    response_class=Response,
    responses={
        200: {
            "description": "The session, as GET shows it, now and each time it changes",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        204: {"description": "The client has the last there is: it need not come back"},
    },
)
async def events(
    session_id: UUID,
    caller: Merchant,
    checkouts: Sessions,
    watch: Watching,
    last: Annotated[int, Depends(_last)],
    _place: Annotated[None, Depends(_placed)],
) -> Response:
    """Server-sent events, each with the whole session: `id` is its version. Versions that follow each other at once may
    come as one. The stream ends when nothing more is to be expected: the session is final, owes nothing and asks for
    nobody. It also ends when the service or its database stops, or the key is revoked: come back with `Last-Event-ID`
    then, and what you have is not sent again. At most 50 streams of a key at the same time.
    """
    state, shown = await checkouts.stands(caller.organisation, session_id)
    if ended(state) and state.version <= last:
        return Response(status_code=204)
    watched = Watched(checkouts, watch, caller, session_id)
    return StreamingResponse(watched.stream(state, shown, last), headers=UNBUFFERED, media_type=EVENT_STREAM)


def ended(state: SessionState) -> bool:
    """Whether nothing more is to be expected."""
    return not (state.goes_on or state.asks)


@dataclass(frozen=True)
class Watched:
    """A session that a caller watches."""

    checkouts: Checkouts
    watch: Watch
    caller: Caller
    session: UUID

    async def stream(self, state: SessionState, shown: Session, last: int) -> AsyncIterator[bytes]:
        """The session as it stands, *state* and *shown*, if the client does not have that version yet (it has *last*);
        then each later one, and a comment where there is none for long.
        """
        yield format_sse_event(retry=RETRY)
        with suppress(Ended, Problem, *UNAVAILABLE):
            while True:
                if state.version > last:
                    last = state.version
                    yield format_sse_event(event="session", data_str=shown.model_dump_json(), id=str(last))
                if ended(state):
                    return
                while not await self._changed(last):
                    yield KEEPALIVE_COMMENT
                state, shown = await self.checkouts.stands(self.caller.organisation, self.session)

    async def _changed(self, last: int) -> bool:
        """Whether there is a version above *last*; False after a while without one."""
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self.watch.changed(self.caller, self.session, last)
        except TimeoutError:
            return False
        return True
