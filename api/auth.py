"""Who is calling: the key in the header, the organisation it belongs to, and what its scope allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Request, Security
from fastapi.security import APIKeyHeader

from api.problems import Problem
from api.rate_limits import SPENT, Rates
from store import api_keys
from store.api_keys import SCOPES, Scope
from store.database import Database

IN_QUERY: Final = frozenset({"x-api-key", "x_api_key", "api-key", "api_key", "apikey"})
"""A key in an address ends up in logs and histories: refused, even if it is valid."""

_SCHEME = APIKeyHeader(name="x-api-key", scheme_name="x-api-key", auto_error=False)


@dataclass(frozen=True)
class Caller:
    """Who sends the request: an organisation's key, by its id and first characters."""

    organisation: UUID
    scope: Scope
    key_id: UUID
    prefix: str


class Requires:
    """The dependency that a route's caller has *scope* at least. Raises the problems `unauthorized`, `forbidden`,
    `too-many-requests`.

    A route of api/routes.py asks it before it reads the body; asked again, it remembers.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(
        self,
        request: Request,
        _key: Annotated[str | None, Security(_SCHEME)] = None,
        _organisation: Annotated[
            str | None, Header(alias="organisation", description="The key's organisation (a UUID), if you like")
        ] = None,
    ) -> Caller:
        caller: Caller | None = request.scope.get("checkout.caller")
        if caller is None:
            caller = await _authenticated(request)
            request.scope["checkout.caller"] = caller
        if SCOPES.index(caller.scope) < SCOPES.index(self.scope):
            raise Problem("forbidden", f"This call needs the scope {self.scope}.")
        return caller


async def _authenticated(request: Request) -> Caller:
    """Every way of having no valid key gets the same answer; another organisation's name beside a valid key is 403."""
    keys = request.headers.getlist("x-api-key")
    if len(keys) != 1 or not 1 <= len(keys[0]) <= 256 or any(name.lower() in IN_QUERY for name in request.query_params):
        raise _unauthorized()
    database: Database = request.app.state.database
    async with database.unbound() as connection:
        row = await api_keys.find(connection, api_keys.hash_of(keys[0], request.app.state.pepper))
    if row is None:
        raise _unauthorized()
    await _within_its_rate(request, row["id"], row["rate_limit"])
    if any(named.lower() != str(row["organisation_id"]) for named in request.headers.getlist("organisation")):
        raise Problem("forbidden", "The organisation header does not name this key's organisation.")
    return Caller(organisation=row["organisation_id"], scope=row["scope"], key_id=row["id"], prefix=row["prefix"])


async def _within_its_rate(request: Request, key: UUID, most: int) -> None:
    """Before anything else is asked of the database: a key that calls too often costs one look-up each time."""
    rates: Rates = request.app.state.rates
    spent = request.scope[SPENT] = await rates.spend(key, most)
    if spent.exceeded:
        raise Problem("too-many-requests")


def _unauthorized() -> Problem:
    return Problem("unauthorized", headers={"WWW-Authenticate": "ApiKey"})


Merchant = Annotated[Caller, Depends(Requires("merchant"))]
Operator = Annotated[Caller, Depends(Requires("operator"))]
Admin = Annotated[Caller, Depends(Requires("admin"))]
