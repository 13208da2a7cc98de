"""The API as an operator calls it: reading sessions, and acting on them under a key that is never new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import ValidationError

from ops.answers import Answer, Problem, Request, Requests, Session, Sessions, Timeline
from ops.connection import Connection
from stack.errors import StackError

Kind = TypeVar("Kind", bound=Answer)

TIMEOUT: Final = httpx.Timeout(75, connect=5)
"""Seconds: longer than the API ever waits for an outcome before it answers 202 (CHECKOUT_WAIT, at most 60)."""


class Door:
    """Open as a context manager; lists are read by *page*. Every method raises StackError, in words, where the API gives no good answer."""

    def __init__(self, to: Connection, page: int = 100) -> None:
        self._url = to.url
        self._page = str(page)
        headers = {"x-api-key": to.key.get_secret_value()}
        self._client = httpx.AsyncClient(base_url=to.url, headers=headers, timeout=TIMEOUT, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def sessions(self, asked: Mapping[str, str]) -> AsyncIterator[Session]:
        """Every session that *asked*, the list's filters and order, describes; pages are read as they are needed."""
        cursor: dict[str, str] = {}
        while True:
            page = read(Sessions, await self._get("/checkout_session", {**asked, **cursor, "limit": self._page}))
            for session in page.data:
                yield session
            if page.next is None:
                return
            cursor = {"cursor": page.next}

    async def requests(self, asked: Mapping[str, str]) -> AsyncIterator[Request]:
        """Every recent request that *asked* describes, newest first; pages are read as they are needed."""
        cursor: dict[str, str] = {}
        while True:
            page = read(Requests, await self._get("/request_log", {**asked, **cursor, "limit": self._page}))
            for request in page.data:
                yield request
            if page.next is None:
                return
            cursor = {"cursor": page.next}

    async def session(self, session: UUID) -> Session:
        return read(Session, await self.session_as_answered(session))

    async def timeline(self, session: UUID) -> Timeline:
        return read(Timeline, await self.timeline_as_answered(session))

    async def session_as_answered(self, session: UUID) -> httpx.Response:
        return await self._get(f"/checkout_session/{session}")

    async def timeline_as_answered(self, session: UUID) -> httpx.Response:
        return await self._get(f"/checkout_session/{session}/timeline")

    async def act(self, session: UUID, call: str, body: Mapping[str, Any], key: str) -> httpx.Response:
        """POST the act *call*: its answer, refusals too. Raises httpx.TransportError where there is none."""
        path = f"/checkout_session/{session}/{call}"
        return await self._client.post(path, json=dict(body), headers={"Idempotency-Key": key})

    async def _get(self, path: str, asked: Mapping[str, str] | None = None) -> httpx.Response:
        try:
            answer = await self._client.get(path, params=asked)
        except httpx.TransportError:
            raise StackError(f"The API at {self._url} does not answer.") from None
        if answer.status_code != 200:
            raise StackError(_why(answer))
        return answer


def read(kind: type[Kind], answer: httpx.Response) -> Kind:
    """The answer as *kind*. Raises StackError where something else than our API answered."""
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError:
        raise StackError("What answers at this address is not the checkout API.") from None


def problem_of(answer: httpx.Response) -> Problem:
    """What the API says of an error; nothing where it is not the API that says it."""
    try:
        return Problem.model_validate_json(answer.content)
    except ValidationError:
        return Problem()


def _why(answer: httpx.Response) -> str:
    said = problem_of(answer).words
    if answer.status_code == 401:
        return "The API does not know this key: is it revoked, or of another installation?"
    if answer.status_code == 403:
        return f"This key may not do that: {said}"
    if answer.status_code == 404 and answer.url.path.startswith("/checkout_session/"):
        return f"There is no session {answer.url.path.split('/')[2]} in this organisation."
    return f"The API answers {answer.status_code}: {said}"
