"""The hosted payment page: one HTML form, without scripts, that a customer can trust (api.md, The sandbox's hosted page)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from sandbox import page_view, paying, store
from sandbox.api import AtDesk
from sandbox.instruments import AT_PAGE
from sandbox.page_view import Reader, Reading
from sandbox.phrases import PHRASES
from sandbox.records import Payment
from sandbox.seals import Seals
from sandbox.turn import Turn
from sandbox.way_back import PAID, address

HERE: Final = Path(__file__).parent

Became = Literal["acted", "asked", "unclear", "over", "late"]
"""What became of a form: it was done, or the bank asks first, or one of WRONG."""

WRONG: Final = {"unclear": ("choose", 422), "over": ("confirmation_over", 409), "late": ("late", 409)}
"""No choice of the page; an answer to what the bank does not ask any more; the page was no longer open."""

router = APIRouter(include_in_schema=False)


class Posted(BaseModel):
    """A form as it came: what was chosen and pressed, and the hidden fields that the page had written into it."""

    action: str = Field("", max_length=100)
    instrument: str = Field("", max_length=100)
    form: str = Field("", max_length=100)
    challenge: str = Field("", max_length=100)

    @property
    def can_be(self) -> bool:
        """Whether the page has such a button, and such a choice."""
        instrument = AT_PAGE.get(self.instrument)
        choices = {"leave": True, "pay": instrument is not None, "refuse": instrument is not None and instrument.asks}
        return choices.get(self.action, False)


def seals_of(request: Request) -> Seals:
    return Seals(request.app.state.secret)


Sealing = Annotated[Seals, Depends(seals_of)]


@router.get("/pay/{token}")
async def show(token: str, desk: AtDesk, reader: Reading, seals: Sealing) -> Response:
    """The page in any state."""
    payment = await desk.books.read(lambda connection: store.payment_at(connection, token))
    return page_view.shown(payment, reader, seals) if payment else page_view.unknown(reader)


@router.post("/pay/{token}")
async def submit(
    token: str, desk: AtDesk, reader: Reading, seals: Sealing, posted: Annotated[Posted, Form()]
) -> Response:
    """Pay, answer the bank, or leave; a page that is no longer open changes nothing and says so."""
    if await desk.books.read(lambda connection: store.payment_at(connection, token)) is None:
        return page_view.unknown(reader)
    became, payment = await desk.turn("page", lambda turn: _act(turn, token, posted, seals))
    if became == "acted" or (became == "late" and _again(payment, posted, seals)):
        return _onward(payment, posted, reader, seals)
    if became == "asked":
        return page_view.asked(payment, reader, seals, posted.instrument)
    error, status = WRONG[became]
    return page_view.shown(payment, reader, seals, error=error, chosen=posted.instrument, status=status)


def _act(turn: Turn, token: str, posted: Posted, seals: Seals) -> tuple[Became, Payment]:
    """Do it in one transaction; what became of it, and the payment as it is now."""
    found = store.payment_at(turn.connection, token)
    if found is None:
        raise LookupError(token)
    payment = paying.brought_up_to_date(turn, found)
    hindered = _hindered(payment, posted, seals)
    if hindered is not None:
        return hindered, payment
    if posted.action == "leave":
        return "acted", payment if payment.status == "left" else paying.leave(turn, payment)
    if posted.action == "refuse":
        refused = AT_PAGE[posted.instrument].code
        return "acted", paying.decline(turn.asked(instrument=posted.instrument), payment, refused)
    return "acted", paying.pay(turn, payment, posted.instrument)


def _hindered(payment: Payment, posted: Posted, seals: Seals) -> Became | None:
    """What becomes of it instead of what was asked for; None where that can be done."""
    if payment.status not in paying.PAYABLE:
        return "late"
    if not posted.can_be:
        return "unclear"
    if posted.action == "leave" or not AT_PAGE[posted.instrument].asks:
        return None
    if not posted.challenge:
        return "asked"
    return None if seals.is_challenge(payment, posted.challenge) else "over"


def _onward(payment: Payment, posted: Posted, reader: Reader, seals: Seals) -> Response:
    """To the merchant, where there is an address for this outcome; else the page with the outcome."""
    if posted.action != "leave" and payment.status == "open":
        refusal = payment.code if payment.code in PHRASES else "card_declined"
        return page_view.shown(payment, reader, seals, error=refusal, chosen=posted.instrument)
    target = address(payment, "cancel_url" if posted.action == "leave" else PAID[payment.status])
    if target is None:
        return page_view.shown(payment, reader, seals, outcome=payment.status)
    return RedirectResponse(target, 303, page_view.HEADERS)


def _again(payment: Payment, posted: Posted, seals: Seals) -> bool:
    """Whether somebody who had the page open presses "Pay" once more (twice, in another tab, after going back) when it
    is paid: they go where the first time led. Everybody else is told that they are late.
    """
    had_it_open = seals.is_form(payment, posted.form) or seals.is_challenge(payment, posted.challenge)
    return posted.action == "pay" and payment.status in PAID and had_it_open
