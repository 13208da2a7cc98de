"""What one can pay with: what each instrument is, and what happens when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Does = Literal["captures", "declines", "needs_customer", "settles", "fails_later"]

TOKEN: Final = "pm_sandbox_"  # noqa: S105 - the prefix of public test tokens
"""A front-end token is this and the name of a method (api.md, By example)."""


@dataclass(frozen=True)
class Instrument:
    """*type* is card, bank_transfer, wallet or invoice; *code* and *soft* say how it declines; *years* is how far
    from now it expires, None for what does not expire.
    """

    type: str
    label: str
    hint: str
    does: Does = "captures"
    code: str = ""
    soft: bool = True
    brand: str | None = None
    last4: str | None = None
    years: int | None = None


def _card(  # noqa: PLR0913 - a card has six facts
    brand: str, last4: str, hint: str, does: Does = "captures", code: str = "", *, soft: bool = True
) -> Instrument:
    label = f"{brand.capitalize()} {last4}"
    return Instrument("card", label, hint, does, code, soft, brand, last4, 4)


AT_PAGE: Final[dict[str, Instrument]] = {
    "card_ok": _card("visa", "4242", "Pays at once"),
    "card_declined": _card("visa", "0002", "Is declined", "declines", "card_declined"),
    "card_insufficient_funds": _card("mastercard", "9995", "Has too little on it", "declines", "insufficient_funds"),
    "card_needs_customer": _card("visa", "3155", "Fails to authenticate", "declines", "authentication_required"),
    "bank_ok": Instrument("bank_transfer", "Bank transfer", "Arrives a bit later", "settles"),
    "bank_fails": Instrument("bank_transfer", "Failing bank transfer", "Comes back later", "fails_later"),
    "wallet_ok": Instrument("wallet", "Wallet", "Pays at once"),
    "invoice_ok": Instrument("invoice", "Invoice", "Pays at once"),
}

SAVED: Final[dict[str, Instrument]] = {
    "card_ok": AT_PAGE["card_ok"],
    "card_declined": AT_PAGE["card_declined"],
    "card_insufficient_funds": AT_PAGE["card_insufficient_funds"],
    "card_expired": Instrument(
        "card",
        "Visa 0069",
        "Has expired",
        "declines",
        "expired_card",
        soft=False,
        brand="visa",
        last4="0069",
        years=-1,
    ),
    "card_stolen": Instrument(
        "card",
        "Visa 9979",
        "Was reported stolen",
        "declines",
        "stolen_card",
        soft=False,
        brand="visa",
        last4="9979",
        years=4,
    ),
    "card_needs_customer": _card("visa", "3155", "Asks for the customer", "needs_customer"),
    "bank_ok": Instrument("bank_transfer", "Bank account 6789", "Pays at once", last4="6789"),
    "bank_later": Instrument("bank_transfer", "Bank account 3211", "Arrives a bit later", "settles", last4="3211"),
    "bank_fails": Instrument("bank_transfer", "Bank account 1116", "Comes back later", "fails_later", last4="1116"),
    "wallet_ok": Instrument("wallet", "Wallet", "Pays at once"),
    "invoice_ok": Instrument("invoice", "Invoice", "Pays at once"),
}

REFUSALS: Final[dict[str, str]] = {
    "card_declined": "The card was declined. Nothing was charged. Try another way to pay.",
    "insufficient_funds": "There is not enough money on this card. Nothing was charged. Try another way to pay.",
    "authentication_required": "Your bank asks you to authenticate, and that did not succeed. Nothing was charged.",
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
