"""Plans: phases that a contract can be copied from. Draft, active, archived, and never back."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import Depends, Response
from psycopg.rows import DictRow

from api.auth import Merchant
from api.catalogue import load, refused
from api.fields import Instant, Name, Resource
from api.idempotency import OncePerKey
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.catalogue import PlanBody, PlanPhase, resolve_plan
from checkout.contract import needed_by_plan
from checkout.fields import ContractProblem
from checkout.money import Currency
from store import plans
from store.database import Connection
from store.lists import ListQuery, page

router: Final = routes("/plans", "Plans")

Status = Literal["draft", "active", "archived"]
FILTERS: Final[dict[str, Any]] = {"created_at": Instant, "name": Name, "currency": Currency, "status": Status}
Query = Annotated[ListQuery, Depends(listing(FILTERS))]


class Plan(Resource):
    name: str
    currency: str
    status: Status
    version: int
    duration: str | None
    phases: tuple[PlanPhase, ...]
    created_at: Instant

    @classmethod
    def of(cls, row: DictRow) -> Plan:
        return cls.model_validate({**row["content"], **row})


@router.post("", status_code=201, summary="Create a plan", response_model=Plan)
async def create(body: PlanBody, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Plan:
        return Plan.of(await plans.insert(connection, uuid4(), body.status, await _content(connection, body)))

    return await once(body, effect)


@router.get("/{plan_id}", summary="Read a plan")
async def read(plan_id: UUID, caller: Merchant, database: Data) -> Plan:
    async with database.of(caller.organisation) as connection:
        return Plan.of(_there(await plans.get(connection, plan_id)))


@router.get("", summary="List plans")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Plan]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, plans.SELECT, query), query, Plan.of)


@router.put("/{plan_id}", summary="Replace a plan by a new version; what was opened with an older one keeps it")
async def change(plan_id: UUID, body: PlanBody, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Plan:
        row = await plans.replace(connection, plan_id, body.status, await _content(connection, body))
        if row is None:
            _there(await plans.get(connection, plan_id))
            raise Problem("invalid-plan-status", "An archived plan stays as it is, an active one active.")
        return Plan.of(row)

    return await once(body, effect, status=200)


@router.post("/{plan_id}/activate", summary="Activate a draft plan", response_model=Plan)
async def activate(plan_id: UUID, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Plan:
        return await _moved(connection, plan_id, "active", ["draft", "active"])

    return await once(None, effect, status=200)


@router.post("/{plan_id}/archive", summary="Archive a plan: no new contract is made from it", response_model=Plan)
async def archive(plan_id: UUID, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Plan:
        return await _moved(connection, plan_id, "archived", ["draft", "active", "archived"])

    return await once(None, effect, status=200)


async def _content(connection: Connection, body: PlanBody) -> dict[str, Any]:
    """The plan with the prices of now copied in, as it is kept. Raises `validation`, `currency-mismatch`."""
    named = await load(connection, needed_by_plan(body))
    try:
        return resolve_plan(body, named.pricings, named.products).model_dump(mode="json")
    except ContractProblem as problem:
        raise refused(problem, ("body",)) from None


async def _moved(connection: Connection, plan: UUID, status: Status, allowed_from: list[str]) -> Plan:
    row = await plans.move(connection, plan, status, allowed_from)
    if row is None:
        _there(await plans.get(connection, plan))
        raise Problem("invalid-plan-status")
    return Plan.of(row)


def _there(row: DictRow | None) -> DictRow:
    if row is None:
        raise Problem("not-found")
    return row
