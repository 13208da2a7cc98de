"""What one can pay with: what each instrument is, and what happens when it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Does = Literal["captures", "declines", "needs_customer", "settles", "fails_later"]

TOKEN: Final = "pm_sandbox_"  # noqa: S105 - the prefix of public test tokens
"""A front-end token is this and the name of a method (api.md, By example)."""


@dataclass(frozen=True)
class Instrument:
    """*type* is card, bank_transfer, wallet or invoice; *code* and *soft* say how it declines; *years* is how far
    from now it expires, None for what does not expire. One that *asks* has its customer authenticate at the page first.
    """

    type: str
    does: Does = "captures"
    code: str = ""
    soft: bool = True
    brand: str | None = None
    last4: str | None = None
    years: int | None = None
    asks: bool = False


def _card(brand: str, last4: str, does: Does = "captures", code: str = "", *, soft: bool = True) -> Instrument:
    return Instrument("card", does, code, soft, brand, last4, 4)


AT_PAGE: Final[dict[str, Instrument]] = {
    "card_ok": _card("visa", "4242"),
    "card_declined": _card("visa", "0002", "declines", "card_declined"),
    "card_insufficient_funds": _card("mastercard", "9995", "declines", "insufficient_funds"),
    "card_needs_customer": replace(_card("visa", "3155", code="authentication_required"), asks=True),
    "bank_ok": Instrument("bank_transfer", "settles"),
    "bank_fails": Instrument("bank_transfer", "fails_later"),
    "wallet_ok": Instrument("wallet"),
    "invoice_ok": Instrument("invoice"),
}

SAVED: Final[dict[str, Instrument]] = {
    "card_ok": AT_PAGE["card_ok"],
    "card_declined": AT_PAGE["card_declined"],
    "card_insufficient_funds": AT_PAGE["card_insufficient_funds"],
    "card_expired": replace(_card("visa", "0069", "declines", "expired_card", soft=False), years=-1),
    "card_stolen": _card("visa", "9979", "declines", "stolen_card", soft=False),
    "card_needs_customer": _card("visa", "3155", "needs_customer"),
    "bank_ok": Instrument("bank_transfer", last4="6789"),
    "bank_later": Instrument("bank_transfer", "settles", last4="3211"),
    "bank_fails": Instrument("bank_transfer", "fails_later", last4="1116"),
    "wallet_ok": Instrument("wallet"),
    "invoice_ok": Instrument("invoice"),
}

PREFERRED: Final[dict[str | None, str]] = {
    None: "card_ok",
    "card": "card_ok",
    "bank_transfer": "bank_ok",
    "wallet": "wallet_ok",
    "invoice": "invoice_ok",
}


def saved(token: str) -> Instrument | None:
    """The instrument behind a *token*, None when there is no such token."""
    return SAVED.get(token.removeprefix(TOKEN)) if token.startswith(TOKEN) else None
