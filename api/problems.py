"""The one place where exceptions become problems (RFC 9457); what each problem says is in api/problem_kinds.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg.errors import ReadOnlySqlTransaction
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problem_kinds import KINDS, OF_STATUS, RETRY_AFTER
from api.validation import described, named
from gateways.port import GatewayUnavailable
from store.database import UNAVAILABLE

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """An answer that is a problem: *name* is a row of KINDS, *members* are added to the body as they are.

    `raise Problem("invalid-status-transition", "...", session_status="completed", allowed=[])`.
    *detail* and *members* never hold input, SQL or a vendor's text. `retry_after` (seconds) also sets the header.
    """

    def __init__(
        self, name: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(name)
        self.name = name
        self.kind = KINDS[name]
        self.detail = detail or self.kind.meaning
        self.headers = dict(headers or {})
        self.members = members
        if name in RETRY_AFTER:
            self.members.setdefault("retry_after", RETRY_AFTER[name])
        if "retry_after" in self.members:
            self.headers.setdefault("Retry-After", str(self.members["retry_after"]))


def invalid(loc: tuple[str | int, ...], msg: str) -> Problem:
    """A 422 `validation` about one place: `invalid(("body", "plan_id"), "does not exist")`."""
    return Problem("validation", errors=[{"loc": named(loc), "msg": msg}])


def _of_framework(error: HTTPException) -> Problem:
    fallback = "bad-request" if error.status_code < 500 else "internal-error"
    return Problem(OF_STATUS.get(error.status_code, fallback), headers=error.headers)


def _unavailable(_: Exception) -> Problem:
    return Problem("temporarily-unavailable")


TRANSLATIONS: Final[Mapping[type[Exception], Callable[[Any], Problem]]] = {
    Problem: lambda problem: problem,
    HTTPException: _of_framework,
    RequestValidationError: lambda error: Problem("validation", errors=described(error.errors())),
    GatewayUnavailable: _unavailable,
    ReadOnlySqlTransaction: _unavailable,
    **dict.fromkeys(UNAVAILABLE, _unavailable),
}
"""What each exception is to a client; anything else is `internal-error`."""


def answer(problem: Problem, path: str) -> Response:
    """The HTTP answer of *problem* at the request path *path*."""
    body = {
        "type": f"/problems/{problem.name}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": quote(path),
        **problem.members,
    }
    return Response(
        json.dumps(body, default=str, separators=(",", ":")), problem.kind.status, problem.headers, MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Let *app* answer every exception as a problem."""
    for raised, translate in TRANSLATIONS.items():

        async def handle(
            request: Request, error: Exception, translate: Callable[[Any], Problem] = translate
        ) -> Response:
            return answer(translate(error), request.url.path)

        app.add_exception_handler(raised, handle)
    app.add_middleware(LastResort)


class LastResort:
    """Answers what nobody translated: `internal-error`. The log says what and where, never the error's own text,
    which may quote a row or a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - the last resort takes whatever comes
            _record(scope, error)
            if not started and scope["type"] == "http":
                await answer(Problem("internal-error"), scope["path"])(scope, receive, send)


def _record(scope: Scope, error: Exception) -> None:
    log.error("request_failed", method=scope.get("method"), error=type(error).__name__, where=where(error))


def where(error: BaseException, most: int = 12) -> list[str]:
    """The innermost calls that *error* came through, as `file:line function`."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-most:]


DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {"default": {"description": "A problem"}}
"""The OpenAPI `responses` of every route, as FastAPI is told; api/reference says which problems those are."""
