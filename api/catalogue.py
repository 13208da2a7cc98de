"""What a plan or a contract names of the catalogue: loaded for its resolving, whose refusals become problems here."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from api.problems import Problem, invalid
from checkout.catalogue import CatalogPricing, Product
from checkout.contract import Needed
from checkout.fields import ContractProblem
from store import products
from store.database import Connection


class Catalogue(NamedTuple):
    """The pricings and products that a body names; one that is not this organisation's is not here."""

    pricings: dict[UUID, CatalogPricing]
    products: dict[UUID, Product]


async def load(connection: Connection, need: Needed) -> Catalogue:
    """The part of the organisation's catalogue that *need* names: `resolve(body, plan=..., **named._asdict())`."""
    pricings = await products.pricings(connection, list(need.pricing_ids))
    named = await products.named(connection, list(need.product_ids))
    return Catalogue(
        pricings={pricing: CatalogPricing.of(row) for pricing, row in pricings.items()},
        products={product: Product.model_validate(row) for product, row in named.items()},
    )


def refused(problem: ContractProblem, loc: tuple[str | int, ...]) -> Problem:
    """The problem that *problem* is to the client, who sent the contract or plan at *loc* of the request."""
    where = invalid((*loc, *problem.loc), problem.msg)
    return where if problem.problem == "validation" else Problem(problem.problem, problem.msg, **where.members)
