"""What a customer is told after paying, where the merchant gave no address: by anybody's browser, to nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Route, expect
from psycopg_pool import PoolTimeout

from api.app import create_app
from api.outcome_page import LOOKS_AGAIN, OUTCOMES, outcome_of
from api.outcome_words import HEADINGS, SENTENCES
from checkout.commands import Publish
from checkout.languages import LANGUAGES
from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.outcome_pages import outcome_address
from checkout.session import Instalment, Offer, SessionEvent, SessionState
from store.database import Database
from store.session_view import SessionView
from tests.api.conftest import client_of
from tests.api.shop import Shop, onboarding
from tests.browsing import DESK, NARROW, PICTURES, chromium, outside, violations
from tests.conftest import PEPPER

NOW: Final = datetime(2026, 5, 1, tzinfo=UTC)
PRICE: Final = Money(minor=50000, currency="USD")


def state(status: Status, payment: Payment, organisation: UUID | None = None, **more: Any) -> SessionState:
    offer = Offer(estimation_id="an estimate", details=uuid4(), amount_due=PRICE, schedule=(), expires_at=NOW)
    return SessionState(
        id=uuid4(),
        organisation=organisation or uuid4(),
        status=status,
        payment_status=payment,
        guest_checkout=False,
        customer=uuid4(),
        offer=offer,
        created_at=NOW,
        updated_at=NOW,
        last_activity_at=NOW,
        **{"business_entity": None, **more},
    )


async def address(database: Database, organisation: UUID, status: Status, payment: Payment, **more: Any) -> str:
    """The page of a session that stands so."""
    stands = state(status, payment, organisation, **more)
    event = SessionEvent(sequence=1, type="x.y", actor="test", at=NOW, data={}, state=stands)
    await SessionView(database).publish(Publish(events=(event,)), "a run")
    return outcome_address("http://api", PEPPER, organisation, stands.id)


@pytest.mark.parametrize(("status", "payment"), list(product(Status, Payment)))
def test_every_pair_of_statuses_is_told_in_every_language(status: Status, payment: Payment) -> None:
    outcome = OUTCOMES[status, payment]

    for words in (HEADINGS[outcome], SENTENCES[outcome]):
        assert len(words) == len(LANGUAGES)
        assert all(text.strip() for text in words)


@pytest.mark.parametrize(("status", "payment"), list(product(Status, Payment)))
def test_only_what_is_paid_is_said_to_be_paid_and_only_what_goes_on_is_looked_at_again(
    status: Status, payment: Payment
) -> None:
    outcome = OUTCOMES[status, payment]

    assert (outcome in {"paid", "received"}) == (
        payment is Payment.PAID and status in {Status.PROCESSING, Status.COMPLETED}
    )
    assert (outcome in LOOKS_AGAIN) == (status is Status.PROCESSING)


@pytest.mark.parametrize("status", ["charging", "needs_customer"])
def test_a_due_payment_that_its_customer_just_acted_on_is_under_way(status: Any) -> None:
    due = Instalment(n=1, due_on=NOW.date(), due_at=NOW, amount=PRICE, status=status)

    assert outcome_of(state(Status.COMPLETED, Payment.PENDING, schedule=(due,))) == "under_way"
    assert outcome_of(state(Status.COMPLETED, Payment.PENDING)) == "scheduled"


@pytest.mark.parametrize(
    ("asked", "language"), [("de-AT, en;q=0.5", "de"), ("fr", "fr"), ("es-MX", "es"), ("ja", "en")]
)
async def test_the_page_speaks_the_customers_language(
    nobody: httpx.AsyncClient, database: Database, organisation: UUID, asked: str, language: Any
) -> None:
    page = await address(database, organisation, Status.COMPLETED, Payment.PAID)

    shown = await nobody.get(page, headers={"Accept-Language": asked})

    assert f'<html lang="{language}">' in shown.text
    assert HEADINGS["paid"][LANGUAGES.index(language)] in shown.text
    assert shown.headers["content-language"] == language
    assert shown.headers["vary"] == "Accept-Language"


async def test_the_page_names_the_merchant_and_nothing_else(
    nobody: httpx.AsyncClient, database: Database, organisation: UUID, business_entity: UUID
) -> None:
    async with database.of(organisation) as connection:
        await connection.execute(
            "UPDATE business_entities SET name = '<script>\u202e{{7*7}}' WHERE id = %s", (business_entity,)
        )
    own = await nobody.get(await address(database, organisation, Status.COMPLETED, Payment.PAID))
    entitys = await nobody.get(
        await address(database, organisation, Status.COMPLETED, Payment.PAID, business_entity=business_entity)
    )

    assert "Northwind Software Ltd" in own.text
    assert "<bdi>&lt;script&gt;{{7*7}}</bdi>" in entitys.text
    assert not re.search(r"USD|500|@[a-z]+\.|[0-9a-f]{8}-", own.text)


async def test_the_page_is_kept_and_found_by_nobody(
    nobody: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    shown = await nobody.get(await address(database, organisation, Status.COMPLETED, Payment.PAID))

    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-robots-tag"] == "noindex"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        shown.headers["content-security-policy"],
    )
    assert "refresh" not in shown.headers


async def test_whatever_is_wrong_with_an_address_there_is_no_such_page(
    nobody: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    page = urlsplit(await address(database, organisation, Status.COMPLETED, Payment.PAID))
    another = urlsplit(await address(database, organisation, Status.COMPLETED, Payment.PAID))
    never = urlsplit(outcome_address("http://api", PEPPER, organisation, uuid4()))
    foreign = urlsplit(outcome_address("http://api", PEPPER, uuid4(), UUID(page.path.rpartition("/")[2])))
    wrong = [
        (page.path, ""),
        (page.path, another.query),
        (page.path, page.query[:-1]),
        (page.path, "signature=%ED%A0%80"),
        (page.path.upper(), page.query),
        (f"/outcome/{organisation}/x", page.query),
        (never.path, never.query),
        (foreign.path, foreign.query),
    ]

    answers = [await nobody.get(path, params=httpx.QueryParams(query)) for path, query in wrong]

    assert (await nobody.get(page.geturl())).status_code == 200
    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "instance": ""}) for answer in answers}) == 1


class _Away:
    """A database that does not answer."""

    def of(self, _: UUID) -> None:
        raise PoolTimeout("secret-marker")


async def test_while_the_database_is_away_the_page_says_so_and_looks_again() -> None:
    away: Any = _Away()
    app = create_app(database=away, gateways={}, pepper=PEPPER, wait=1)
    async with client_of(app, None) as browser:
        shown = await browser.get(outcome_address("http://api", PEPPER, uuid4(), uuid4()))

    assert shown.status_code == 503
    assert "There is nothing to do. This page looks again by itself." in shown.text
    assert shown.headers["refresh"] == str(LOOKS_AGAIN["under_way"])


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.mark.parametrize(("status", "payment"), sorted({each: pair for pair, each in OUTCOMES.items()}.values()))
async def test_everyone_can_read_it_on_every_screen(
    browser: Browser, app: FastAPI, database: Database, organisation: UUID, status: Status, payment: Payment
) -> None:
    page = await address(database, organisation, status, payment)
    for screen, scheme in ((DESK, "light"), (NARROW, "dark")):
        tab = await browser.new_page(viewport=screen, color_scheme="dark" if scheme == "dark" else "light")
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))  # noqa: B023 - heard in its own turn
        await tab.route("**/*", _answered_by(app))
        await tab.goto(page)
        await tab.route("**/*", lambda route: route.abort("aborted"))

        assert await violations(tab) == ""
        assert await outside(tab) == []
        assert await tab.evaluate("document.querySelector('main').offsetWidth") < 450
        assert not any("Security Policy" in each for each in complaints)
        await tab.close()


def _answered_by(app: FastAPI) -> Any:
    """Let the application in the test's own process answer a tab."""

    async def answer(route: Route) -> None:
        async with client_of(app, None) as client:
            answer = await client.get(route.request.url, headers={"Accept-Language": "en"})
        await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.text)

    return answer


