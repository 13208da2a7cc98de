"""Stripe's events in: the signature, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import stripe
from pydantic import ValidationError

from gateways.port import ForgedEvent, GatewayEvent
from gateways.stripe_objects import Event, Facts, uuid_of

TOLERANCE: Final = 300
"""Seconds; an event that was signed longer ago may be a recorded one. Stripe signs each delivery anew."""

CAPTURED: Final = frozenset(
    {"payment_intent.succeeded", "charge.succeeded", "checkout.session.async_payment_succeeded"}
)
"""The types of events that say that money moved; so does a checkout.session.completed, where it is paid."""


def read(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> GatewayEvent:
    """The event, if one of *secrets* signed it: two are in use while one is rolled, and a Connect endpoint has its own.
    An event about what is not ours has neither organisation nor session. Raises ForgedEvent.
    """
    signature = {name.lower(): value for name, value in headers.items()}.get("stripe-signature")
    if not any(_is_signed(body, signature, secret) for secret in secrets):
        raise ForgedEvent
    try:
        event = Event.model_validate_json(body)
    except ValidationError:
        raise ForgedEvent from None
    facts = event.data.object
    organisation, session = uuid_of(facts.named("organisation")), uuid_of(facts.named("session"))
    ours = organisation is not None and session is not None
    return GatewayEvent(
        id=event.id,
        type=event.type,
        account=organisation if ours else None,
        reference=session if ours else None,
        key=facts.named("key") if ours else None,
        captured=ours and _says_captured(event.type, facts),
    )


def _says_captured(kind: str, facts: Facts) -> bool:
    return kind in CAPTURED or (kind == "checkout.session.completed" and facts.payment_status == "paid")


def _is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):  # ValueError: no UTF-8; TypeError: no ASCII
        return False
    return True
