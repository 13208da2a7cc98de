"""The page that tells a customer what became of the payment, where the merchant gave no address to return to."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from fastapi import Header, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.outcome_words import HEADINGS, SENTENCES, Outcome
from api.parts import Data
from api.problems import Problem
from api.routes import router as routes
from checkout.languages import LANGUAGES, Language, accepted, language_among
from checkout.lifecycle import Payment, Status
from checkout.outcome_pages import is_signed
from checkout.plain_text import plain
from checkout.session import SessionState
from store import outcome_pages
from store.database import UNAVAILABLE

router: Final = routes("/outcome", "Outcomes")

HERE: Final = Path(__file__).parent / "templates"
STYLE: Final = (HERE / "outcome.css").read_text()
PAGE: Final = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined).get_template(
    "outcome.html"
)
DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{DIGEST}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}

OUTCOMES: Final[Mapping[tuple[Status, Payment], Outcome]] = {
    **dict.fromkeys(product(Status, Payment), "not_paid"),
    **dict.fromkeys(product(Status, [Payment.NOT_STARTED, Payment.NO_PAYMENT_REQUIRED]), "nothing_charged"),
    **dict.fromkeys(product([Status.PROCESSING], Payment), "under_way"),
    (Status.PROCESSING, Payment.PAID): "received",
    (Status.COMPLETED, Payment.PAID): "paid",
    (Status.COMPLETED, Payment.PENDING): "scheduled",
    (Status.COMPLETED, Payment.NO_PAYMENT_REQUIRED): "nothing_to_pay",
    (Status.COMPLETED, Payment.FAILED): "overdue",
}
"""What each pair of statuses is to the customer."""

TONES: Final[Mapping[Outcome, str]] = {"paid": "good", "received": "good", "nothing_to_pay": "good", "overdue": "bad"}

LOOKS_AGAIN: Final[Mapping[Outcome, int]] = {"under_way": 5, "received": 2}
"""After how many seconds a page that will say something else soon is loaded again."""


@router.get(
    "/{organisation}/{session}", summary="What became of a payment, for its customer", response_class=HTMLResponse
)
async def read(  # noqa: PLR0913, PLR0917 - two ids, a signature, and who asks
    organisation: str,
    session: str,
    request: Request,
    database: Data,
    signature: Annotated[str, Query()] = "",
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The signature is the authentication: without it, there is no such page. While nobody can tell, it looks again."""
    if not is_signed(request.app.state.pepper, organisation, session, signature):
        raise Problem("not-found")
    language = language_among(accepted(accept_language))
    try:
        async with database.of(UUID(organisation)) as connection:
            found = await outcome_pages.find(connection, UUID(session))
    except UNAVAILABLE:
        return _page("under_way", language, status=503)
    if found is None:
        raise Problem("not-found")
    state, merchant = found
    return _page(outcome_of(state), language, merchant)


def outcome_of(state: SessionState) -> Outcome:
    """What the session is to its customer; a due payment that they just acted on is under way."""
    acted = any(instalment.status in {"charging", "needs_customer"} for instalment in state.schedule)
    return "under_way" if acted else OUTCOMES[state.status, state.payment_status]


def _page(outcome: Outcome, language: Language, merchant: str = "", status: int = 200) -> HTMLResponse:
    spoken = LANGUAGES.index(language)
    content = PAGE.render(
        language=language,
        merchant=plain(merchant) if merchant else "",
        heading=HEADINGS[outcome][spoken],
        sentence=SENTENCES[outcome][spoken],
        tone=TONES.get(outcome, "calm"),
        style=Markup(STYLE),  # noqa: S704 - it is our own
    )
    again = {"Refresh": str(LOOKS_AGAIN[outcome])} if outcome in LOOKS_AGAIN else {}
    return HTMLResponse(content, status, {**HEADERS, **again, "Content-Language": language})
