"""The catalogue: pricings of products, plans made of them, and how a plan keeps the prices it was made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from checkout.billing import BillingPeriod, Duration
from checkout.discounts import Discount, Tax
from checkout.fields import ContractProblem, Description, Kept, Name, Quantity, Strict, Yes, in_minor_units, tolerant
from checkout.money import Currency
from checkout.pricing import PricingData
from checkout.terms import PaymentTerms, check

MOST_PHASES: Final = 50
MOST_PRICINGS: Final = 200
"""Pricings in one phase."""
MOST_ITEMS: Final = 500
"""Pricings in one contract or plan."""

Loc = tuple[str | int, ...]


class FixedQuantity(Strict):
    type: Literal["fixed"] = "fixed"
    quantity: Quantity


class PricingBody(Strict):
    """A price of a product: once, at the start of its phase, or recurring at each billing period."""

    name: Name | None = None
    is_recurring: Yes = False
    billing_period: Annotated[BillingPeriod | None, Field(validate_default=True)] = None
    pricing_data: PricingData

    @field_validator("billing_period")
    @classmethod
    def _recurs(cls, period: BillingPeriod | None, info: Any) -> BillingPeriod | None:
        if "is_recurring" in info.data and info.data["is_recurring"] != (period is not None):
            raise ValueError("is required with is_recurring, and only there")
        return period


class InlineProduct(Strict):
    name: Name
    description: Description | None = None


class EntryBody(Strict):
    """A product in a phase: a pricing of the catalogue by its id, or one written out with its product's name."""

    product_id: UUID | None = None
    product: InlineProduct | None = None
    pricing_id: UUID | None = None
    pricing: PricingBody | None = None
    quantity: FixedQuantity = FixedQuantity(quantity=Decimal(1))
    discount: Discount | None = None

    @model_validator(mode="after")
    def _one_product_at_one_price(self) -> EntryBody:
        if (self.pricing_id is None) == (self.pricing is None):
            raise ValueError("needs either pricing_id or pricing")
        if self.pricing_id is not None and self.product is not None:
            raise ValueError("product belongs to a pricing that is written out")
        if self.pricing is not None and (self.product is None) == (self.product_id is None):
            raise ValueError("a pricing that is written out needs either product or product_id")
        return self


class PhaseBody(Strict):
    """What is sold for a while. A trial phase invoices nothing, and may be empty."""

    name: Name | None = None
    phase_type: Literal["active", "trial"] = "active"
    pricings: Annotated[tuple[EntryBody, ...], Field(max_length=MOST_PRICINGS)]
    discount: Discount | None = None
    tax: Tax | None = None
    payment_terms: PaymentTerms | None = None

    @field_validator("pricings")
    @classmethod
    def _sells_something(cls, pricings: tuple[EntryBody, ...], info: Any) -> tuple[EntryBody, ...]:
        if not pricings and info.data.get("phase_type") == "active":
            raise ValueError("must not be empty in an active phase")
        return pricings


def refuse_too_many(phases: Iterable[PhaseBody]) -> None:
    """Raise ValueError where *phases* have more pricings than MOST_ITEMS."""
    if sum(len(phase.pricings) for phase in phases) > MOST_ITEMS:
        raise ValueError(f"must not have more than {MOST_ITEMS} pricings together")


class PlanPhaseBody(PhaseBody):
    """A phase that lasts *duration*; without one, to the end."""

    duration: Duration | None = None


class PlanBody(Strict):
    """A plan: phases that follow one another. A contract made from it ends after *duration*, if there is one."""

    name: Name
    currency: Currency
    status: Literal["draft", "active"] = "draft"
    duration: Duration | None = None
    phases: Annotated[tuple[PlanPhaseBody, ...], Field(min_length=1, max_length=MOST_PHASES)]

    @field_validator("phases")
    @classmethod
    def _only_the_last_is_open(cls, phases: tuple[PlanPhaseBody, ...]) -> tuple[PlanPhaseBody, ...]:
        if any(phase.duration is None for phase in phases[:-1]):
            raise ValueError("must each have a duration, except the last")
        refuse_too_many(phases)
        return phases


class Pricing(Kept):
    """A pricing as it is kept."""

    name: str | None = None
    is_recurring: bool = False
    billing_period: Annotated[BillingPeriod | None, tolerant(BillingPeriod)] = None
    pricing_data: Annotated[PricingData, tolerant(PricingData)]


class Product(Kept):
    """A product as it was called then."""

    name: str
    description: str | None = None
    unit: str | None = None


class CatalogPricing(Kept):
    """A pricing of the catalogue, with its product."""

    id: UUID
    product_id: UUID
    product: Product
    pricing: Pricing

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> CatalogPricing:
        """From a row of store/products.py: id, product_id, content (a PricingBody), product_name, unit."""
        product = Product(name=row["product_name"], unit=row.get("unit"))
        pricing = Pricing.model_validate(row["content"])
        return cls(id=row["id"], product_id=row["product_id"], product=product, pricing=pricing)


