"""The hosted payment page: one HTML form, without scripts, that a customer can trust (api.md, The sandbox's hosted page)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checkout.money import Money
from sandbox import paying, store
from sandbox.api import AtDesk
from sandbox.instruments import AT_PAGE, PREFERRED, REFUSALS
from sandbox.records import Payment, stamp
from sandbox.requests import OpenPage
from sandbox.turn import Turn

HERE: Final = Path(__file__).parent
HEADERS: Final = {
    # No form-action: browsers apply it to the redirect that follows the form, which leads to the merchant.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Standing:
    """What the page says when it can't be paid any more; *back* names the merchant's URL it leads to."""

    heading: str
    text: str
    tone: str
    back: str


STANDINGS: Final[dict[str, Standing]] = {
    "captured": Standing("Payment complete", "Thank you. Your payment has arrived.", "good", "success_url"),
    "under_way": Standing(
        "Payment under way",
        "Your bank has it. It will settle in a moment; there is nothing to do.",
        "calm",
        "pending_url",
    ),
    "closed": Standing(
        "This page is closed", "Nothing was charged here, and nothing more can be paid.", "calm", "cancel_url"
    ),
    "expired": Standing(
        "This page has expired", "Nothing was charged. Go back to the shop to start again.", "calm", "cancel_url"
    ),
    "failed": Standing(
        "The transfer did not arrive", "Your bank sent it back. Nothing was charged.", "bad", "cancel_url"
    ),
    "left": Standing("You left this page", "Nothing was charged. You can go back and pay.", "calm", "cancel_url"),
}
OUTCOMES: Final = {"captured": "success_url", "under_way": "pending_url"}
"""Where a customer goes who has just paid."""


@router.get("/pay/{token}")
async def show(token: str, desk: AtDesk) -> Response:
    """The page in any state."""
    payment = await desk.books.read(lambda connection: store.payment_at(connection, token))
    return _rendered(payment) if payment else _unknown()


@router.post("/pay/{token}")
async def submit(
    token: str,
    desk: AtDesk,
    action: Annotated[str, Form(max_length=100)] = "",
    instrument: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Pay or leave; a page that is no longer open changes nothing and says so."""
    before = await desk.books.read(lambda connection: store.payment_at(connection, token))
    if before is None:
        return _unknown()
    if action not in {"pay", "leave"} or (action == "pay" and instrument not in AT_PAGE):
        return _rendered(before, error="Please choose how you want to pay.", status=422)
    acted, payment = await desk.turn("page", lambda turn: _act(turn, token, action, instrument))
    if not acted:
        late = "This page is no longer open. Nothing was changed or charged just now."
        return _rendered(payment, error=late, status=409)
    return _onward(payment, action, instrument)


def _act(turn: Turn, token: str, action: str, instrument: str) -> tuple[bool, Payment]:
    """Do it in one transaction; whether the page was still open, and the payment as it is now."""
    found = store.payment_at(turn.connection, token)
    if found is None:
        raise LookupError(token)
    before = paying.brought_up_to_date(turn, found)
    if before.status not in paying.PAYABLE:
        return False, before
    return True, paying.leave(turn, before) if action == "leave" else paying.pay(turn, before, instrument)


def _onward(payment: Payment, action: str, instrument: str) -> Response:
    """To the merchant, where there is an address for this outcome; else the page with the outcome."""
    if action == "pay" and payment.status == "open":
        return _rendered(payment, error=REFUSALS[payment.code or "card_declined"], chosen=instrument)
    name = "cancel_url" if action == "leave" else OUTCOMES[payment.status]
    target = _address(payment, name)
    if target is None:
        return _rendered(payment, outcome=payment.status)
    return RedirectResponse(target, 303, HEADERS)


def _address(payment: Payment, name: str) -> str | None:
    """The merchant's URL *name* with the session's id added; a pending payment may go to the success page."""
    page = OpenPage.model_validate_json(payment.page or "")
    urls = {"success_url": page.success_url, "cancel_url": page.cancel_url}
    url = urls.get(name, page.pending_url or page.success_url)
    if url is None:
        return None
    parts = urlsplit(url)
    added = urlencode({"checkout_session_id": payment.reference})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _rendered(
    payment: Payment,
    *,
    error: str | None = None,
    chosen: str | None = None,
    outcome: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    page = OpenPage.model_validate_json(payment.page or "")
    standing = STANDINGS[outcome] if outcome else STANDINGS.get(_state(payment))
    content = pages.get_template("pay.html").render(
        page=page,
        total=_shown(page.amount_minor, page.currency),
        lines=[(line.name, line.quantity, _shown(line.amount_minor, page.currency)) for line in page.lines],
        instruments=AT_PAGE,
        chosen=chosen or PREFERRED[page.preferred],
        standing=standing,
        back=_address(payment, standing.back) if standing else None,
        again=outcome == "left",
        error=error,
    )
    return HTMLResponse(content, status, HEADERS)


def _state(payment: Payment) -> str:
    """The state a page shows: `open` is payable, the others are names of STANDINGS."""
    expired = payment.expires_at is not None and payment.expires_at <= stamp(datetime.now(UTC))
    if expired and (payment.status in paying.PAYABLE or payment.status == "closed"):
        return "failed" if payment.code == "bank_transfer_failed" else "expired"
    if payment.status == "closed" and payment.code == "bank_transfer_failed":
        return "failed"
    return "open" if payment.status in paying.PAYABLE else payment.status


def _shown(minor: int, currency: str) -> str:
    """An amount for people: 1,234.50 USD."""
    whole, point, rest = Money(minor=minor, currency=currency).amount.partition(".")
    return f"{int(whole):,}{point}{rest} {currency}" if minor >= 0 else f"-{_shown(-minor, currency)}"


def _unknown() -> HTMLResponse:
    return HTMLResponse(pages.get_template("unknown.html").render(), 404, HEADERS)
