"""Customers: whom contracts are made with. Of an organisation's active ones, each e-mail address has one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import Depends, Response
from psycopg.rows import DictRow
from pydantic import AfterValidator, Field

from api.auth import Merchant
from api.fields import Address, Body, Email, Instant, JsonObject, Name, Phone, Resource, Shown, TaxInfos
from api.idempotency import OncePerKey
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem, invalid
from api.routes import router as routes
from store import business_entities, customers
from store.customers import EmailTaken
from store.database import Connection
from store.lists import ListQuery, page

router: Final = routes("/customers", "Customers")

Status = Literal["active", "archived"]
FILTERS: Final[dict[str, Any]] = {
    "created_at": Instant,
    "updated_at": Instant,
    "email": Annotated[Email, AfterValidator(str.lower)],
    "external_id": Name,
    "customer_name": Name,
    "phone_number": Phone,
    "status": Status,
    "business_entity_id": UUID,
}
Query = Annotated[
    ListQuery,
    Depends(listing(FILTERS, ("created_at", "updated_at", "customer_name"), {"email": "email_lower"})),
]


class Details(Body):
    """What a merchant may say of a customer besides the name."""

    email: Email | None = None
    external_id: Name | None = None
    phone_number: Phone | None = None
    address: Address | None = None
    tax_info: TaxInfos = Field(default_factory=list)
    custom_data: JsonObject | None = None
    business_entity_id: UUID | None = None


class NewCustomer(Details):
    customer_name: Name


def _without_default(schema: dict[str, Any]) -> None:
    """An absent name stays as it is; the default only stands in for it, and is no name."""
    del schema["default"]


class CustomerChange(Details):
    """Absent members stay as they are; null unsets, but a customer keeps a name."""

    customer_name: Name = Field(default="", json_schema_extra=_without_default)


class ShownAddress(Shown):
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country_code: str | None = None


class ShownTaxInfo(Shown):
    country_code: str
    tax_code: str
    tax_id: str


class Customer(Resource):
    customer_name: str
    email: str | None
    external_id: str | None
    phone_number: str | None
    address: ShownAddress | None
    tax_info: list[ShownTaxInfo]
    custom_data: dict[str, Any] | None
    business_entity_id: UUID | None
    status: Status
    created_at: Instant
    updated_at: Instant


@router.post("", status_code=201, summary="Create a customer", response_model=Customer)
async def create(body: NewCustomer, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Customer:
        await _refuse_unknown_entity(connection, body.business_entity_id)
        try:
            row = await customers.insert(connection, uuid4(), body.model_dump())
        except EmailTaken:
            raise Problem("customer-exists") from None
        return Customer.model_validate(row)

    return await once(body, effect)


@router.get("/{customer_id}", summary="Read a customer")
async def read(customer_id: UUID, caller: Merchant, database: Data) -> Customer:
    async with database.of(caller.organisation) as connection:
        return Customer.model_validate(_there(await customers.get(connection, customer_id)))


@router.get("", summary="List customers")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Customer]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, customers.SELECT, query), query, Customer.model_validate)


@router.put("/{customer_id}", summary="Change a customer", response_model=Customer)
async def change(customer_id: UUID, body: CustomerChange, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> Customer:
        before = _there(await customers.lock(connection, customer_id))
        await _refuse_unknown_entity(connection, body.business_entity_id)
        try:
            row = await customers.update(connection, customer_id, {**before, **body.model_dump(exclude_unset=True)})
        except EmailTaken:
            raise Problem("customer-exists") from None
        return Customer.model_validate(row)

    return await once(body, effect, status=200)


def _there(row: DictRow | None) -> DictRow:
    if row is None:
        raise Problem("not-found")
    return row


async def _refuse_unknown_entity(connection: Connection, entity: UUID | None) -> None:
    if entity is not None and await business_entities.get(connection, entity) is None:
        raise invalid(("body", "business_entity_id"), "does not exist")
