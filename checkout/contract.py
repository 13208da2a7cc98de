"""Contracts: what a request may ask for, and the contract it comes to, with names, prices and days copied in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator, model_validator

from checkout.billing import DAY, after, span
from checkout.catalogue import (
    MOST_ITEMS,
    MOST_PHASES,
    CatalogPricing,
    PhaseBody,
    Plan,
    PlanBody,
    PlanContent,
    PlanPhase,
    PricingBody,
    Product,
    refuse_too_many,
    resolve_plan,
    sold,
)
from checkout.fields import ContractProblem, Day, Kept, Name, Quantity, Strict, Yes, tolerant
from checkout.money import Currency
from checkout.phases import DatedPhaseBody, Phase, dated, days_of
from checkout.terms import PaymentTerms, check

__all__ = [
    "CatalogPricing",
    "Contract",
    "ContractBody",
    "ContractProblem",
    "Needed",
    "Plan",
    "PlanBody",
    "PlanContent",
    "PricingBody",
    "Product",
    "needed",
    "needed_by_plan",
    "resolve",
    "resolve_plan",
]


class QuantityOf(Strict):
    """How many of a plan's product."""

    product_id: UUID
    quantity: Quantity


class ContractBody(Strict):
    """A contract to be made: a copy of a plan, or phases written out. *end_date* is the last day, included."""

    is_plan_based: Yes
    name: Name | None = None
    currency: Currency
    start_date: Day
    end_date: Day | None = None
    plan_id: Annotated[UUID | None, Field(validate_default=True)] = None
    quantities: Annotated[tuple[QuantityOf, ...], Field(max_length=MOST_ITEMS)] = ()
    phases: Annotated[tuple[DatedPhaseBody, ...] | None, Field(max_length=MOST_PHASES, validate_default=True)] = None
    payment_terms: PaymentTerms | None = None

    @field_validator("end_date")
    @classmethod
    def _ends_after_it_starts(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start_date")
        if end is not None and start is not None and end < start:
            raise ValueError("must not be before start_date")
        return end

    @field_validator("plan_id")
    @classmethod
    def _plan(cls, plan_id: UUID | None, info: ValidationInfo) -> UUID | None:
        if "is_plan_based" in info.data and info.data["is_plan_based"] != (plan_id is not None):
            raise ValueError("is required with is_plan_based true, and only there")
        return plan_id

    @field_validator("quantities")
    @classmethod
    def _of_a_plan(cls, quantities: tuple[QuantityOf, ...], info: ValidationInfo) -> tuple[QuantityOf, ...]:
        if quantities and info.data.get("is_plan_based") is False:
            raise ValueError("are for a plan's products: each of phases[].pricings[] has its own quantity")
        if len({item.product_id for item in quantities}) < len(quantities):
            raise ValueError("must name each product once")
        return quantities

    @field_validator("phases")
    @classmethod
    def _phases(cls, phases: tuple[DatedPhaseBody, ...] | None, info: ValidationInfo) -> Any:
        if "is_plan_based" in info.data and info.data["is_plan_based"] == bool(phases):
            raise ValueError("must not be empty with is_plan_based false, and belong only there")
        refuse_too_many(phases or ())
        return phases

    @model_validator(mode="after")
    def _phases_in_order(self) -> ContractBody:
        if self.phases:
            list(days_of(self.phases, self.start_date, self.end_date))
        return self


class Billing(Kept):
    """An invoice of the billing calendar: its day, and the days it is for."""

    invoice_date: date
    start: date
    end: date


class Contract(Kept):
    """A contract that can be priced without asking anybody. *billing_anchor* is the day that billing periods count
    from: the first day of the first active phase. *billing_calendar* is filled in when it is priced.
    """

    is_plan_based: bool = False
    name: str | None = None
    currency: str
    start_date: date
    end_date: date | None = None
    plan_id: UUID | None = None
    plan_version: int | None = None
    phases: tuple[Phase, ...]
    payment_terms: Annotated[PaymentTerms | None, tolerant(PaymentTerms)] = None
    billing_anchor: date
    billing_calendar: tuple[Billing, ...] = ()


class Needed(NamedTuple):
    """What a body names and must be loaded before it is resolved."""

    plan_id: UUID | None
    pricing_ids: frozenset[UUID]
    product_ids: frozenset[UUID]


def needed(body: ContractBody) -> Needed:
    """What `resolve` wants to be given; *product_ids* are those of pricings written out."""
    return _needed(body.phases or (), body.plan_id)


def needed_by_plan(body: PlanBody) -> Needed:
    """What `resolve_plan` wants to be given."""
    return _needed(body.phases, None)


def _needed(phases: Iterable[PhaseBody], plan_id: UUID | None) -> Needed:
    entries = [entry for phase in phases for entry in phase.pricings]
    return Needed(
        plan_id=plan_id,
        pricing_ids=frozenset(entry.pricing_id for entry in entries if entry.pricing_id),
        product_ids=frozenset(entry.product_id for entry in entries if entry.pricing and entry.product_id),
    )


def resolve(
    body: ContractBody,
    *,
    plan: Plan | None,
    pricings: Mapping[UUID, CatalogPricing],
    products: Mapping[UUID, Product] | None = None,
) -> Contract:
    """The contract that *body* comes to, with the plan and the prices of now copied in. Raises ContractProblem."""
    contract = _copied(body, plan) if body.is_plan_based else _written_out(body, pricings, products or {})
    with placed(contract):
        check(contract.payment_terms, contract.start_date, contract.currency, ("payment_terms",))
        for index, phase in enumerate(contract.phases):
            check(phase.payment_terms, contract.start_date, contract.currency, ("phases", index, "payment_terms"))
    return contract


@contextmanager
def placed(contract: Contract) -> Iterator[None]:
    """Let a ContractProblem about a phase of *contract* name a field of the body that it was made from."""
    try:
        yield
    except ContractProblem as problem:
        raise (problem.within_a_plan() if contract.is_plan_based else problem) from None


def _contract(body: ContractBody, phases: list[Phase], end: date | None, **more: Any) -> Contract:
    active = (phase.start_date for phase in phases if phase.phase_type == "active")
    return Contract(
        is_plan_based=body.is_plan_based,
        currency=body.currency,
        start_date=body.start_date,
        end_date=end,
        phases=tuple(phases),
        payment_terms=body.payment_terms,
        billing_anchor=next(active, body.start_date),
        **{"name": body.name, **more},
    )


def _copied(body: ContractBody, plan: Plan | None) -> Contract:
    if plan is None:
        raise ContractProblem(("plan_id",), "does not exist")
    if plan.status != "active":
        raise ContractProblem(("plan_id",), f"must be an active plan; this one is {plan.status}", "plan-not-available")
    if plan.currency != body.currency:
        raise ContractProblem(("currency",), f"must be the plan's, {plan.currency}", "currency-mismatch")
    end = body.end_date
    if end is None and plan.duration is not None:
        end = after(body.start_date, span(plan.duration)) - DAY
    phases = list(dated(_with_quantities(plan, body), body.start_date, end))
    ends = end or phases[-1].end_date
    return _contract(body, phases, ends, name=body.name or plan.name, plan_id=plan.id, plan_version=plan.version)


def _with_quantities(plan: Plan, body: ContractBody) -> list[PlanPhase]:
    quantities = {item.product_id: item.quantity for item in body.quantities}
    known = {item.product_id for phase in plan.phases for item in phase.pricings}
    for index, wanted in enumerate(body.quantities):
        if wanted.product_id not in known:
            raise ContractProblem(("quantities", index, "product_id"), "is not a product of this plan")

    def changed(item: Any) -> Any:
        quantity = quantities.get(item.product_id, item.quantity.quantity)
        return item.model_copy(update={"quantity": item.quantity.model_copy(update={"quantity": quantity})})

    return [phase.model_copy(update={"pricings": tuple(map(changed, phase.pricings))}) for phase in plan.phases]


def _written_out(
    body: ContractBody, pricings: Mapping[UUID, CatalogPricing], products: Mapping[UUID, Product]
) -> Contract:
    wanted = body.phases or ()
    days = days_of(wanted, body.start_date, body.end_date)
    phases = [
        Phase(**sold(phase, body.currency, ("phases", index), pricings, products), start_date=first, end_date=last)
        for index, (phase, (first, last)) in enumerate(zip(wanted, days, strict=True))
    ]
    return _contract(body, phases, body.end_date)
