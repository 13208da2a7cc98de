"""The kind of route all ours are: it knows its caller before it reads a body, and reads it strictly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.auth import Requires
from api.parsing import StrictRequest
from api.problems import DOCUMENTED


class StrictRoute(APIRoute):
    """Asks the route's `Requires` first, then reads and parses the body where the route has one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        demands = list(required(self.dependant))

        async def strict(request: Request) -> Response:
            asked = StrictRequest(request.scope, request.receive)
            for requires in demands:
                await requires(asked)
            if self.body_field is not None:
                await asked.read()
            return await handler(asked)

        return strict


def required(dependant: Dependant) -> Iterator[Requires]:
    """What *dependant* demands of its caller: nothing, on a public route."""
    if isinstance(dependant.call, Requires):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from required(inner)


def router(prefix: str, tag: str) -> APIRouter:
    """A router of strict routes under *prefix*, documented with the problems they answer."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute, responses=DOCUMENTED)
