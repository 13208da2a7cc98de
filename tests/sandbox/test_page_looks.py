"""How the hosted page looks in each of its states: for everyone, on every screen, whatever merchants write on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browsing import DESK, NARROW, PHONE, PICTURES, outside, violations
from tests.sandbox.conftest import Shop
from tests.sandbox.provider import until

ORDER: Final[dict[str, Any]] = {
    "amount_minor": 181860,
    "description": "Team plan, first year",
    "lines": [
        {"name": "Team plan, seats", "quantity": "25", "amount_minor": 125000},
        {"name": "Onboarding workshop", "quantity": "1", "amount_minor": 48000},
        {"name": "Discount", "quantity": "1", "amount_minor": -20180, "kind": "discount"},
        {"name": "Tax", "quantity": "1", "amount_minor": 29040, "kind": "tax"},
    ],
}
TWICE: Final = ViewportSize(width=640, height=400)
"""What is left of a desk's screen at twice the size."""

LONG: Final = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 5


def line(name: str, minor: int, quantity: str = "1", **kind: str) -> dict[str, Any]:
    return {"name": name, "quantity": quantity, "amount_minor": minor, **kind}


async def press(tab: Page, instrument: str, *actions: str) -> None:
    """Choose, and press one button after the other."""
    await tab.check(f"input[value={instrument}]", force=True)
    for action in actions:
        await tab.click(f"button[value={action}]")


async def refused(tab: Page, _: Shop) -> None:
    await press(tab, "card_declined", "pay")


async def challenged(tab: Page, _: Shop) -> None:
    await press(tab, "card_needs_customer", "pay")


async def not_authenticated(tab: Page, _: Shop) -> None:
    await press(tab, "card_needs_customer", "pay", "refuse")


async def paid(tab: Page, _: Shop) -> None:
    await press(tab, "card_ok", "pay")


async def under_way(tab: Page, _: Shop) -> None:
    """It stays so here: the page does not get to look again."""
    await press(tab, "bank_ok", "pay")
    await tab.route("**/pay/*", lambda route: route.abort("aborted"))


async def left(tab: Page, _: Shop) -> None:
    await press(tab, "card_ok", "leave")


async def closed(tab: Page, shop: Shop) -> None:
    shop.call("close_page", key=shop.key)
    await tab.reload()


async def late(tab: Page, shop: Shop) -> None:
    shop.call("close_page", key=shop.key)
    await press(tab, "card_ok", "pay")


async def unknown(tab: Page, _: Shop) -> None:
    await tab.goto(f"{tab.url}x")


async def as_it_opens(_: Page, __: Shop) -> None:
    """Nobody did anything yet."""


STATES: Final[dict[Callable[[Page, Shop], Awaitable[None]], str]] = {
    as_it_opens: "How do you want to pay?",
    refused: "The card was declined.",
    challenged: "Confirm this payment",
    not_authenticated: "not confirmed with your bank",
    paid: "Payment complete",
    under_way: "Payment under way",
    left: "You left this page",
    closed: "This page is closed",
    late: "no longer open",
    unknown: "There is no such payment page",
}


@asynccontextmanager
async def tab_of(browser: Browser, screen: ViewportSize, scheme: Any = "light", **more: Any) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=screen, color_scheme=scheme, **more)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize(("screen", "scheme"), [(DESK, "light"), (NARROW, "dark")], ids=["desk, light", "narrow, dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_everyone_can_use_it_in_every_state_and_nothing_is_blocked(
    browser: Browser, shop: Shop, state: Callable[[Page, Shop], Awaitable[None]], screen: ViewportSize, scheme: str
) -> None:
    async with tab_of(browser, screen, scheme) as tab:
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        await tab.goto(shop.page(**ORDER, success_url=None, cancel_url=None))
        await state(tab, shop)

        await expect(tab.get_by_role("main")).to_contain_text(STATES[state])
        assert await violations(tab) == ""
        assert await outside(tab) == []
        assert [each for each in complaints if "Security Policy" in each] == []


async def test_an_expired_page_says_so_and_leads_back_to_the_shop(browser: Browser, shop: Shop, origin: str) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    page = shop.page(expires_at=soon, cancel_url=f"{origin}/no")
    until(lambda: "page_closed" in shop.provider.effects(key=shop.key))
    async with tab_of(browser, NARROW) as tab:
        await tab.goto(page)

        await expect(tab.get_by_role("status")).to_contain_text("This page has expired")
        assert await violations(tab) == ""
        await tab.get_by_role("link", name="Return to Northwind Software Ltd").click()
        await tab.wait_for_url("**/no?*")


@pytest.mark.parametrize("screen", [NARROW, TWICE], ids=["narrow", "twice the size"])
@pytest.mark.parametrize(
    "page",
    [
        {"merchant": LONG, "description": LONG, "lines": [line(LONG, 129900, "9" * 30)]},
        {"merchant": "\u202egro.live\u202c", "lines": [line("\u200b\u2066", 129900, "\u202e3")]},
        {"lines": [line(f"Seat {n}", 0) for n in range(200)]},
        {"amount_minor": 10**14 - 1, "currency": "IDR", "lines": [line("Everything", 10**14 - 1, "123456789.125")]},
    ],
    ids=["long", "invisible", "many", "huge"],
)
async def test_the_page_stays_in_shape_whatever_is_written_on_it(
    browser: Browser, shop: Shop, page: dict[str, Any], screen: ViewportSize
) -> None:
    async with tab_of(browser, screen) as tab:
        await tab.goto(shop.page(**page))

        assert await outside(tab) == []
        assert await violations(tab) == ""


async def test_many_lines_are_folded_and_open_without_a_script(browser: Browser, shop: Shop) -> None:
    async with tab_of(browser, PHONE, java_script_enabled=False) as tab:
        await tab.goto(shop.page(lines=[line(f"Seat {n}", 100) for n in range(200)]))
        await expect(tab.get_by_text("Seat 199")).to_be_hidden()
        await tab.get_by_text("200 items").click()

        await expect(tab.get_by_text("Seat 199")).to_be_visible()


PICTURED: Final[dict[str, tuple[Callable[[Page, Shop], Awaitable[None]], ViewportSize, str, str]]] = {
    "pay-light": (as_it_opens, DESK, "light", "en-US"),
    "pay-dark-phone": (as_it_opens, PHONE, "dark", "de-DE"),
    "pay-challenge": (challenged, DESK, "light", "en-US"),
    "pay-refused": (refused, DESK, "light", "en-US"),
}


@pytest.mark.parametrize("name", PICTURED)
async def test_the_docs_have_a_picture_of_it(
    browser: Browser, shop: Shop, name: str, request: pytest.FixtureRequest
) -> None:
    state, screen, scheme, locale = PICTURED[name]
    if request.config.getoption("--pictures"):
        async with tab_of(browser, screen, scheme, locale=locale) as tab:
            await tab.goto(shop.page(**ORDER))
            await state(tab, shop)
            await tab.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    assert (PICTURES / f"{name}.png").stat().st_size < 150_000
