"""The hosted page as a customer meets it, in a browser: with a mouse, with the keyboard alone, and without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.sandbox.conftest import Shop
from tests.sandbox.provider import Provider, until

PAY = "Pay $1,299.00"


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A customer's tab; that customer's browser runs no scripts, as the page must not need any."""
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def focused(tab: Page) -> str:
    """The name of the field that has the focus, and its value."""
    return str(await tab.locator(":focus").evaluate("field => `${field.name}=${field.value}`"))


async def test_a_customer_pays_and_comes_back_to_the_shop(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_role("button", name=PAY).click()

    await tab.wait_for_url(f"**/ok?checkout_session_id={shop.reference}")
    assert await tab.title() == "the shop"
    assert shop.truth()["outcome"] == "captured"


async def test_a_customer_pays_with_the_keyboard_alone(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.keyboard.press("Tab")
    assert await focused(tab) == "instrument=card_ok"
    await tab.keyboard.press("ArrowUp")
    assert await focused(tab) == "instrument=invoice_ok"
    await tab.keyboard.press("Tab")
    assert await focused(tab) == "action=pay"
    await tab.keyboard.press("Tab")
    assert await focused(tab) == "action=leave"
    await tab.keyboard.press("Shift+Tab")
    await tab.keyboard.press("Enter")

    await tab.wait_for_url("**/ok?*")
    assert shop.truth()["outcome"] == "captured"


async def test_a_declined_customer_reads_why_beside_the_field_and_pays_otherwise(
    tab: Page, address: str, shop: Shop
) -> None:
    await tab.goto(address)
    await tab.get_by_label("Mastercard 9995").check()
    await tab.get_by_role("button", name=PAY).click()

    field = tab.get_by_role("radiogroup")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_accessible_description(
        "There is not enough money on this card. Nothing was charged. Try another way to pay."
    )
    assert await focused(tab) == "instrument=card_insufficient_funds"
    assert (await tab.title()).startswith("Error: ")
    await tab.get_by_label("Wallet").check()
    await tab.get_by_role("button", name=PAY).click()
    await tab.wait_for_url("**/ok?*")
    assert shop.truth()["outcome"] == "captured"


async def test_a_customer_authenticates_and_has_paid(tab: Page, address: str, shop: Shop, provider: Provider) -> None:
    await tab.goto(address)
    await tab.get_by_label("Visa 3155").check()
    await tab.get_by_role("button", name=PAY).click()
    await expect(tab.get_by_role("heading")).to_have_text("Confirm this payment")
    assert provider.effects(key=shop.key) == ["page_opened"]
    await tab.get_by_role("button", name="Confirm payment").click()

    await tab.wait_for_url("**/ok?*")
    assert shop.truth()["outcome"] == "captured"


async def test_a_customer_refuses_to_authenticate_and_pays_otherwise(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_label("Visa 3155").check()
    await tab.get_by_role("button", name=PAY).click()
    await tab.get_by_role("button", name="Refuse").click()

    await expect(tab.get_by_role("alert")).to_contain_text("not confirmed with your bank")
    assert shop.truth()["declined"] == 1
    await tab.get_by_label("Visa 4242").check()
    await tab.get_by_role("button", name=PAY).click()
    await tab.wait_for_url("**/ok?*")


async def test_a_customer_leaves_and_comes_back_with_the_back_button(tab: Page, address: str, shop: Shop) -> None:
    await tab.goto(address)
    await tab.get_by_role("button", name="Leave without paying").click()

    await tab.wait_for_url("**/no?*")
    assert shop.truth()["outcome"] == "left"
    await tab.go_back()
    await tab.get_by_role("button", name=PAY).click()
    await tab.wait_for_url("**/ok?*")


async def test_a_double_click_pays_once_and_leads_to_the_shop(
    tab: Page, address: str, shop: Shop, provider: Provider
) -> None:
    await tab.goto(address)
    await tab.get_by_role("button", name=PAY).dblclick()

    await tab.wait_for_url("**/ok?*")
    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


async def test_a_second_tab_pays_nothing_more_and_leads_to_the_shop(
    tab: Page, address: str, shop: Shop, provider: Provider
) -> None:
    other = await tab.context.new_page()
    for each in (tab, other):
        await each.goto(address)
    for each in (tab, other):
        await each.get_by_role("button", name=PAY).click()
        await each.wait_for_url("**/ok?*")

    assert provider.effects(key=shop.key) == ["page_opened", "captured"]


async def test_going_back_after_paying_shows_that_it_is_paid_and_leads_to_the_shop(tab: Page, address: str) -> None:
    await tab.goto(address)
    await tab.get_by_role("button", name=PAY).click()
    await tab.wait_for_url("**/ok?*")
    await tab.go_back()

    await expect(tab.get_by_role("status")).to_contain_text("Payment complete")
    await tab.get_by_role("link", name="Return to Northwind Software Ltd").click()
    await tab.wait_for_url("**/ok?*")


async def test_a_transfer_is_waited_for_without_a_script(tab: Page, provider: Provider) -> None:
    shop = Shop(provider)
    await tab.goto(shop.page(success_url=None))
    await tab.get_by_label("Bank transfer", exact=False).first.check()
    await tab.get_by_role("button", name=PAY).click()

    await expect(tab.get_by_role("status")).to_contain_text("Payment under way")
    await expect(tab.get_by_role("status")).to_contain_text("Payment complete", timeout=15_000)
    until(lambda: shop.truth()["outcome"] == "captured")


@pytest.mark.parametrize("hops", [0, 1, 2])
async def test_the_policy_lets_the_form_lead_to_a_shop_that_leads_on(
    tab: Page, shop: Shop, origin: str, hops: int
) -> None:
    elsewhere = origin.replace("127.0.0.1", "localhost")
    url = f"{elsewhere}/ok"
    for _ in range(hops):
        url = f"{origin}/hop?to={url}"
    await tab.goto(shop.page(success_url=url))
    await tab.get_by_role("button", name=PAY).click()

    await tab.wait_for_url(f"{elsewhere}/ok*")


async def test_the_page_is_there_when_nothing_but_html_arrives(tab: Page, address: str, shop: Shop) -> None:
    await tab.route("**/static/**", lambda route: route.abort())
    await tab.goto(address)
    await tab.get_by_role("button", name=PAY).click()

    await tab.wait_for_url("**/ok?*")
    assert shop.truth()["outcome"] == "captured"
