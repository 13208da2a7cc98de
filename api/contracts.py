"""Contracts: read only; checkout makes them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends

from api.auth import Merchant
from api.fields import Day, Instant, Resource
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.money import Currency
from store import contracts
from store.lists import ListQuery, page

router: Final = routes("/contracts", "Contracts")

Status = Literal["draft", "active", "void", "expired"]
FILTERS: Final[dict[str, Any]] = {
    "created_at": Instant,
    "activated_at": Instant,
    "customer_id": UUID,
    "checkout_session_id": UUID,
    "status": Status,
    "currency": Currency,
    "start_date": Day,
    "end_date": Day,
}
Query = Annotated[ListQuery, Depends(listing(FILTERS, ("created_at", "start_date")))]


class Contract(Resource):
    """*content* is the contract as it was priced, under the *estimation_id* that the session confirmed. A contract in
    force is `active` until its *end_date* has passed in the organisation's time zone, then `expired`.
    """

    checkout_session_id: UUID
    customer_id: UUID | None
    estimation_id: str
    currency: str
    name: str | None
    start_date: date
    end_date: date | None
    status: Status
    content: dict[str, Any] | None
    created_at: Instant
    activated_at: Instant | None
    voided_at: Instant | None


@router.get("/{contract_id}", summary="Read a contract")
async def read(contract_id: UUID, caller: Merchant, database: Data) -> Contract:
    async with database.of(caller.organisation) as connection:
        row = await contracts.get(connection, contract_id)
    if row is None:
        raise Problem("not-found")
    return Contract.model_validate(row)


@router.get("", summary="List contracts")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Contract]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, contracts.SELECT, query), query, Contract.model_validate)