class Item(Kept):
    """A product in a phase, its name and price copied in. The ids say where they were copied from."""

    product_id: UUID | None = None
    product: Product
    pricing_id: UUID | None = None
    pricing: Pricing
    quantity: Annotated[FixedQuantity, tolerant(FixedQuantity)]
    discount: Annotated[Discount | None, tolerant(Discount)] = None


class Sold(Kept):
    """What a phase sells, and how, whenever it is."""

    name: str | None = None
    phase_type: Literal["active", "trial"] = "active"
    pricings: tuple[Item, ...]
    discount: Annotated[Discount | None, tolerant(Discount)] = None
    tax: Annotated[Tax | None, tolerant(Tax)] = None
    payment_terms: Annotated[PaymentTerms | None, tolerant(PaymentTerms)] = None


class PlanPhase(Sold):
    duration: str | None = None


class PlanContent(Kept):
    """A version of a plan, with the prices of the day it was made."""

    name: str
    currency: str
    duration: str | None = None
    phases: tuple[PlanPhase, ...]


class Plan(PlanContent):
    """A plan as it is kept: *content* of its row, and what the row says."""

    id: UUID
    status: Literal["draft", "active", "archived"]
    version: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Plan:
        """From a row of store/plans.py: id, name, currency, status, version, content (a PlanContent)."""
        columns = {name: row[name] for name in ("id", "name", "currency", "status", "version")}
        return cls.model_validate({**row["content"], **columns})


def resolve_plan(
    body: PlanBody, pricings: Mapping[UUID, CatalogPricing], products: Mapping[UUID, Product] | None = None
) -> PlanContent:
    """The plan with the prices of now copied in. Raises ContractProblem."""
    phases = tuple(
        PlanPhase(**sold(phase, body.currency, ("phases", index), pricings, products or {}), duration=phase.duration)
        for index, phase in enumerate(body.phases)
    )
    return PlanContent(name=body.name, currency=body.currency, duration=body.duration, phases=phases)


def sold(
    phase: PhaseBody,
    currency: str,
    loc: Loc,
    pricings: Mapping[UUID, CatalogPricing],
    products: Mapping[UUID, Product],
) -> dict[str, Any]:
    """The members of Sold for *phase*, its items found in the catalogue. Raises ContractProblem."""
    if phase.discount and phase.discount.amount is not None:
        in_minor_units(phase.discount.amount, currency, (*loc, "discount", "amount"))
    check(phase.payment_terms, None, currency, (*loc, "payment_terms"))
    items = tuple(
        _item(entry, currency, (*loc, "pricings", index), pricings, products)
        for index, entry in enumerate(phase.pricings)
    )
    members = ("name", "phase_type", "discount", "tax", "payment_terms")
    return {**{name: getattr(phase, name) for name in members}, "pricings": items}


def _item(
    entry: EntryBody,
    currency: str,
    loc: Loc,
    pricings: Mapping[UUID, CatalogPricing],
    products: Mapping[UUID, Product],
) -> Item:
    found = _by_id(entry, loc, pricings) if entry.pricing_id else _written_out(entry, loc, products)
    if found["pricing"].pricing_data.currency != currency:
        where = "pricing_id" if entry.pricing_id else "pricing"
        raise ContractProblem((*loc, where), f"must be in {currency}: currencies do not mix", "currency-mismatch")
    if entry.discount and entry.discount.amount is not None:
        in_minor_units(entry.discount.amount, currency, (*loc, "discount", "amount"))
    return Item(**found, quantity=entry.quantity, discount=entry.discount)


def _by_id(entry: EntryBody, loc: Loc, pricings: Mapping[UUID, CatalogPricing]) -> dict[str, Any]:
    found = pricings.get(entry.pricing_id) if entry.pricing_id else None
    if found is None:
        raise ContractProblem((*loc, "pricing_id"), "does not exist")
    if entry.product_id not in {None, found.product_id}:
        raise ContractProblem((*loc, "pricing_id"), "is not a pricing of that product")
    return {
        "product_id": found.product_id,
        "product": found.product,
        "pricing_id": found.id,
        "pricing": found.pricing,
    }


def _written_out(entry: EntryBody, loc: Loc, products: Mapping[UUID, Product]) -> dict[str, Any]:
    product = products.get(entry.product_id) if entry.product_id else None
    if entry.product is not None:
        product = Product(name=entry.product.name, description=entry.product.description)
    if product is None:
        raise ContractProblem((*loc, "product_id"), "does not exist")
    pricing = Pricing.model_validate(entry.pricing, from_attributes=True)
    return {"product_id": entry.product_id, "product": product, "pricing": pricing}
