"""HTTP as a careful client does it: a call that got no answer is sent again, with the same key, until it has one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import httpx
from pydantic import ValidationError

from demo.problems import Differs
from stack.ready import Ready

PATIENCE: Final = 180.0
"""Seconds until something that does not happen is a failure."""
PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
TIMEOUT: Final = 20.0

AGAIN: Final = frozenset({202, 429, 503})
"""Answers that say: the same request again, later."""


class Calls:
    """Calls to the API and the gateway that the ready file names; it is read again whenever a connection fails."""

    def __init__(self, ready_file: Path) -> None:
        self._file = ready_file
        self.ready = Ready.model_validate_json(ready_file.read_text())
        self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def post(self, path: str, body: Any, key: str) -> httpx.Response:
        """POST to the API with an Idempotency-Key, however often it takes."""
        return await self._answered("POST", "api", path, json=body, headers={"Idempotency-Key": key})

    async def get(self, path: str, **params: str) -> Any:
        """The JSON that the API has at *path*."""
        return _good(await self._answered("GET", "api", path, params=params)).json()

    async def delete(self, path: str) -> httpx.Response:
        """DELETE at the API, however often it takes: the second time there may be nothing any more."""
        return await self._answered("DELETE", "api", path)

    async def session(self, session: UUID) -> dict[str, Any]:
        return dict(await self.get(f"/checkout_session/{session}"))

    async def ledger(self, session: UUID) -> list[dict[str, Any]]:
        """What truly happened at the gateway for *session*."""
        answer = await self._answered("GET", "gateway", "/ledger", params={"reference": str(session)})
        return list(_good(answer).json())

    async def page(self, url: str) -> httpx.Response:
        """A payment page, as a browser gets it: from the gateway, without our key."""
        return await self._answered("GET", "gateway", self._at_gateway(url))

    async def submit(self, url: str, form: dict[str, str]) -> httpx.Response:
        """Post a page's form; where it redirects to is not followed."""
        return await self._answered("POST", "gateway", self._at_gateway(url), data=form)

    async def _answered(self, method: str, party: str, path: str, **request: Any) -> httpx.Response:
        keyed = {"x-api-key": self.ready.api_key} if party == "api" else {}
        headers = {**keyed, **request.pop("headers", {})}
        last = "no answer"
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    url = f"{getattr(self.ready, party)}{path}"
                    try:
                        answer = await self._client.request(method, url, headers=headers, **request)
                    except httpx.TransportError as error:
                        last = type(error).__name__
                        self._read_again()
                        await asyncio.sleep(PAUSE)
                        continue
                    if not _to_be_repeated(answer):
                        return answer
                    last = str(answer.status_code)
                    await asyncio.sleep(_pause(answer))
        except TimeoutError:
            raise Differs(f"{method} {path}: {last} for {PATIENCE:.0f} s") from None

    def _read_again(self) -> None:
        """The ready file as it is now; the last one while it is away."""
        try:
            self.ready = Ready.model_validate_json(self._file.read_text())
        except (OSError, ValidationError):
            return

    def _at_gateway(self, url: str) -> str:
        if not url.startswith(f"{self.ready.gateway}/"):
            raise Differs(f"the page {url} is not at the gateway {self.ready.gateway}")
        return url.removeprefix(self.ready.gateway)


def _to_be_repeated(answer: httpx.Response) -> bool:
    running = answer.status_code == 409 and problem_type(answer) == "/problems/request-in-progress"
    return running or answer.status_code in AGAIN


def _pause(answer: httpx.Response) -> float:
    wanted = answer.headers.get("Retry-After", "")
    return min(float(wanted), LONGEST_PAUSE) if wanted.isdecimal() else PAUSE


def problem_type(answer: httpx.Response) -> str | None:
    """The type of the problem that *answer* is; None where it is none."""
    if answer.headers.get("Content-Type") != "application/problem+json":
        return None
    return str(answer.json()["type"])


def expected(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """*answer*, which has one of *statuses*. Raises Differs with what it says instead."""
    if answer.status_code not in statuses:
        request = answer.request
        raise Differs(f"{request.method} {request.url.path} answered {answer.status_code}: {answer.text[:400]}")
    return answer


def _good(answer: httpx.Response) -> httpx.Response:
    return expected(answer, 200)
