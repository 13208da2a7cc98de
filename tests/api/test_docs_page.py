"""The page of the API: all of it comes from here, it works on a phone, and one's key tries calls out and is not kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from api.reference.page import HERE, KINDS, POLICY
from tests.browsing import DESK, PHONE, chromium
from tests.conftest import Stack

LIST: Final = "get-/customers"
CONFIRM: Final = "post-/checkout_session/-session_id-/confirm"


@dataclass
class Visit:
    """A tab whose browser reaches the API and nobody else, and what it complained of."""

    tab: Page
    api: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.tab.route("**/*", self._only_ours)
        await self.tab.goto(f"{self.api}/docs")
        await expect(self.tab.get_by_text("Your backend opens a checkout session")).to_be_visible(timeout=60_000)

    async def _only_ours(self, route: Route) -> None:
        if route.request.url.startswith((f"{self.api}/", "data:", "blob:")):
            await route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            await route.abort()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
async def visit(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> AsyncIterator[Visit]:
    screen: ViewportSize = request.param
    context = await browser.new_context(viewport=screen)
    visit = Visit(await context.new_page(), stack.api)
    await visit.begin()
    yield visit
    assert visit.elsewhere == []
    assert visit.complaints == []
    await context.close()


async def unfold(tab: Page, part: str) -> None:
    """Show a part of the page: from the list at the side of a desk, or where it is folded away on a phone."""
    at_the_side, folded = tab.locator(f"[id='link-{part}']"), tab.locator(f"[id='{part}'] .endpoint-head")
    if await at_the_side.is_visible():
        await at_the_side.click()
    elif await folded.count():
        await folded.click()


async def test_the_page_shows_how_to_confirm_and_fits_the_screen(visit: Visit) -> None:
    await unfold(visit.tab, CONFIRM)

    shown = visit.tab.locator(f"[id='{CONFIRM}']")
    await expect(shown.get_by_text("money never moves twice")).to_be_visible()
    await expect(shown.get_by_text("curl --request").first).to_be_visible()
    await expect(shown.get_by_text("Python (httpx)")).to_be_visible()
    assert await visit.tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")


async def test_a_call_is_tried_with_ones_key_which_is_kept_nowhere(visit: Visit, stack: Stack) -> None:
    await unfold(visit.tab, "auth")
    await visit.tab.get_by_placeholder("api-token").fill(stack.api_key)
    await visit.tab.get_by_role("button", name="SET", exact=True).click()
    await unfold(visit.tab, LIST)
    shown = visit.tab.locator(f"[id='{LIST}']")
    await shown.get_by_role("button", name="CLEAR").click()
    async with visit.tab.expect_response(re.compile("/customers")) as answered:
        await shown.get_by_role("button", name="TRY").click()

    assert (await answered.value).status == 200
    await expect(shown.get_by_text("Response Status: OK:200")).to_be_visible()
    await expect(shown.locator("api-response, pre").get_by_text('"total"').first).to_be_visible()
    assert stack.api_key not in visit.tab.url
    assert stack.api_key not in (await answered.value).url
    assert await visit.tab.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


@pytest.mark.parametrize("name", ["", *(f"/{name}" for name in KINDS)])
async def test_every_file_of_the_page_has_its_policy(nobody: httpx.AsyncClient, name: str) -> None:
    answer = await nobody.get(f"/docs{name}")

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.content == (HERE / (name.removeprefix("/") or "docs.html")).read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    plain = await nobody.get(f"/docs{name}", headers={"accept-encoding": "identity"})
    assert plain.content == answer.content


async def test_no_other_file_is_a_part_of_the_page(nobody: httpx.AsyncClient) -> None:
    for name in ("README.md", "..%2Fpage.py", "nothing.js"):
        assert (await nobody.get(f"/docs/{name}")).status_code == 404


def test_scripts_come_from_files_of_ours_only() -> None:
    page = (HERE / "docs.html").read_text()

    assert "script-src 'self';" in POLICY
    assert "default-src 'none'" in POLICY
    assert re.findall(r"<script(?! src=\"/docs/)", page) == []
    assert re.findall(r"https?://|//[a-z]", page) == []


def test_the_front_end_is_the_one_that_was_taken_in_with_its_licence() -> None:
    said = (HERE / "README.md").read_text()

    assert hashlib.sha256((HERE / "rapidoc.js").read_bytes()).hexdigest() in said
    assert "MIT License" in (HERE / "rapidoc.LICENSE.txt").read_text()