async def test_a_customer_without_a_shop_to_return_to_sees_the_payment_become_complete(
    browser: Browser, shop: Shop, request: pytest.FixtureRequest
) -> None:
    """All the way: pays at the gateway's page, and without a script is told first that it is under way."""
    session = (await shop.session({**onboarding(await shop.customer()), "success_url": None, "cancel_url": None}))["id"]
    pepper = json.loads((shop.stack.home / "secrets.json").read_text())["pepper"]
    page = outcome_address(shop.stack.api, pepper, UUID(shop.stack.organisation), UUID(session))
    pay = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]

    tab = await browser.new_page(viewport=DESK, java_script_enabled=False)
    await tab.goto(page)
    await expect(tab.get_by_role("status")).to_contain_text("Payment under way")
    await tab.goto(pay)
    await tab.click("button[value=pay]")

    await tab.wait_for_url(f"{page}&checkout_session_id={session}")
    await expect(tab.get_by_role("status")).to_contain_text("Payment complete", timeout=20_000)
    if request.config.getoption("--pictures"):
        await tab.set_viewport_size({"width": 1280, "height": 560})
        await tab.screenshot(path=PICTURES / "outcome.png")
    await tab.close()
    assert (PICTURES / "outcome.png").stat().st_size < 150_000


async def test_a_customer_without_a_shop_to_return_to_leaves_and_is_told_that_nothing_was_charged(
    browser: Browser, shop: Shop
) -> None:
    session = (await shop.session({**onboarding(await shop.customer()), "success_url": None, "cancel_url": None}))["id"]
    pay = (await shop.confirmed(session, "charge_immediately")).json()["redirect_url"]

    tab = await browser.new_page(java_script_enabled=False)
    await tab.goto(pay)
    await tab.click("button[value=leave]")

    await expect(tab.get_by_role("heading")).to_have_text(re.compile("Nothing was charged|Not paid"), timeout=20_000)
    await tab.close()
