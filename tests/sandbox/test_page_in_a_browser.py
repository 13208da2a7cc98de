"""The hosted page as a customer meets it: in a browser, with keyboard and eyes of any kind."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.sandbox.conftest import Shop

PHONE = ViewportSize(width=320, height=640)


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>the shop</title>")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("the browser tests need chromium on the PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    tab = await browser.new_page()
    yield tab
    await tab.close()


@pytest.fixture
def address(shop: Shop) -> str:
    """A page whose merchant really is there, on another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return shop.page(success_url=f"{url}/ok", cancel_url=f"{url}/no")


async def _violations(tab: Page) -> str:
    return str((await Axe().run(tab)).generate_snapshot())


async def test_a_customer_pays_with_the_keyboard_alone(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_label("Visa 4242").focus()
    await tab.keyboard.press("Enter")

    await tab.wait_for_url(f"**/ok?checkout_session_id={shop.reference}")
    assert await tab.title() == "the shop"
    assert shop.truth()["outcome"] == "captured"


async def test_a_declined_customer_hears_of_it_and_pays_otherwise(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_label("Visa 0002").check()
    await tab.get_by_role("button", name="Pay 1,299.00 USD").click()

    await expect(tab.get_by_role("alert")).to_contain_text("declined")
    assert await _violations(tab) == ""
    await tab.get_by_label("Wallet").check()
    await tab.get_by_role("button", name="Pay 1,299.00 USD").click()
    await tab.wait_for_url("**/ok?*")
    assert shop.truth()["outcome"] == "captured"


async def test_a_customer_leaves(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_role("button", name="Leave without paying").click()

    await tab.wait_for_url("**/no?*")
    assert shop.truth()["outcome"] == "left"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everyone_can_use_it_and_nothing_is_blocked(
    browser: Browser, address: str, shop: Shop, scheme: str
) -> None:
    tab = await browser.new_page(viewport=PHONE, color_scheme="dark" if scheme == "dark" else "light")
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    await tab.goto(address)

    assert await _violations(tab) == ""
    assert await tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    shop.call("close_page", key=shop.key)
    await tab.reload()
    assert await _violations(tab) == ""
    assert complaints == []
    await tab.close()
