"""What each fault does to a call: a table from its name to a small function (api.md, Its faults)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

from checkout.outcomes import NotFound
from sandbox.arming import EVENTS, FITS
from sandbox.connection import Cut
from sandbox.desk import Visit, problem
from sandbox.records import Said

HANG: Final = 20
"""Seconds: four times what the service waits."""
SLOW: Final = 3
"""Seconds: less than it waits."""


INTERNAL: Final = Said(status=500, code="internal")
UNREADABLE: Final = Said(status=200)


def _nothing(_: Said) -> None:
    """Nothing is heard."""


async def _500_before(visit: Visit) -> Response:
    return await _no(visit, INTERNAL)


async def _500_after(visit: Visit) -> Response:
    await visit.take_effect(lambda _: INTERNAL)
    return problem(500, "internal")


async def _lost_reply(visit: Visit) -> Response:
    await visit.take_effect(_nothing)
    return Cut(visit.request)


async def _hang(visit: Visit) -> Response:
    answer = await visit.take_effect(_nothing)
    await asyncio.sleep(HANG)
    return answer


async def _slow(visit: Visit) -> Response:
    """The effect comes in the middle: what was asked and what is answered both take their time."""
    await asyncio.sleep(SLOW / 2)
    answer = await visit.take_effect()
    await asyncio.sleep(SLOW / 2)
    return answer


async def _flood(visit: Visit) -> Response:
    """Blanks, of which a JSON text may have any number, until the caller has had enough."""
    await visit.take_effect(lambda _: UNREADABLE)
    return StreamingResponse(_blanks(), media_type="application/json")


async def _blanks() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536
        await asyncio.sleep(0.01)


async def _redirect(visit: Visit) -> Response:
    """To an address where a lie is told to whoever follows."""
    await visit.take_no_effect(Said(status=302))
    return RedirectResponse("/elsewhere", 302)


async def _reset(visit: Visit) -> Response:
    await visit.take_no_effect()
    return Cut(visit.request, rudely=True)


async def _truncated(visit: Visit) -> Response:
    answer = await visit.take_effect(lambda _: UNREADABLE)
    return Cut(visit.request, bytes(answer.body)[: len(answer.body) // 2], len(answer.body))


async def _429(visit: Visit) -> Response:
    return await _no(visit, Said(status=429, code="too_many_requests"), answered=True, **{"Retry-After": "1"})


async def _409_in_progress(visit: Visit) -> Response:
    return await _no(visit, Said(status=409, code="key_in_progress"), answered=True, **{"Retry-After": "1"})


async def _refund_fails(visit: Visit) -> Response:
    return await _no(visit, Said(status=503, code="refund_failed"), answered=True)


async def _look_up_lag(visit: Visit) -> Response:
    lie = NotFound()
    await visit.take_no_effect(Said(status=200, outcome=lie.outcome))
    return JSONResponse(lie.model_dump())


async def _no(visit: Visit, said: Said, *, answered: bool = False, **headers: str) -> Response:
    """An error instead of an effect; *answered* says whether it is to be believed."""
    await visit.take_no_effect(said, answered=answered)
    return problem(said.status, said.code or "", **headers)


FAULTS: Final[dict[str, Callable[[Visit], Awaitable[Response]]]] = {
    "500_before": _500_before,
    "500_after": _500_after,
    "lost_reply": _lost_reply,
    "hang": _hang,
    "slow": _slow,
    "reset": _reset,
    "truncated": _truncated,
    "flood": _flood,
    "redirect": _redirect,
    "429": _429,
    "409_in_progress": _409_in_progress,
    "refund_fails": _refund_fails,
    "look_up_lag": _look_up_lag,
}


async def answer(visit: Visit) -> Response:
    """The answer to a call: the true one, or what the fault whose turn it is makes of it."""
    if not set(visit.named) <= {*FITS[visit.call], *EVENTS}:
        return problem(422, "no_such_fault")
    fault = await visit.fault()
    return await FAULTS[fault](visit) if fault else await visit.take_effect()
