"""How the hosted page looks: what its templates are told, in the customer's language, and the headers it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from babel import Locale
from fastapi import Depends, Header
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checkout.languages import Language, accepted, language_among
from checkout.plain_text import plain
from sandbox import amounts, paying
from sandbox.instruments import AT_PAGE, PREFERRED
from sandbox.phrases import phrase
from sandbox.records import Payment, stamp
from sandbox.requests import Line, OpenPage
from sandbox.seals import Seals
from sandbox.way_back import address, form_action, page_of

TEMPLATES: Final = Path(__file__).parent / "templates"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; {form_action}"
)

MOST_UNFOLDED: Final = 6
"""How many lines are shown at once; more are folded, so that they do not stand between a customer and the total."""

LOOKS_AGAIN: Final = "2"
"""After how many seconds a page whose payment is under way is loaded again."""


@dataclass(frozen=True)
class Reader:
    """Who looks at the page: the *language* of its words, and the *locale* that amounts are written in."""

    language: Language
    locale: Locale


@dataclass(frozen=True)
class Standing:
    """What the page shows when it can't be paid any more; *back* names the merchant's URL it leads to."""

    name: str
    tone: str
    back: str


STANDINGS: Final = {
    each.name: each
    for each in (
        Standing("captured", "good", "success_url"),
        Standing("under_way", "calm", "pending_url"),
        Standing("closed", "calm", "cancel_url"),
        Standing("expired", "calm", "cancel_url"),
        Standing("failed", "bad", "cancel_url"),
        Standing("left", "calm", "cancel_url"),
    )
}


def reader_of(accept_language: Annotated[str, Header()] = "") -> Reader:
    tags = accepted(accept_language)
    return Reader(language_among(tags), amounts.locale_among(tags))


Reading = Annotated[Reader, Depends(reader_of)]


pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
pages.filters["plain"] = plain


@dataclass(frozen=True)
class Bill:
    """What is paid for, written for a *reader*."""

    page: OpenPage
    reader: Reader

    @property
    def total(self) -> str:
        return self._amount(self.page.amount_minor)

    @property
    def items(self) -> Sequence[tuple[str, str, str]]:
        """Name, quantity, and amount of what is bought."""
        return [
            (line.name, amounts.quantity(line.quantity, self.reader.locale), self._amount(line.amount_minor))
            for line in self._lines("item")
        ]

    @property
    def sums(self) -> Sequence[tuple[str, str]]:
        """What stands between the items and the total: phrases and amounts. Where nothing does, nor does a subtotal."""
        extra = [(line.kind, line.amount_minor) for kind in ("discount", "tax") for line in self._lines(kind)]
        subtotal = ("subtotal", sum(line.amount_minor for line in self._lines("item")))
        return [(name, self._amount(minor)) for name, minor in ([subtotal, *extra] if extra else [])]

    @property
    def included(self) -> Sequence[str]:
        """Taxes that the total holds already."""
        return [self._amount(line.amount_minor) for line in self._lines("included_tax")]

    def _lines(self, kind: str) -> Iterator[Line]:
        return (line for line in self.page.lines if line.kind == kind)

    def _amount(self, minor: int) -> str:
        return amounts.amount(minor, self.page.currency, self.reader.locale)


def shown(  # noqa: PLR0913 - what a page may say
    payment: Payment,
    reader: Reader,
    seals: Seals,
    *,
    error: str | None = None,
    chosen: str | None = None,
    outcome: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page as the payment is now; or with its *outcome* for who just acted. *error* is a phrase, *chosen* the
    instrument that it is about.
    """
    page = page_of(payment)
    standing = STANDINGS.get(outcome or _state(payment))
    content = {
        "bill": Bill(page, reader),
        "folded": len(page.lines) > MOST_UNFOLDED,
        "form": seals.form(payment),
        "instruments": AT_PAGE,
        "chosen": chosen if chosen in AT_PAGE else PREFERRED[page.preferred],
        "standing": standing,
        "back": address(payment, standing.back) if standing else None,
        "error": error,
    }
    answer = _rendered("pay.html", reader, page, status, content)
    if standing and standing.name == "under_way":
        answer.headers["Refresh"] = LOOKS_AGAIN
    return answer


def asked(payment: Payment, reader: Reader, seals: Seals, instrument: str) -> HTMLResponse:
    """The page of the bank, which asks whether it is its customer who pays with that *instrument*."""
    page = page_of(payment)
    content = {
        "bill": Bill(page, reader),
        "challenge": seals.challenge(payment),
        "name": instrument,
        "instrument": AT_PAGE[instrument],
    }
    return _rendered("challenge.html", reader, page, 200, content)


def unknown(reader: Reader) -> HTMLResponse:
    return _rendered("unknown.html", reader, None, 404, {})


def _rendered(
    template: str, reader: Reader, page: OpenPage | None, status: int, content: dict[str, Any]
) -> HTMLResponse:
    def say(name: str, **values: str) -> Markup:
        return Markup(phrase(name, reader.language)).format(**values)  # noqa: S704 - the phrases are ours, values are escaped

    html = pages.get_template(template).render(page=page, language=reader.language, say=say, **content)
    leads = form_action(page) if page else "form-action 'none'"
    told = {"Content-Language": reader.language, "Vary": "Accept-Language"}
    policy = {"Content-Security-Policy": POLICY.format(form_action=leads)}
    return HTMLResponse(html, status, {**HEADERS, **told, **policy})


def _state(payment: Payment) -> str:
    """The state a page shows: `open` is payable, the others are names of STANDINGS."""
    payable = payment.status in paying.PAYABLE
    if payment.code == "bank_transfer_failed" and payment.status == "closed":
        return "failed"
    expired = payment.expires_at is not None and payment.expires_at <= stamp(datetime.now(UTC))
    if expired and (payable or payment.status == "closed"):
        return "expired"
    return "open" if payable else payment.status
