"""Recent requests: what an organisation's keys asked, and how it was answered."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Depends
from pydantic import Field

from api.auth import Merchant
from api.fields import Instant, Name, Resource
from api.lists import Listed, listed, listing
from api.parts import Data
from api.routes import router as routes
from store import request_log
from store.lists import ListQuery, page

router: Final = routes("/request_log", "Requests")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
FILTERS: Final[dict[str, Any]] = {
    "created_at": Instant,
    "method": Method,
    "status": Annotated[int, Field(ge=100, le=599)],
    "path": Name,
    "idempotency_key": Name,
}
Query = Annotated[ListQuery, Depends(listing(FILTERS))]


class LoggedRequest(Resource):
    """A request that was answered. *created_at* is when it came; *path* has no query string, and of what the caller put
    into it our own ids only. *user_agent* and *idempotency_key* are the first characters of what was sent, and null
    where that may be a secret or about a person.
    """

    created_at: Instant
    method: str
    path: str
    status: int
    duration_ms: int
    user_agent: str | None
    idempotency_key: str | None


@router.get("", summary="List recent requests of this organisation")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[LoggedRequest]:
    """Visible within a second of their answer. The newest 10,000 are kept, for 7 days at most; a server that is killed,
    or kept from its database for long, may forget some. Requests without a valid key are nobody's, and not listed.
    """
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, request_log.SELECT, query), query, LoggedRequest.model_validate)
