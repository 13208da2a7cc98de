"""What each fault does to a call: a table from its name to a small function (api.md, Its faults)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Response
from fastapi.responses import JSONResponse

from checkout.outcomes import NotFound
from sandbox.connection import Cut
from sandbox.desk import Visit, problem

HANG: Final = 20
"""Seconds: four times what the service waits."""


async def _500_before(visit: Visit) -> Response:
    await visit.take_no_effect()
    return problem(500, "internal")


async def _500_after(visit: Visit) -> Response:
    await visit.take_effect(answered=False)
    return problem(500, "internal")


async def _lost_reply(visit: Visit) -> Response:
    await visit.take_effect(answered=False)
    return Cut(visit.request)


async def _hang(visit: Visit) -> Response:
    answer = await visit.take_effect(answered=False)
    await asyncio.sleep(HANG)
    return answer


async def _reset(visit: Visit) -> Response:
    await visit.take_no_effect()
    return Cut(visit.request, rudely=True)


async def _truncated(visit: Visit) -> Response:
    answer = await visit.take_effect(answered=False)
    return Cut(visit.request, bytes(answer.body)[: len(answer.body) // 2], len(answer.body))


async def _429(visit: Visit) -> Response:
    await visit.take_no_effect(answered=True)
    return problem(429, "too_many_requests", **{"Retry-After": "1"})


async def _409_in_progress(visit: Visit) -> Response:
    await visit.take_no_effect(answered=True)
    return problem(409, "key_in_progress", **{"Retry-After": "1"})


async def _refund_fails(visit: Visit) -> Response:
    await visit.take_no_effect(answered=True)
    return problem(503, "refund_failed")


async def _looks_up_late(visit: Visit) -> Response:
    await visit.take_no_effect()
    return JSONResponse(NotFound().model_dump())


FAULTS: Final[dict[str, Callable[[Visit], Awaitable[Response]]]] = {
    "500_before": _500_before,
    "500_after": _500_after,
    "lost_reply": _lost_reply,
    "hang": _hang,
    "reset": _reset,
    "truncated": _truncated,
    "429": _429,
    "409_in_progress": _409_in_progress,
    "refund_fails": _refund_fails,
    "looks_up_late": _looks_up_late,
}


async def answer(visit: Visit) -> Response:
    """The answer to a call: the true one, or what the fault whose turn it is makes of it."""
    fault = await visit.desk.fault(visit.call, visit.body)
    return await FAULTS[fault](visit) if fault else await visit.take_effect()
