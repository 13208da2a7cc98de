"""Business entities: the legal entities that sell."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import Depends, Response

from api.auth import Merchant
from api.fields import Body, Country, Instant, Name, Resource
from api.idempotency import OncePerKey
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.money import Currency
from store import business_entities
from store.database import Connection
from store.lists import ListQuery, page

router: Final = routes("/business_entities", "Business entities")

Query = Annotated[ListQuery, Depends(listing({"created_at": Instant, "country_code": Country, "name": Name}))]


class NewBusinessEntity(Body):
    name: Name
    country_code: Country
    default_currency: Currency


class BusinessEntity(Resource):
    name: str
    country_code: str
    default_currency: str
    created_at: Instant


@router.post("", status_code=201, summary="Create a business entity", response_model=BusinessEntity)
async def create(body: NewBusinessEntity, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> BusinessEntity:
        entity = uuid4()
        await business_entities.ensure(connection, entity, body.name, body.country_code, body.default_currency)
        return await _found(connection, entity)

    return await once(body, effect)


@router.get("/{business_entity_id}", summary="Read a business entity")
async def read(business_entity_id: UUID, caller: Merchant, database: Data) -> BusinessEntity:
    async with database.of(caller.organisation) as connection:
        return await _found(connection, business_entity_id)


@router.get("", summary="List business entities")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[BusinessEntity]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, business_entities.SELECT, query), query, BusinessEntity.model_validate)


async def _found(connection: Connection, entity: UUID) -> BusinessEntity:
    row = await business_entities.get(connection, entity)
    if row is None:
        raise Problem("not-found")
    return BusinessEntity.model_validate(row)
