"""Estimate, contract, hosted page, the gateway's ledger and the payment row name one amount, for every price."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from pydantic import TypeAdapter

from checkout.contract import Contract
from checkout.estimates import price
from checkout.money import Money
from checkout.pricing import PricingData
from tests.api.shop import URLS, Shop

AT_ONCE = 6
KINDS = ("flat_fee", "per_unit", "tiered", "volume", "step", "package")
INCLUSIVE = ("volume", "package")
"""Those sold here with their tax included; it comes on top of the others."""
MONTHLY = {"cadence": "P1M", "offset": "prepaid"}
UNITS = {"USD": ("12.34", "0.0004"), "JPY": ("1234", "0.4"), "KWD": ("12.345", "0.00004")}
"""For each currency a price in its minor units, and one below them."""
CASES = list(product(KINDS, UNITS))
NET = {"type": "net_days", "days": 30}
CALENDAR = [
    ("2027-01-31", "2027-01-31", "2027-02-27"),
    ("2027-02-28", "2027-02-28", "2027-03-30"),
    ("2027-03-31", "2027-03-31", "2027-04-14"),
]
"""The invoices, each with its days, of a contract from 31 January to 14 April."""
PRICING: TypeAdapter[Any] = TypeAdapter(PricingData)

Json = dict[str, Any]


def pricings(currency: str) -> dict[str, tuple[Json, str]]:
    """A pricing of each type, with a quantity that reaches past its first tier or package."""
    price, fraction = UNITS[currency]
    tiers = [
        {"up_to": "500", "unit_amount": price, "flat_fee": fraction},
        {"up_to": "2000", "unit_amount": fraction, "flat_fee": price},
        {"up_to": None, "unit_amount": fraction},
    ]
    return {
        "flat_fee": ({"unit_amount": price}, "3"),
        "per_unit": ({"unit_amount": fraction}, "1234567"),
        "tiered": ({"tiers": tiers}, "1500.5"),
        "volume": ({"tiers": tiers}, "1500.5"),
        "step": ({"tiers": tiers}, "1500.5"),
        "package": ({"package_size": "100", "unit_amount": price}, "301"),
    }


def purchase(kind: str, currency: str) -> Json:
    """A contract of one recurring product at that price and one bought once, with discounts and tax."""
    data, quantity = pricings(currency)[kind]
    sold = {
        "product": {"name": f"Calls & <{kind}>"},
        "quantity": {"quantity": quantity},
        "discount": {"percent": "7.5"},
        "pricing": {
            "is_recurring": True,
            "billing_period": MONTHLY,
            "pricing_data": {"pricing_type": kind, "currency": currency, **data},
        },
    }
    once = {
        "product": {"name": "Onboarding"},
        "pricing": {"pricing_data": {"pricing_type": "flat_fee", "currency": currency, "unit_amount": "250"}},
    }
    tax = {"percent": "19", "inclusive": kind in INCLUSIVE}
    phase = {"name": kind, "pricings": [sold, once], "discount": {"amount": "3"}, "tax": tax}
    return {
        "is_plan_based": False,
        "currency": currency,
        "start_date": "2027-01-31",
        "end_date": "2027-04-14",
        "phases": [phase],
        "payment_terms": NET,
    }


async def written_out(_: Shop, asked: Json) -> Json:
    return asked


async def from_the_catalogue(shop: Shop, asked: Json) -> Json:
    """The same, its prices kept in the catalogue and named by their ids."""

    async def kept(line: Json) -> Json:
        product = (await shop.made("/products", line["product"]))["id"]
        pricing = (await shop.made(f"/products/{product}/pricings", line["pricing"]))["id"]
        return {**line, "product_id": product, "pricing_id": pricing, "product": None, "pricing": None}

    (phase,) = asked["phases"]
    return {**asked, "phases": [{**phase, "pricings": [await kept(line) for line in phase["pricings"]]}]}


async def from_a_plan(shop: Shop, asked: Json) -> Json:
    """The same, copied from a plan."""
    phases = (await from_the_catalogue(shop, asked))["phases"]
    plan = {"name": "Calls", "currency": asked["currency"], "status": "active", "phases": phases}
    made = (await shop.made("/plans", plan))["id"]
    return {**asked, "is_plan_based": True, "plan_id": made, "phases": None}


WAYS = {"USD": written_out, "JPY": from_the_catalogue, "KWD": from_a_plan}
"""How the prices in each currency get into the contract."""


@dataclass(frozen=True)
class Bought:
    """What each party says of a purchase that is paid; *page* is the hosted page's HTML before that."""

    opened: Json
    page: str
    session: Json
    contract: Json
    ledger: list[Json]
    payments: list[Json]


