"""From a request to an offer: load what the contract names, price it, and keep what was priced and said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import DictRow

from api import catalogue
from api.problems import Problem, invalid
from api.redirects import refuse_foreign_hosts
from api.session_bodies import NewSession
from checkout.catalogue import Plan
from checkout.commands import Opening
from checkout.contract import ContractBody, needed, resolve
from checkout.due import start_of
from checkout.estimates import Priced, price
from checkout.fields import ContractProblem
from checkout.ids import details_of
from checkout.session import Due, Offer, Policy
from gateways.port import PaymentGateway
from store import business_entities, customers, documents, organisations, plans
from store.database import Connection

DEFAULT_LIFE: Final = timedelta(hours=24)
SHORTEST_LIFE: Final = timedelta(minutes=5)
LONGEST_LIFE: Final = timedelta(days=30)

KEPT: Final = {
    "business_entity_id",
    "success_url",
    "cancel_url",
    "pending_url",
    "correlation_id",
    "attribution",
    "custom_data",
}
"""What of a request the details row keeps as it is."""


async def priced(connection: Connection, body: ContractBody) -> Priced:
    """The contract with the prices of now, frozen. Raises the problems `validation`, `plan-not-available`,
    `currency-mismatch`.
    """
    need = needed(body)
    plan = await _plan(connection, need.plan_id) if need.plan_id else None
    named = await catalogue.load(connection, need)
    try:
        return price(resolve(body, plan=plan, **named._asdict()))
    except ContractProblem as problem:
        raise catalogue.refused(problem, ("body", "contract")) from None


async def asked_for(connection: Connection, owner: DictRow, body: NewSession) -> tuple[Priced, dict[str, Any]]:
    """What *body* asks for of the organisation *owner*, priced, and what it says, as the details row keeps it. Raises
    problems; writes nothing.
    """
    refuse_foreign_hosts(owner, body)
    await refuse_unknown_entity(connection, body.business_entity_id)
    price = await priced(connection, body.contract)
    same_currency(body.currency, price.amount_due.currency)
    guest = body.customer.model_dump(mode="json") if body.customer else None
    customer = guest or await customer_snapshot(connection, body.customer_id)
    return price, {**body.model_dump(mode="json", include=KEPT), "customer": customer}


async def opening_of(
    connection: Connection, organisation: UUID, session: UUID, body: NewSession, asked: tuple[str, str | None]
) -> Opening:
    """Price and keep what *body* asks for; the input of the session's workflow. *asked* is the request's fingerprint
    and its idempotency key.
    """
    opened_at = now()
    expires_at = life(body.expires_at, opened_at)
    print_, key = asked
    owner = await organisation_of(connection, organisation)
    price, details = await asked_for(connection, owner, body)
    details_id = await keep(connection, organisation, session, price, (print_, {**details, "idempotency_key": key}))
    return Opening(
        organisation=organisation,
        session=session,
        fingerprint=print_,
        opened_at=opened_at,
        offer=offer_of(owner, price, details_id, expires_at),
        guest_checkout=body.guest_checkout,
        customer=body.customer_id,
        business_entity=body.business_entity_id,
        policy=policy_of(owner),
    )


def policy_of(owner: DictRow) -> Policy:
    """The rules that a session of the organisation *owner* is opened with, and keeps."""
    return Policy(
        notice=timedelta(days=owner["notice_days"]),
        dunning=tuple(timedelta(days=days) for days in owner["dunning_days"]),
    )


def patient(opening: Opening, gateways: Iterable[PaymentGateway]) -> Opening:
    """The session with the longest uncertainty window among the *gateways*: any of them may be its organisation's one
    day, and it keeps the rules that it was opened with.
    """
    uncertainty = max((gateway.uncertainty for gateway in gateways), default=opening.policy.uncertainty)
    return opening.model_copy(update={"policy": opening.policy.model_copy(update={"uncertainty": uncertainty})})


def same_currency(asked: str | None, contract: str) -> None:
    """Raise `currency-mismatch` where a session's currency is not its contract's."""
    if asked not in {None, contract}:
        rule = "must be the contract's"
        raise Problem(
            "currency-mismatch", f"The session's currency {rule}.", **invalid(("body", "currency"), rule).members
        )


async def _plan(connection: Connection, plan_id: UUID) -> Plan:
    row = await plans.get(connection, plan_id)
    if row is None:
        raise invalid(("body", "contract", "plan_id"), "does not exist")
    return Plan.of(row)


async def organisation_of(connection: Connection, organisation: UUID) -> DictRow:
    """The organisation's row. Raises LookupError."""
    row = await organisations.get(connection, organisation)
    if row is None:
        raise LookupError("the organisation is missing")
    return row


def offer_of(owner: DictRow, price: Priced, details: UUID, expires_at: datetime) -> Offer:
    """What may be confirmed: the amount due, and when each part of it falls due in the time zone of *owner*."""
    return Offer(
        estimation_id=price.estimates.estimation_id,
        details=details,
        amount_due=price.amount_due,
        schedule=tuple(
            Due(n=due.n, due_on=due.due_on, due_at=start_of(due.due_on, owner["time_zone"]), amount=due.amount)
            for due in price.schedule
        ),
        plan=price.contract.plan_id,
        expires_at=expires_at,
    )


async def keep(
    connection: Connection, organisation: UUID, session: UUID, price: Priced | None, kept: tuple[str, dict[str, Any]]
) -> UUID:
    """Keep what was priced and what was said, *kept* being (what the row's id is derived from, the row); its id."""
    seed, details = kept
    if price is not None:
        content = price.model_dump(mode="json", include={"contract", "estimates"})
        await documents.keep_content(connection, organisation, price.estimates.estimation_id, content)
    row_id = details_of(session, seed)
    await documents.keep_details(connection, organisation, session, row_id, details)
    return row_id


def life(expires_at: datetime | None, now: datetime) -> datetime:
    """When a session expires: 24 h from now, or as asked, 5 minutes to 30 days away. Raises `validation`."""
    if expires_at is None:
        return now + DEFAULT_LIFE
    if not SHORTEST_LIFE <= expires_at - now <= LONGEST_LIFE:
        raise invalid(("body", "expires_at"), "must be at least 5 minutes and at most 30 days away")
    return expires_at


def now() -> datetime:
    """The API's clock, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


async def refuse_unknown_entity(connection: Connection, entity: UUID | None) -> None:
    """Raise `validation` where *entity* is not a business entity of this organisation."""
    if entity is not None and await business_entities.get(connection, entity) is None:
        raise invalid(("body", "business_entity_id"), "does not exist")


async def customer_snapshot(connection: Connection, customer: UUID | None) -> dict[str, Any]:
    """What is shown of the session's customer, as it is now. Raises `customer-required`, `validation`."""
    if customer is None:
        raise Problem("customer-required")
    row = await customers.get(connection, customer)
    if row is None:
        raise invalid(("body", "customer_id"), "does not exist")
    if row["status"] != "active":
        raise Problem("customer-required", "The customer is archived.")
    shown = ("customer_name", "email", "phone_number", "address", "tax_info", "custom_data")
    return {name: row[name] for name in shown}
