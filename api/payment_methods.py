"""A customer's saved payment methods: attached by the gateway's token, shown without anything that could pay."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID, uuid4

from fastapi import Depends, Response
from psycopg.rows import DictRow
from starlette.background import BackgroundTask

from api.auth import Merchant
from api.checkouts import Sessions
from api.fields import Body, Code, Instant, Resource, Yes
from api.idempotency import OncePerKey
from api.lists import Listed, listed, listing
from api.parts import Data, Gateways
from api.problems import Problem, invalid
from api.routes import router as routes
from checkout.outcomes import Declined
from gateways.port import Account, GatewayRejected, PaymentGateway, SavedMethod
from store import customers, organisations, payment_methods
from store.database import Connection
from store.lists import Condition, ListQuery, page

router: Final = routes("/customers/{customer_id}/payment_methods", "Payment methods")

Type = Literal["card", "bank_transfer", "wallet", "invoice"]
Status = Literal["active", "removed"]
Query = Annotated[ListQuery, Depends(listing({"created_at": Instant, "type": Type, "status": Status, "gateway": Code}))]


class NewPaymentMethod(Body):
    """*token* comes from the gateway's front end."""

    gateway: Code
    token: Code
    set_as_default: Yes = False


class PaymentMethod(Resource):
    customer_id: UUID
    gateway: str
    type: Type
    brand: str | None
    last4: str | None
    expiry_month: int | None
    expiry_year: int | None
    is_default: bool
    status: Status
    created_at: Instant


@router.post("", status_code=201, summary="Attach a payment method", response_model=PaymentMethod)
async def attach(  # noqa: PLR0913, PLR0917 - the path, the body, who, what with, where to
    customer_id: UUID,
    body: NewPaymentMethod,
    caller: Merchant,
    gateways: Gateways,
    database: Data,
    checkouts: Sessions,
    once: OncePerKey,
) -> Response:
    """Due payments of the customer that were declined are then charged to it."""
    if answered := await once.before(body):
        return answered
    async with database.of(caller.organisation) as connection:
        _refuse_inactive(await customers.get(connection, customer_id))
        owner = await organisations.get(connection, caller.organisation)
    if owner is None or body.gateway != owner["gateway"] or body.gateway not in gateways:
        raise invalid(("body", "gateway"), "is not the gateway of this organisation")
    account = Account(caller.organisation, owner["gateway_account"])
    saved = await _attached(gateways[body.gateway], account, customer_id, body.token)
    method = uuid4()

    async def effect(connection: Connection) -> PaymentMethod:
        _refuse_inactive(await customers.lock(connection, customer_id))
        await payment_methods.insert(connection, method, customer_id, body.gateway, saved, account.at_gateway)
        if body.set_as_default:
            await payment_methods.make_default(connection, customer_id, method)
        return await _found(connection, customer_id, method)

    answer = await once(body, effect)
    answer.background = BackgroundTask(checkouts.method_saved, caller.organisation, method)
    return answer


@router.get("", summary="List a customer's payment methods")
async def list_all(customer_id: UUID, query: Query, caller: Merchant, database: Data) -> Listed[PaymentMethod]:
    async with database.of(caller.organisation) as connection:
        if await customers.get(connection, customer_id) is None:
            raise Problem("not-found")
        own = query.narrowed(Condition("customer_id", "eq", customer_id))
        return listed(await page(connection, payment_methods.SELECT, own), query, PaymentMethod.model_validate)


@router.get("/{payment_method_id}", summary="Read a payment method")
async def read(customer_id: UUID, payment_method_id: UUID, caller: Merchant, database: Data) -> PaymentMethod:
    async with database.of(caller.organisation) as connection:
        return await _found(connection, customer_id, payment_method_id)


@router.delete("/{payment_method_id}", status_code=204, summary="Remove a payment method: it is never charged again")
async def remove(customer_id: UUID, payment_method_id: UUID, caller: Merchant, database: Data) -> None:
    async with database.of(caller.organisation) as connection:
        await _found(connection, customer_id, payment_method_id)
        await payment_methods.remove(connection, customer_id, payment_method_id)


@router.put("/{payment_method_id}/default", summary="Make it the customer's default", response_model=PaymentMethod)
async def make_default(customer_id: UUID, payment_method_id: UUID, once: OncePerKey) -> Response:
    async def effect(connection: Connection) -> PaymentMethod:
        if await customers.lock(connection, customer_id) is None:
            raise Problem("not-found")
        if (await _found(connection, customer_id, payment_method_id)).status == "removed":
            raise Problem("payment-method-unusable", "The payment method was removed.")
        await payment_methods.make_default(connection, customer_id, payment_method_id)
        return await _found(connection, customer_id, payment_method_id)

    return await once(None, effect, status=200)


async def _attached(gateway: PaymentGateway, account: Account, customer: UUID, token: str) -> SavedMethod:
    """The gateway's answer to a token; a refusal is the client's to solve. Nothing moves money here."""
    try:
        saved = await gateway.attach(account, customer, token)
    except GatewayRejected:
        raise Problem("payment-method-unusable", "The gateway does not know this token.") from None
    if isinstance(saved, Declined):
        raise Problem("payment-method-unusable", "The gateway refused this payment method.", decline_code=saved.code)
    return saved


def _refuse_inactive(customer: DictRow | None) -> None:
    if customer is None:
        raise Problem("not-found")
    if customer["status"] != "active":
        raise Problem("customer-required", "The customer is archived.")


async def _found(connection: Connection, customer: UUID, method: UUID) -> PaymentMethod:
    row = await payment_methods.get(connection, customer, method)
    if row is None:
        raise Problem("not-found")
    return PaymentMethod.model_validate(row)
