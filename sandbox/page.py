"""The hosted payment page: one HTML form, without scripts, that a customer can trust (api.md, The sandbox's hosted page)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from sandbox import page_view, paying, store
from sandbox.api import AtDesk
from sandbox.instruments import AT_PAGE
from sandbox.page_view import Reader, Reading
from sandbox.phrases import PHRASES
from sandbox.records import Payment
from sandbox.turn import Turn
from sandbox.way_back import PAID, address

HERE: Final = Path(__file__).parent

Became = Literal["acted", "unclear", "late"]
"""What became of a form: it was done, or one of WRONG."""

WRONG: Final = {"unclear": ("choose", 422), "late": ("late", 409)}
"""No choice of the page; the page was no longer open."""

router = APIRouter(include_in_schema=False)


class Posted(BaseModel):
    """A form as it came: what was chosen and pressed."""

    action: str = Field("", max_length=100)
    instrument: str = Field("", max_length=100)

    @property
    def can_be(self) -> bool:
        """Whether the page has such a button, and such a choice."""
        return self.action == "leave" or (self.action == "pay" and self.instrument in AT_PAGE)


@router.get("/pay/{token}")
async def show(token: str, desk: AtDesk, reader: Reading) -> Response:
    """The page in any state."""
    payment = await desk.books.read(lambda connection: store.payment_at(connection, token))
    return page_view.shown(payment, reader) if payment else page_view.unknown(reader)


@router.post("/pay/{token}")
async def submit(token: str, desk: AtDesk, reader: Reading, posted: Annotated[Posted, Form()]) -> Response:
    """Pay or leave; a page that is no longer open changes nothing and says so."""
    if await desk.books.read(lambda connection: store.payment_at(connection, token)) is None:
        return page_view.unknown(reader)
    became, payment = await desk.turn("page", lambda turn: _act(turn, token, posted))
    if became == "acted":
        return _onward(payment, posted, reader)
    error, status = WRONG[became]
    return page_view.shown(payment, reader, error=error, chosen=posted.instrument, status=status)


def _act(turn: Turn, token: str, posted: Posted) -> tuple[Became, Payment]:
    """Do it in one transaction; what became of it, and the payment as it is now."""
    found = store.payment_at(turn.connection, token)
    if found is None:
        raise LookupError(token)
    payment = paying.brought_up_to_date(turn, found)
    if payment.status not in paying.PAYABLE:
        return "late", payment
    if not posted.can_be:
        return "unclear", payment
    return "acted", paying.leave(turn, payment) if posted.action == "leave" else paying.pay(
        turn, payment, posted.instrument
    )


def _onward(payment: Payment, posted: Posted, reader: Reader) -> Response:
    """To the merchant, where there is an address for this outcome; else the page with the outcome."""
    if posted.action != "leave" and payment.status == "open":
        refusal = payment.code if payment.code in PHRASES else "card_declined"
        return page_view.shown(payment, reader, error=refusal, chosen=posted.instrument)
    target = address(payment, "cancel_url" if posted.action == "leave" else PAID[payment.status])
    if target is None:
        return page_view.shown(payment, reader, outcome=payment.status)
    return RedirectResponse(target, 303, page_view.HEADERS)
