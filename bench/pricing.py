"""How long it takes to price a contract of 50 products over 24 invoices: prints the median and the worst, in ms."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from checkout.contract import Contract, ContractBody, resolve
from checkout.estimates import price

PRODUCTS: Final = 50
RUNS: Final = 200
TIERS: Final = [
    {"up_to": "500", "unit_amount": "2.00"},
    {"up_to": "2000", "unit_amount": "1.50"},
    {"up_to": None, "unit_amount": "1.00"},
]
PRICES: Final[list[dict[str, Any]]] = [
    {"pricing_type": "flat_fee", "unit_amount": "500.00"},
    {"pricing_type": "per_unit", "unit_amount": "0.0004"},
    {"pricing_type": "package", "package_size": "100", "unit_amount": "8.00"},
    *({"pricing_type": kind, "tiers": TIERS} for kind in ("tiered", "volume", "step")),
]


def contract() -> Contract:
    """Two years, billed monthly, with discounts and tax: 24 invoices of 50 lines."""
    pricings = [
        {
            "product": {"name": f"Product {n}"},
            "quantity": {"quantity": str(n * 37 + 1)},
            "discount": {"percent": "7.5"},
            "pricing": {
                "is_recurring": True,
                "billing_period": {"cadence": "P1M"},
                "pricing_data": {"currency": "USD", **PRICES[n % len(PRICES)]},
            },
        }
        for n in range(PRODUCTS)
    ]
    phase = {"pricings": pricings, "discount": {"amount": "10.00"}, "tax": {"percent": "20"}}
    body = {
        "is_plan_based": False,
        "currency": "USD",
        "start_date": "2027-01-31",
        "end_date": "2029-01-30",
        "phases": [phase],
    }
    return resolve(ContractBody.model_validate(body), plan=None, pricings={})


def main() -> None:
    asked = contract()
    taken: list[float] = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        priced = price(asked)
        taken.append((time.perf_counter() - begun) * 1000)
    lines = sum(len(i.line_items) for i in (priced.estimates.current_invoice, *priced.estimates.future_invoices))
    print(f"{lines} lines: median {statistics.median(taken):.2f} ms, worst {max(taken):.2f} ms")  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