@pytest.fixture(scope="module")
async def bought(shop: Shop) -> dict[tuple[str, str], Bought]:
    """Every price in every currency, bought and paid at the page."""
    desk, customer = asyncio.Semaphore(AT_ONCE), await shop.customer()

    async def buy(kind: str, currency: str) -> Bought:
        async with desk:
            contract = await WAYS[currency](shop, purchase(kind, currency))
            opened = await shop.session({"contract": contract, "customer_id": customer, **URLS})
            url = (await shop.confirmed(opened["id"], "charge_immediately")).json()["redirect_url"]
            page = (await shop.gateway.get(url)).text
            await shop.at_the_page(url)
            session = await shop.until(opened["id"], lambda s: s["checkout_session_status"] == "completed")
            made = (await shop.http.get(f"/contracts/{session['contract_id']}")).json()
            of_session = {"checkout_session_id": opened["id"]}
            payments = (await shop.http.get("/payments", params=of_session)).json()["data"]
            return Bought(opened, page, session, made, await shop.ledger(opened["id"]), payments)

    return dict(zip(CASES, await asyncio.gather(*(buy(*case) for case in CASES)), strict=True))


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_every_party_names_the_same_amount(bought: dict[tuple[str, str], Bought], case: tuple[str, str]) -> None:
    found, currency = bought[case], case[1]
    due = found.opened["estimates"]["amount_due"]
    captured = [(row["amount_minor"], row["currency"]) for row in found.ledger if row["effect"] == "captured"]

    assert Money.of(due, currency).minor > 0
    assert found.session["estimates"] == found.opened["estimates"]
    assert found.session["payment_status"] == "paid"
    assert shown(found.page)[1] == Money.of(due, currency)
    assert captured == [(Money.of(due, currency).minor, currency)]
    for payments in (found.payments, found.session["payments"]):
        assert [(p["status"], p["amount"], p["currency"]) for p in payments] == [("captured", due, currency)]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_the_page_shows_the_lines_of_the_estimate_and_they_add_up(
    bought: dict[tuple[str, str], Bought], case: tuple[str, str]
) -> None:
    found, currency = bought[case], case[1]
    invoice = found.opened["estimates"]["current_invoice"]
    lines, total = shown(found.page)

    assert sum(amount.minor for _, amount in lines) == total.minor
    assert [(name, amount.amount) for name, amount in lines[:2]] == [
        (line["name"], line["amount"]) for line in invoice["line_items"]
    ]
    extra = {"Discount": f"-{invoice['discount']}"} | ({} if case[0] in INCLUSIVE else {"Tax": invoice["tax"]})
    assert {name: amount.amount for name, amount in lines[2:]} == extra
    for name in ("discount", "tax", "total"):
        assert Money.of(invoice[name], currency).minor == sum(
            Money.of(line[name], currency).minor for line in invoice["line_items"]
        )


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_the_contract_is_what_was_estimated_and_comes_to_it_again(
    bought: dict[tuple[str, str], Bought], case: tuple[str, str]
) -> None:
    found = bought[case]
    content, estimates = found.contract["content"], found.opened["estimates"]
    again = price(Contract.model_validate(content)).estimates

    assert found.contract["status"] == "active"
    assert content == found.opened["contract"]
    assert found.contract["estimation_id"] == estimates["estimation_id"] == again.estimation_id
    assert again.amount_due == estimates["amount_due"]
    (phase,) = content["phases"]
    assert PRICING.validate_python(phase["pricings"][0]["pricing"]["pricing_data"]) == PRICING.validate_python(
        {"pricing_type": case[0], "currency": case[1], **pricings(case[1])[case[0]][0]}
    )
    assert content["payment_terms"] == NET
    assert [(b["invoice_date"], b["start"], b["end"]) for b in content["billing_calendar"]] == CALENDAR
    assert [invoice["invoice_date"] for invoice in estimates["future_invoices"]] == [day for day, *_ in CALENDAR[1:]]
    assert "; 15 of 30 days" in estimates["future_invoices"][-1]["line_items"][0]["description"]


ROW = r"<div[^>]*><dt>(.*?)</dt><dd>(.*?)</dd></div>"


def shown(page: str) -> tuple[list[tuple[str, Money]], Money]:
    """What a customer reads on the hosted page: its lines, name and amount, and the total."""
    (currency,) = re.findall(r'Total <span class="quiet">([A-Z]{3})</span>', page)
    rows = [(text(name), read(text(amount), currency)) for name, amount in re.findall(ROW, page)]
    sums = dict(rows)
    return [row for row in rows if row[0] not in {"Subtotal", f"Total {currency}"}], sums[f"Total {currency}"]


def text(markup: str) -> str:
    """The words of a row, without how often something was bought."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).partition(" \N{MULTIPLICATION SIGN}")[0].strip()


def read(amount: str, currency: str) -> Money:
    """An amount as the page writes it in English: $1,234.50, ¥1,234, KWD 1,234.500."""
    return Money.of(re.sub(r"[^\d.-]", "", amount), currency)
