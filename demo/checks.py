"""Whether a purchase ended as it should: the API's answers, the gateway's ledger and the example, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from checkout.money import Money
from demo.calls import Calls
from demo.examples import Purchase


@dataclass(frozen=True)
class Evidence:
    """What is known of a session when its purchase is over; *contract* and *customer* are None where it has none."""

    session: dict[str, Any]
    ledger: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    contracts: list[dict[str, Any]]
    customer: dict[str, Any] | None

    @property
    def currency(self) -> str:
        return str(self.session["currency"])

    @property
    def collected(self) -> Money:
        """Captured minus refunded, by the ledger."""
        signs = {"captured": 1, "refunded": -1}
        minor = sum(signs.get(row["effect"], 0) * row["amount_minor"] for row in self.ledger if row["amount_minor"])
        return Money(minor=minor, currency=self.currency)

    @property
    def paid(self) -> Money:
        """What the session says of its instalments that are paid."""
        parts = (part for part in self.session["payment_schedule"] if part["status"] == "paid")
        return Money(minor=sum(Money.of(p["amount"], p["currency"]).minor for p in parts), currency=self.currency)

    @property
    def amount_due(self) -> Money:
        return Money.of(self.session["estimates"]["amount_due"], self.currency)


async def gathered(calls: Calls, session: UUID) -> Evidence:
    shown = await calls.session(session)
    about = {"checkout_session_id": str(session)}
    customer = shown["customer_id"]
    return Evidence(
        session=shown,
        ledger=await calls.ledger(session),
        payments=(await calls.get("/payments", **about))["data"],
        contracts=(await calls.get("/contracts", **about))["data"],
        customer=await calls.get(f"/customers/{customer}") if customer else None,
    )


def differences(purchase: Purchase, seen: Evidence) -> list[str]:
    """Everything that is not as *purchase* says, or that API and ledger do not agree on."""
    return [*_status(purchase, seen), *_money(purchase, seen), *_records(seen), *_contract(seen), *_guest(seen)]


def _status(purchase: Purchase, seen: Evidence) -> Iterator[str]:
    for name in ("checkout_session_status", "payment_status"):
        if seen.session[name] != getattr(purchase.ends, name):
            yield f"{name} is {seen.session[name]}, not {getattr(purchase.ends, name)}"
    if seen.session["attention"] is not None:
        yield f"it asks for attention: {seen.session['attention']['detail']}"


def _money(purchase: Purchase, seen: Evidence) -> Iterator[str]:
    due = Money.of(purchase.ends.amount_due, seen.currency)
    collected = Money.of(purchase.ends.collected, seen.currency)
    if seen.amount_due != due:
        yield f"the amount due is {seen.amount_due}, not {due}"
    if seen.collected != collected:
        yield f"the gateway's ledger holds {seen.collected}, not {collected}"
    owed = seen.amount_due if seen.session["payment_status"] == "paid" else Money.zero(seen.currency)
    if seen.collected != owed:
        yield f"the payment is {seen.session['payment_status']}, but the gateway's ledger holds {seen.collected}"
    captures = [row for row in seen.ledger if row["effect"] == "captured"]
    if len(captures) > max(1, len(seen.session["payment_schedule"])):
        yield f"there were {len(captures)} captures"
    if any(row["currency"] != seen.currency for row in captures):
        yield "a capture is in another currency"
    declined = sum(row["effect"] == "declined" for row in seen.ledger)
    if bool(declined) != bool(purchase.ends.declined) or declined < purchase.ends.declined:
        yield f"the gateway declined {declined} times, not {purchase.ends.declined}"


def _records(seen: Evidence) -> Iterator[str]:
    """The session's payments and the list of payments, against the ledger."""
    moved = {(row["key"], row["amount_minor"]) for row in seen.ledger if row["effect"] in {"captured", "refunded"}}
    for where, rows in (("the session", seen.session["payments"]), ("/payments", seen.payments)):
        said = {
            (row["key"], Money.of(row["amount"], row["currency"]).minor)
            for row in rows
            if row["status"] in {"captured", "refunded"}
        }
        if said != moved:
            yield f"{where} shows {len(said)} movements of money that the ledger does not have, or the other way round"
        if any(row["status"] in {"pending", "unknown"} for row in rows):
            yield f"{where} shows a payment whose outcome is not known"


def _contract(seen: Evidence) -> Iterator[str]:
    completed = seen.session["checkout_session_status"] == "completed"
    in_force = [contract["id"] for contract in seen.contracts if contract["status"] == "active"]
    if in_force != ([seen.session["contract_id"]] if completed else []):
        yield f"{len(in_force)} contracts are in force"
    if not completed and seen.session["contract_id"] is not None:
        yield "it names a contract although it is not completed"
    if any(contract["status"] == "draft" for contract in seen.contracts):
        yield "a contract was left as a draft"


def _guest(seen: Evidence) -> Iterator[str]:
    if not seen.session["guest_checkout"]:
        return
    if seen.customer is None:
        yield "no customer was created for the guest"
    elif (seen.customer["status"], seen.customer["email"]) != ("active", seen.session["customer"]["email"]):
        yield "the guest's customer is another one"
