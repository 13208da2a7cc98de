"""Idempotency-Key: the header, the fingerprint of a request, and answers kept with their effect (api.md, Conventions)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from psycopg.rows import DictRow
from pydantic import BaseModel

from api.auth import Merchant
from api.fields import Resource
from api.parts import Data
from api.problems import Problem, invalid
from store import idempotency_keys
from store.database import Connection
from store.idempotency_keys import StillRunning

REPLAYED: Final = "Idempotency-Replayed"


def _key(
    request: Request,
    _documented: Annotated[
        str | None, Header(alias="Idempotency-Key", description="1 to 255 printable ASCII characters")
    ] = None,
) -> str | None:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not 1 <= len(keys[0]) <= 255 or not (keys[0].isascii() and keys[0].isprintable()):
        raise invalid(("header", "Idempotency-Key"), "must be 1 to 255 printable ASCII characters")
    return keys[0]


IdempotencyKey = Annotated[str | None, Depends(_key)]
"""The header's value, checked; None without one."""


def fingerprint(request: Request, body: BaseModel | None) -> str:
    """What makes two requests the same: method, path, and the validated body with its members in one order."""
    content = None if body is None else body.model_dump(mode="json", exclude_unset=True)
    canonical = json.dumps([request.method, request.url.path, content], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Once:
    """Runs a request's effect in one transaction of the caller's organisation; with a key, once and for all."""

    def __init__(self, request: Request, caller: Merchant, database: Data, key: IdempotencyKey) -> None:
        self._request = request
        self._organisation = caller.organisation
        self._database = database
        self._key = key
        self._call = f"{request.method} {request.scope['route'].path}"

    async def __call__(
        self, body: BaseModel | None, effect: Callable[[Connection], Awaitable[Resource]], status: int = 201
    ) -> Response:
        """The first answer to this request, or *effect*'s answer now; a Problem raised in it leaves the key free.

        Raises the problems `idempotency-key-reused` and `request-in-progress`.
        """
        print_ = fingerprint(self._request, body)
        async with self._database.of(self._organisation) as connection:
            if self._key is not None and (first := await self._claim(connection, print_)):
                return _replay(first, print_)
            answer = _kept(self._request, await effect(connection), status)
            if self._key is not None:
                await idempotency_keys.keep(connection, self._call, self._key, status, answer)
        return _response(status, answer)

    async def before(self, body: BaseModel | None) -> Response | None:
        """The kept answer, if there is one already: to be asked before something slow or outside of the database."""
        if self._key is None:
            return None
        async with self._database.of(self._organisation) as connection:
            first = await idempotency_keys.find(connection, self._call, self._key)
        return _replay(first, fingerprint(self._request, body)) if first else None

    async def _claim(self, connection: Connection, print_: str) -> DictRow | None:
        try:
            return await idempotency_keys.claim(connection, self._call, self._key or "", print_)
        except StillRunning:
            raise Problem("request-in-progress") from None


def _kept(request: Request, answer: Resource, status: int) -> dict[str, Any]:
    location = f"{request.url.path}/{answer.id}" if status == 201 else None
    return {"body": answer.model_dump_json(), "location": location}


def _replay(first: DictRow, print_: str) -> Response:
    if first["fingerprint"] != print_:
        raise Problem("idempotency-key-reused")
    response = _response(first["status"], first["answer"])
    response.headers[REPLAYED] = "true"
    return response


def _response(status: int, answer: dict[str, Any]) -> Response:
    headers = {"Location": answer["location"]} if answer["location"] else None
    return Response(answer["body"], status, headers, "application/json")


OncePerKey = Annotated[Once, Depends(Once)]
