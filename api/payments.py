"""Payments: charges and refunds, under the key that each has at the gateway."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote
from uuid import UUID

from fastapi import Depends, Path
from psycopg.rows import DictRow

from api.auth import Merchant
from api.fields import Instant, Name, Shown
from api.lists import Listed, listed, listing
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.money import Currency, Money
from store import payments
from store.lists import ListQuery, page

router: Final = routes("/payments", "Payments")

Kind = Literal["charge", "refund"]
Status = Literal["pending", "unknown", "captured", "declined", "refunded"]
FILTERS: Final[dict[str, Any]] = {
    "created_at": Instant,
    "at": Instant,
    "settled_at": Instant,
    "checkout_session_id": UUID,
    "kind": Kind,
    "status": Status,
    "currency": Currency,
    "reference": Name,
}
Query = Annotated[ListQuery, Depends(listing(FILTERS, ("created_at", "at"), key=str))]
Key = Annotated[str, Path(max_length=200, pattern=r"^[\x20-\x7e]+$", description="The payment's id, which is its key")]


class Payment(Shown):
    """*amount* in major units of *currency*; *reference* is the gateway's."""

    id: str
    key: str
    checkout_session_id: UUID
    kind: Kind
    amount: str
    currency: str
    status: Status
    reference: str | None
    at: Instant
    settled_at: Instant | None

    @classmethod
    def of(cls, row: DictRow) -> Payment:
        money = Money(minor=row["amount_minor"], currency=row["currency"])
        return cls.model_validate({**row, "amount": money.amount})


@router.get("", summary="List payments")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Payment]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, payments.SELECT, query), query, Payment.of)


@router.get("/{payment_id:path}", summary="Read a payment")
async def read(payment_id: Key, caller: Merchant, database: Data) -> Payment:
    async with database.of(caller.organisation) as connection:
        row = await payments.get(connection, unquote(payment_id))
    if row is None:
        raise Problem("not-found")
    return Payment.of(row)
