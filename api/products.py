"""Products, and under each the pricings that it can be sold at."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import Depends, Response
from psycopg.rows import DictRow

from api.auth import Merchant
from api.fields import Body, Instant, Name, Resource, Text
from api.idempotency import OncePerKey
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.billing import BillingPeriod
from checkout.catalogue import PricingBody
from checkout.pricing import PricingData
from store import products
from store.database import Connection
from store.lists import Condition, ListQuery, page

router: Final = routes("/products", "Products")

Query = Annotated[ListQuery, Depends(listing({"created_at": Instant, "name": Name}))]
PricingQuery = Annotated[ListQuery, Depends(listing({"created_at": Instant}))]


class NewProduct(Body):
    name: Name
    unit: Name | None = None
    description: Text | None = None


class Product(Resource):
    name: str
    unit: str | None
    description: str | None
    created_at: Instant


class Pricing(Resource):
    product_id: UUID
    name: str | None
    is_recurring: bool
    billing_period: BillingPeriod | None
    pricing_data: PricingData
    created_at: Instant

    @classmethod
    def of(cls, row: DictRow) -> Pricing:
        return cls.model_validate({**row["content"], **row})


@router.post("", status_code=201, summary="Create a product", response_model=Product)
async def create(body: NewProduct, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Product:
        row = await products.insert(connection, uuid4(), body.name, body.unit, body.description)
        return Product.model_validate(row)

    return await once(body, effect)


@router.get("/{product_id}", summary="Read a product")
async def read(product_id: UUID, caller: Merchant, database: Data) -> Product:
    async with database.of(caller.organisation) as connection:
        return Product.model_validate(_there(await products.get(connection, product_id)))


@router.get("", summary="List products")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Product]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, products.SELECT, query), query, Product.model_validate)


@router.post("/{product_id}/pricings", status_code=201, summary="Create a pricing", response_model=Pricing)
async def create_pricing(product_id: UUID, body: PricingBody, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Pricing:
        _there(await products.get(connection, product_id))
        content = body.model_dump(mode="json")
        return Pricing.of(await products.insert_pricing(connection, uuid4(), product_id, content))

    return await once(body, effect)


@router.get("/{product_id}/pricings/{pricing_id}", summary="Read a pricing")
async def read_pricing(product_id: UUID, pricing_id: UUID, caller: Merchant, database: Data) -> Pricing:
    async with database.of(caller.organisation) as connection:
        return Pricing.of(_there(await products.get_pricing(connection, product_id, pricing_id)))


@router.get("/{product_id}/pricings", summary="List a product's pricings")
async def list_pricings(product_id: UUID, query: PricingQuery, caller: Merchant, database: Data) -> Listed[Pricing]:
    async with database.of(caller.organisation) as connection:
        _there(await products.get(connection, product_id))
        own = query.narrowed(Condition("product_id", "eq", product_id))
        return listed(await page(connection, products.SELECT_PRICINGS, own), query, Pricing.of)


def _there(row: DictRow | None) -> DictRow:
    if row is None:
        raise Problem("not-found")
    return row
