"""The examples show all of pricing: whatever is added to it is added there too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from checkout.money import EXPONENTS
from checkout.pricing import PricingData
from checkout.terms import PaymentTerms
from demo.examples import FOLDER


def values(name: str, within: Any) -> Iterator[Any]:
    """Every value of the member *name*, however deep."""
    if isinstance(within, dict):
        for member, value in within.items():
            if member == name:
                yield value
            yield from values(name, value)
    elif isinstance(within, list):
        for item in within:
            yield from values(name, item)


EXAMPLES = [json.loads((FOLDER / f"{name}.json").read_text()) for name in ("catalogue", "purchases")]


def forms(union: Any, tag: str) -> set[str]:
    """The values of *tag* that tell the models of *union* apart."""
    return {get_args(model.model_fields[tag].annotation)[0] for model in get_args(get_args(union)[0])}


def test_every_type_of_price_and_of_terms_is_sold() -> None:
    assert set(values("pricing_type", EXAMPLES)) == forms(PricingData, "pricing_type")
    assert {terms["type"] for terms in values("payment_terms", EXAMPLES)} == forms(PaymentTerms, "type")


def test_every_way_to_bill_discount_and_tax_is_used() -> None:
    assert set(values("offset", EXAMPLES)) == {"prepaid", "postpaid"}
    assert set(values("phase_type", EXAMPLES)) == {"active", "trial"}
    assert set(values("is_recurring", EXAMPLES)) == {True, False}
    assert {tax["inclusive"] for tax in values("tax", EXAMPLES)} == {True, False}
    assert {name for discount in values("discount", EXAMPLES) for name in discount} == {"percent", "amount"}


def test_currencies_have_no_two_and_three_decimals() -> None:
    assert {EXPONENTS[currency] for currency in values("currency", EXAMPLES)} == {0, 2, 3}
