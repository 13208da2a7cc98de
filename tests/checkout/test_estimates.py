"""Estimates: invoices worked out by hand, and the laws that every estimate keeps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.contract import Contract, ContractProblem
from checkout.estimates import Estimates, Invoice, Priced, price
from checkout.money import EXPONENTS, Money
from tests.checkout.bodies import TIERS, body, entry, priced, pricing_data, seats

YEARLY = {"cadence": "P1Y", "offset": "prepaid"}
AFTERWARDS = {"cadence": "P1M", "offset": "postpaid"}
PER_SEAT = pricing_data(unit_amount="12.00")


def once(amount: str, currency: str = "USD", **more: Any) -> dict[str, Any]:
    return entry(pricing_data("flat_fee", currency, unit_amount=amount), **more)


def invoices(found: Priced) -> list[Invoice]:
    return [found.estimates.current_invoice, *found.estimates.future_invoices]


def sums(invoice: Invoice) -> tuple[str, str, str, str]:
    return invoice.subtotal, invoice.discount, invoice.tax, invoice.total


ON_TOP = {"tax": {"percent": "20", "inclusive": False}}
WITHIN = {"tax": {"percent": "20", "inclusive": True}}

WORKED: list[tuple[str, dict[str, Any], tuple[str, str, str, str]]] = [
    ("a plain price", body(seats()), ("120.00", "0.00", "0.00", "120.00")),
    ("a product's discount", body(seats(discount={"percent": "10"})), ("120.00", "12.00", "0.00", "108.00")),
    (
        "product discount, then tax",
        body(seats(discount={"percent": "10"}), phase=ON_TOP),
        ("120.00", "12.00", "21.60", "129.60"),
    ),
    (
        "product discount, phase discount, tax",
        body(seats(discount={"amount": "20"}), phase={**ON_TOP, "discount": {"percent": "10"}}),
        ("120.00", "30.00", "18.00", "108.00"),
    ),
    ("tax within the price", body(seats(), phase=WITHIN), ("120.00", "0.00", "20.00", "120.00")),
    (
        "a discount is never more than the price",
        body(seats(discount={"amount": "500"})),
        ("120.00", "120.00", "0.00", "0.00"),
    ),
    (
        "a phase's amount is split over its lines",
        body(once("1.00"), once("1.00"), once("1.00"), phase={"discount": {"amount": "1.00"}}),
        ("3.00", "1.00", "0.00", "2.00"),
    ),
    (
        "a phase's amount is never more than the invoice",
        body(once("1.00"), phase={"discount": {"amount": "5.00"}}),
        ("1.00", "1.00", "0.00", "0.00"),
    ),
    (
        "rounded once, half up",
        body(seats(discount={"percent": "50"}, quantity="1", unit_amount="9.99")),
        ("9.99", "4.99", "0.00", "5.00"),
    ),
    ("calls", body(seats("1234567", "0.0004")), ("493.83", "0.00", "0.00", "493.83")),
    ("a half cent", body(once("0.005")), ("0.01", "0.00", "0.00", "0.01")),
    ("less than half a cent", body(once("0.004999999999")), ("0.00", "0.00", "0.00", "0.00")),
    ("each line is rounded", body(once("0.005"), once("0.005")), ("0.02", "0.00", "0.00", "0.02")),
    ("yen", body(seats("3", "333.5", "JPY"), currency="JPY", phase=ON_TOP), ("1001", "0", "200", "1201")),
    ("dinars", body(seats("3", "0.3335", "KWD"), currency="KWD", phase=ON_TOP), ("1.001", "0.000", "0.200", "1.201")),
    ("four decimals", body(once("0.00005", "CLF"), currency="CLF"), ("0.0001", "0.0000", "0.0000", "0.0001")),
    (
        "tiers",
        body(entry(pricing_data("tiered", tiers=TIERS), "1500", YEARLY)),
        ("2500.00", "0.00", "0.00", "2500.00"),
    ),
    (
        "volume",
        body(entry(pricing_data("volume", tiers=TIERS), "1500", YEARLY)),
        ("2250.00", "0.00", "0.00", "2250.00"),
    ),
    ("nothing but a trial", body(seats(), phase={"phase_type": "trial"}), ("0.00", "0.00", "0.00", "0.00")),
]


@pytest.mark.parametrize(("asked", "expected"), [case[1:] for case in WORKED], ids=[case[0] for case in WORKED])
def test_the_current_invoice_is_what_is_worked_out_by_hand(
    asked: dict[str, Any], expected: tuple[str, str, str, str]
) -> None:
    found = priced(asked)
    assert sums(found.estimates.current_invoice) == expected
    assert found.amount_due.amount == found.estimates.amount_due == expected[3]


def test_a_year_by_the_month_is_twelve_invoices() -> None:
    found = priced(body(seats(), end_date="2027-12-31"))
    assert [i.invoice_number for i in invoices(found)] == [f"EST-{n:04}" for n in range(1, 13)]
    assert [i.invoice_date for i in invoices(found)] == [date(2027, n, 1) for n in range(1, 13)]
    assert invoices(found)[1].period.model_dump() == {"start": date(2027, 2, 1), "end": date(2027, 2, 28)}
    assert [b.invoice_date for b in found.contract.billing_calendar] == [date(2027, n, 1) for n in range(1, 13)]


def test_an_open_contract_shows_24_future_invoices() -> None:
    assert len(priced(body(seats())).estimates.future_invoices) == 24
    daily = entry(PER_SEAT, period={"cadence": "P1D"})
    assert len(priced(body(seats(), daily)).estimates.future_invoices) == 24


def test_what_does_not_recur_is_on_the_first_invoice_only() -> None:
    first, second, *_ = invoices(priced(body(once("500.00"), seats())))
    assert [line.amount for line in first.line_items] == ["500.00", "120.00"]
    assert [line.amount for line in second.line_items] == ["120.00"]


def test_a_partial_last_period_costs_its_days_and_says_so() -> None:
    last = invoices(priced(body(seats(), end_date="2027-02-14")))[-1]
    assert last.total == "60.00"
    assert last.line_items[0].description == "10 at 12.00; 14 of 28 days"
    assert last.period.end == date(2027, 2, 14)


def test_a_discount_in_an_amount_shrinks_with_a_partial_period() -> None:
    asked = body(seats(discount={"amount": "20"}), phase={"discount": {"amount": "10"}}, end_date="2027-02-14")
    assert [sums(i)[1] for i in invoices(priced(asked))] == ["30.00", "15.00"]


def test_a_phase_that_begins_between_two_invoices_pays_the_days_to_the_next() -> None:
    phases = [
        {"pricings": [seats()], "end_date": "2027-01-20"},
        {"pricings": [seats(unit_amount="24.00")]},
    ]
    found = invoices(priced(body(phases=phases, end_date="2027-03-31")))
    assert [(i.invoice_date, i.total) for i in found] == [
        (date(2027, 1, 1), "77.42"),
        (date(2027, 1, 21), "85.16"),
        (date(2027, 2, 1), "240.00"),
        (date(2027, 3, 1), "240.00"),
    ]


def test_a_trial_invoices_nothing_and_full_periods_begin_after_it() -> None:
    phases = [{"pricings": [seats()], "phase_type": "trial", "end_date": "2027-01-14"}, {"pricings": [seats()]}]
    first, second, *_ = invoices(priced(body(phases=phases)))
    assert [(i.invoice_date, i.total) for i in (first, second)] == [
        (date(2027, 1, 15), "120.00"),
        (date(2027, 2, 15), "120.00"),
    ]


def test_what_is_paid_afterwards_is_invoiced_on_the_last_day_of_its_period() -> None:
    found = invoices(priced(body(entry(PER_SEAT, "10", AFTERWARDS), seats(), end_date="2027-02-28")))
    assert [(i.invoice_date, i.total) for i in found] == [
        (date(2027, 1, 1), "120.00"),
        (date(2027, 1, 31), "120.00"),
        (date(2027, 2, 1), "120.00"),
        (date(2027, 2, 28), "120.00"),
    ]


def test_a_contract_from_31_january_bills_28_february_and_31_march() -> None:
    found = invoices(priced(body(seats(), start_date="2027-01-31", end_date="2027-04-29")))
    assert [i.invoice_date for i in found] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]
    assert {i.total for i in found} == {"120.00"}


def test_lines_say_what_they_are() -> None:
    asked = body(entry(pricing_data("package", package_size="100", unit_amount="8.00"), "250", YEARLY), phase=ON_TOP)
    line = priced(asked).estimates.current_invoice.line_items[0]
    assert line.model_dump(mode="json") == {
        "id": "EST-0001/1",
        "name": "Seats",
        "quantity": "250",
        "unit_price": "8.00",
        "amount": "24.00",
        "discount": "0.00",
        "tax": "4.80",
        "total": "28.80",
        "currency": "USD",
        "description": "3 packages of 100 at 8.00",
        "period": {"start": "2027-01-01", "end": "2027-12-31"},
    }


def test_terms_of_the_contract_apply_where_the_phase_has_none() -> None:
    net = {"type": "net_days", "days": 30}
    later = {"type": "due_date", "date": "2027-06-01"}
    assert priced(body(seats(), payment_terms=net)).schedule[0].due_on == date(2027, 1, 31)
    of_phase = priced(body(seats(), payment_terms=net, phase={"payment_terms": later}))
    assert of_phase.schedule[0].due_on == of_phase.estimates.current_invoice.due_date == date(2027, 6, 1)
    assert priced(body(seats())).schedule[0].due_on == date(2027, 1, 1)


def test_instalments_are_parts_of_the_current_invoice() -> None:
    thirds = [{"amount": "40.00", "date": f"2027-0{n}-01"} for n in (1, 2, 3)]
    asked = body(seats(), payment_terms={"type": "instalments", "instalments": thirds})
    found = priced(asked)
    assert [(due.n, due.due_on, due.amount.amount) for due in found.schedule] == [
        (n, date(2027, n, 1), "40.00") for n in (1, 2, 3)
    ]
    assert found.estimates.current_invoice.due_date == date(2027, 3, 1)
    with pytest.raises(ContractProblem, match=r"payment_terms\.instalments must add up to the amount due, 132\.00 USD"):
        priced({**asked, "phases": [{"pricings": [seats("11")]}]})


@pytest.mark.parametrize(
    ("asked", "loc"),
    [
        (body(seats("999999999999", "999999999999999")), ("phases", 0, "pricings", 0, "quantity")),
        (body(once("1"), once("1000000000000")), ("phases", 0, "pricings", 1, "quantity")),
        (body(once("600000000000"), once("600000000000")), ("phases", 0)),
        (body(once("900000000000"), phase=ON_TOP), ("phases", 0)),
    ],
)
def test_amounts_past_the_largest_are_refused(asked: dict[str, Any], loc: tuple[str | int, ...]) -> None:
    with pytest.raises(ContractProblem, match=r"must stay below 1000000000000\.00 USD") as refusal:
        priced(asked)
    assert refusal.value.loc == loc


PERIODS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "cadence": st.sampled_from(["P1W", "P10D", "P1M", "P3M", "P1Y"]),
            "offset": st.sampled_from(["prepaid", "postpaid"]),
        }
    ),
)
DISCOUNTS = st.one_of(
    st.none(),
    st.builds(lambda percent: {"percent": percent}, st.decimals(0, 100, places=2)),
    st.builds(lambda amount: {"amount": amount}, st.integers(0, 500)),
)
TAXES = st.one_of(
    st.none(), st.fixed_dictionaries({"percent": st.decimals(0, 100, places=2), "inclusive": st.booleans()})
)


@st.composite
def contracts(draw: st.DrawFn, *, monotone: bool = False) -> dict[str, Any]:
    """Bodies of contracts: phases of several products, prices, periods, discounts and taxes."""
    currency = draw(st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
    kinds = ["flat_fee", "per_unit", "package", "tiered"] + ([] if monotone else ["volume", "step"])

    def item() -> dict[str, Any]:
        kind = draw(st.sampled_from(kinds))
        price = {"unit_amount": draw(st.decimals(0, 1000, places=5))}
        shape = {"tiers": TIERS} if kind in {"tiered", "volume", "step"} else price
        size = {"package_size": draw(st.integers(1, 50))} if kind == "package" else {}
        data = {"pricing_type": kind, "currency": currency, **shape, **size}
        return entry(data, draw(st.integers(0, 3000)), draw(PERIODS), discount=draw(DISCOUNTS))

    def phase(last_day: str | None) -> dict[str, Any]:
        items = [item() for _ in range(draw(st.integers(1, 4)))]
        return {"pricings": items, "discount": draw(DISCOUNTS), "tax": draw(TAXES), "end_date": last_day}

    first = [phase("2027-02-17")] if draw(st.booleans()) else []
    return body(currency=currency, phases=[*first, phase(None)], end_date=draw(st.sampled_from([None, "2027-11-11"])))


def whole(amount: str, currency: str) -> int:
    assert Decimal(amount).as_tuple().exponent == -EXPONENTS[currency]
    return Money.of(amount, currency).minor


@given(contracts())
def test_lines_add_to_totals_and_the_schedule_to_the_amount_due(asked: dict[str, Any]) -> None:
    found = priced(asked)
    currency = found.contract.currency
    for invoice in invoices(found):
        columns = ("amount", "subtotal"), ("discount", "discount"), ("tax", "tax"), ("total", "total")
        for of_lines, of_invoice in columns:
            lines = [whole(getattr(line, of_lines), currency) for line in invoice.line_items]
            assert sum(lines) == whole(getattr(invoice, of_invoice), currency)
            assert all(amount >= 0 for amount in lines)
    assert sum(due.amount.minor for due in found.schedule) == found.amount_due.minor
    days = [invoice.invoice_date for invoice in invoices(found)]
    assert days == sorted(set(days))


@given(contracts())
def test_tax_on_top_is_added_and_tax_within_is_not(asked: dict[str, Any]) -> None:
    found = priced(asked)
    for invoice in invoices(found):
        phase = next(p for p in reversed(found.contract.phases) if p.start_date <= invoice.invoice_date)
        on_top = Decimal(invoice.tax) if phase.tax and not phase.tax.inclusive else 0
        assert Decimal(invoice.subtotal) - Decimal(invoice.discount) + on_top == Decimal(invoice.total)


@given(contracts(), st.randoms(use_true_random=False))
def test_the_order_of_products_makes_no_difference(asked: dict[str, Any], shuffler: Any) -> None:
    before = [sums(invoice) for invoice in invoices(priced(asked))]
    for phase in asked["phases"]:
        shuffler.shuffle(phase["pricings"])
    assert [sums(invoice) for invoice in invoices(priced(asked))] == before


@given(contracts(monotone=True), st.integers(1, 500))
def test_more_of_a_product_never_costs_less(asked: dict[str, Any], more: int) -> None:
    before = [Decimal(invoice.subtotal) for invoice in invoices(priced(asked))]
    quantity = asked["phases"][0]["pricings"][0]["quantity"]
    quantity["quantity"] += more
    assert all(old <= Decimal(new.subtotal) for old, new in zip(before, invoices(priced(asked)), strict=True))


@given(contracts())
def test_what_is_stored_is_priced_to_the_same_again(asked: dict[str, Any]) -> None:
    found = priced(asked)
    stored = found.model_dump(mode="json")
    assert price(Contract.model_validate(stored["contract"])) == found == Priced.model_validate(stored)


@pytest.mark.parametrize(
    "other",
    [
        body(seats("11")),
        body(seats(unit_amount="12.01")),
        body(seats(), name="Another"),
        body(seats(), payment_terms={"type": "net_days", "days": 1}),
        body(seats(), end_date="2030-01-01"),
        body(seats(product={"name": "Chairs"})),
    ],
)
def test_the_estimation_id_is_of_exactly_what_was_priced(other: dict[str, Any]) -> None:
    first = priced(body(seats())).estimates.estimation_id
    assert len(first) == 64
    assert first == priced(body(seats())).estimates.estimation_id
    assert first != priced(other).estimates.estimation_id


def test_every_member_of_an_estimate_is_always_there() -> None:
    found = priced(body(seats())).model_dump(mode="json")["estimates"]
    assert set(found) == set(Estimates.model_fields)
    assert found["credit_notes"] == []
    assert found["current_invoice"]["customer"] is None
    assert found["current_invoice"]["status"] == "estimated"
