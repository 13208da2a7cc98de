"""What tests of pages need: a browser, eyes of every kind, and a shop to come back to."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

PHONE: Final = ViewportSize(width=390, height=844)
NARROW: Final = ViewportSize(width=320, height=640)
"""The narrowest that is asked for (WCAG 2.2, 1.4.10): also what 1280 pixels are at four times the size."""
DESK: Final = ViewportSize(width=1280, height=800)

PICTURES: Final = Path(__file__).parents[1] / "docs" / "images"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("the browser tests need chromium on the PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def violations(tab: Page) -> str:
    """What axe finds wrong with the page; nothing is good."""
    found = await Axe().run(tab)
    return str(found.generate_report()) if found.violations_count else ""


async def outside(tab: Page) -> list[str]:
    """What sticks out to the right of what shows of the page: it can only be scrolled to, or is cut off."""
    found: list[str] = await tab.evaluate(
        """() => [...document.querySelectorAll("*")]
            .filter(each => each.checkVisibility() && each.getBoundingClientRect().right > window.innerWidth + 1)
            .map(each => `${each.tagName}: ${each.textContent.trim().slice(0, 30)}`)"""
    )
    return found


class _Shop(BaseHTTPRequestHandler):
    """A shop: /hop leads on to where its query says, everything else is the shop's own page."""

    def do_GET(self) -> None:
        to = self.path.partition("?to=")[2].partition("&")[0]
        self.send_response(302 if to else 200)
        self.send_header("location" if to else "content-type", to or "text/html")
        self.end_headers()
        if not to:
            self.wfile.write(b"<title>the shop</title>")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def open_shop() -> Iterator[str]:
    """A shop on an origin of its own, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
