"""A payment with each fault that the gateway knows ends with its money where it belongs, by the gateway's own ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from sandbox.arming import FITS
from tests.api.interruptions import PRICE, Operator, due_today
from tests.api.shop import Shop

PATIENCE = 90
AT_ONCE = 12
"""How many payments are made side by side."""

BROKEN: Final = {"double_capture", "wrong_amount", "forget_keys"}
"""These break what the gateway promises, to the customer's harm."""

Armed = tuple[str, str, int]
"""A fault to arm for a session: the call it strikes, its name, how often."""


@dataclass(frozen=True)
class Case:
    """A way to pay, and the faults that strike it."""

    flow: str
    faults: tuple[Armed, ...]

    @property
    def name(self) -> str:
        return f"{self.flow}: " + ", ".join(f"{call} {fault}" for call, fault, _ in self.faults)

    @property
    def breaks_promises(self) -> bool:
        return any(fault in BROKEN for _, fault, _ in self.faults)


def cases() -> Iterator[Case]:
    """Every fault of every call that a payment makes, each in a way to pay that makes this call."""
    for fault in FITS["open_page"]:
        yield Case("page", (("open_page", fault, 1),))
    for fault in set(FITS["page"]) - {"short_amount"}:
        yield Case("page", (("page", fault, 1),))
    for fault in FITS["look_up"]:
        yield Case("page", (("look_up", fault, 2),))
        yield Case("due", (("charge", "lost_reply", 1), ("look_up", fault, 2)))
    for fault in FITS["webhook"]:
        yield Case("page", (("webhook", fault, 5),))
    for fault in set(FITS["charge"]) - {"forget_keys", "short_amount"}:
        yield Case("due", (("charge", fault, 1),))
    yield Case("due", (("charge", "lost_reply", 1), ("look_up", "look_up_lag", 1), ("charge", "forget_keys", 2)))
    for fault in FITS["close_page"]:
        yield Case("undone", (("close_page", fault, 1),))
    for fault in FITS["refund"]:
        yield Case("page", (("page", "double_capture", 1), ("refund", fault, 1)))


CASES: Final = {case.name: case for case in sorted(cases(), key=lambda case: case.name)}


async def until(shop: Shop, session: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while not holds(read := await shop.read(session)):
            await asyncio.sleep(0.2)
    return read


async def paid_at_the_page(shop: Shop, session: str) -> None:
    """The customer pays, again where they were declined; the merchant's call may have been told to wait."""
    await shop.confirmed(session, "charge_immediately")
    page = (await until(shop, session, lambda s: s["confirmation"]["redirect_url"] is not None))["confirmation"]
    for _ in range(2):
        if (await shop.at_the_page(page["redirect_url"])).status_code == 303:
            break
    await until(shop, session, lambda s: s["payment_status"] == "paid")


async def paid_when_due(shop: Shop, session: str) -> None:
    """The saved card is charged; an operator has it charged again where it was declined."""
    await shop.confirmed(session, "charge_when_due")
    tried = await until(shop, session, lambda s: s["payment_status"] in {"paid", "failed"})
    if tried["payment_status"] == "failed":
        await shop.operator.post(f"/checkout_session/{session}/retry", json={"reason": "a test"})
    await until(shop, session, lambda s: s["payment_status"] == "paid")


async def undone(shop: Shop, session: str) -> None:
    """An operator has everything undone while the page is open."""
    await shop.confirmed(session, "charge_immediately")
    await shop.operator.post(f"/checkout_session/{session}/compensate", json={"reason": "a test", "then": "reopen"})
    await until(shop, session, lambda s: s["checkout_session_status"] == "open")


FLOWS: Final[dict[str, Callable[[Shop, str], Awaitable[None]]]] = {
    "page": paid_at_the_page,
    "due": paid_when_due,
    "undone": undone,
}


async def run(shop: Shop, operator: Operator, case: Case) -> tuple[dict[str, Any], int, list[str]]:
    """Go through with a payment; the session at the end, what moved by the ledger, and what the audit says."""
    customer = await shop.customer("pm_sandbox_card_ok")
    session = str((await shop.session(due_today(customer)))["id"])
    for call, fault, times in case.faults:
        armed = {"call": call, "fault": fault, "times": times, "match": {"reference": session}}
        assert (await shop.gateway.post("/faults", json=armed)).status_code == 201
    await FLOWS[case.flow](shop, session)
    if case.breaks_promises:
        await until(shop, session, lambda s: any(p["status"] == "refunded" for p in s["payments"]))
    return await shop.read(session), await shop.moved(session), await operator.violations(session)


@pytest.fixture(scope="module")
def ended() -> dict[str, asyncio.Task[tuple[dict[str, Any], int, list[str]]]]:
    """The payments of all cases, begun by the first test."""
    return {}


@pytest.fixture
async def began(
    shop: Shop, operator: Operator, ended: dict[str, asyncio.Task[tuple[dict[str, Any], int, list[str]]]]
) -> dict[str, asyncio.Task[tuple[dict[str, Any], int, list[str]]]]:
    if not ended:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case) -> tuple[dict[str, Any], int, list[str]]:
            async with slots:
                return await run(shop, operator, case)

        ended |= {name: asyncio.create_task(one(case)) for name, case in CASES.items()}
    return ended


@pytest.mark.parametrize("name", CASES)
async def test_money_is_where_it_belongs_after(
    began: dict[str, asyncio.Task[tuple[dict[str, Any], int, list[str]]]], name: str
) -> None:
    session, moved, violations = await began[name]

    assert moved == (0 if CASES[name].flow == "undone" else PRICE.minor)
    if not CASES[name].breaks_promises:
        assert (session["attention"], violations) == (None, [])
    else:
        assert session["attention"]["reason"] == "wrong_amount"
        assert {each.split(":")[0] for each in violations} <= {"M1", "M3"}
