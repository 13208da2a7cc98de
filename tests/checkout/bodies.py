"""Bodies of contracts for the tests, as a client would send them."""

from __future__ import annotations

from typing import Any

from checkout.contract import Contract, ContractBody, resolve
from checkout.estimates import Priced, price

TIERS = [
    {"up_to": "500", "unit_amount": "2.00"},
    {"up_to": "2000", "unit_amount": "1.50"},
    {"up_to": None, "unit_amount": "1.00"},
]


def pricing_data(kind: str = "per_unit", currency: str = "USD", **members: Any) -> dict[str, Any]:
    return {"pricing_type": kind, "currency": currency, **members}


def entry(
    data: dict[str, Any], quantity: Any = "1", period: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A product in a phase; recurring where it has a billing period."""
    pricing = {"is_recurring": period is not None, "billing_period": period, "pricing_data": data}
    return {
        "product": {"name": "Seats"},
        "quantity": {"type": "fixed", "quantity": quantity},
        "pricing": pricing,
        **more,
    }


def seats(quantity: Any = "10", unit_amount: Any = "12.00", currency: str = "USD", **more: Any) -> dict[str, Any]:
    """Seats by the month, to be paid before it."""
    data = pricing_data("per_unit", currency, unit_amount=unit_amount)
    return entry(data, quantity, {"cadence": "P1M", "offset": "prepaid"}, **more)


def body(*entries: dict[str, Any], currency: str = "USD", **more: Any) -> dict[str, Any]:
    """A contract of one phase from 1 January 2027; *more* are members of the contract."""
    phase = {"pricings": list(entries), **more.pop("phase", {})}
    return {"is_plan_based": False, "currency": currency, "start_date": "2027-01-01", "phases": [phase], **more}


def contract(asked: dict[str, Any]) -> Contract:
    return resolve(ContractBody.model_validate(asked), plan=None, pricings={})


def priced(asked: dict[str, Any]) -> Priced:
    return price(contract(asked))
