"""One transaction of the sandbox: an effect, its line in the ledger, and its event, together or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sandbox import arming, store
from sandbox.records import Effect, Entry, Event, Key, Payment, stamp

DELAY: Final = timedelta(seconds=10)
OVERTAKEN: Final = timedelta(seconds=2)
"""How long a reordered event stands back, so that later ones overtake it."""

SET_ASIDE: Final[dict[str, Callable[[Event, datetime], Event]]] = {
    "drop": lambda event, _: event.model_copy(update={"status": "dropped"}),
    "delay": lambda event, now: event.model_copy(update={"due_at": stamp(now + DELAY)}),
    "reorder": lambda event, now: event.model_copy(update={"due_at": stamp(now + OVERTAKEN)}),
}
"""What a webhook's fault does before the event is sent; the other faults act while it is."""

REFERENCE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/)")
"""What a merchant's key begins with where it is made of the reference: so that calls without an effect are found by it."""


@dataclass
class Turn:
    """A transaction in progress for *call*. *answered* says whether the caller will hear of it; *early* becomes true
    when an event must arrive before the caller's answer. Pages stand under the address *base*, and slow payments
    take *settling*.
    """

    connection: store.Connection
    now: datetime
    call: str
    base: str
    settling: timedelta
    answered: bool = True
    early: bool = False

    def enter(self, of: Payment | Key, effect: Effect, amount: int | None = None) -> None:
        """Write a line into the ledger: *amount* in minor units, the payment's own unless another one moved."""
        paid = of if isinstance(of, Payment) else None
        self._write(of.account, of.key, of.reference, effect, paid, amount)

    def enter_nothing(self, account: str, key: str | None) -> None:
        """Write that the call had no effect, about whatever is known of *key*."""
        payment = store.payment_of(self.connection, account, key) if key else None
        held = store.key_of(self.connection, account, key) if key and payment is None else None
        reference = next((known.reference for known in (payment, held) if known), None) or _reference_in(key)
        self._write(account, key, reference, "none", payment, None)

    def _write(  # noqa: PLR0913, PLR0917 - the members of a line
        self,
        account: str,
        key: str | None,
        reference: str | None,
        effect: Effect,
        paid: Payment | None,
        amount: int | None,
    ) -> None:
        entry = Entry(
            at=stamp(self.now),
            call=self.call,
            key=key,
            reference=reference,
            account=account,
            amount_minor=amount if amount is not None or paid is None else paid.amount_minor,
            currency=paid.currency if paid else None,
            effect=effect,
            answered=self.answered,
        )
        store.add_entry(self.connection, entry)

    def announce(self, kind: str, payment: Payment) -> None:
        """Put an event of type *kind* about *payment* into the outbox."""
        facts = {"key": payment.key, "reference": payment.reference, "account": payment.account}
        fault = arming.drawn(self.connection, "webhook", {**facts, "type": kind})
        content = {"id": f"evt_{uuid4().hex}", "type": kind, "timestamp": stamp(self.now), **facts}
        event = Event(
            id=content["id"], body=json.dumps(content), created_at=stamp(self.now), due_at=stamp(self.now), fault=fault
        )
        if fault in SET_ASIDE:
            event = SET_ASIDE[fault](event, self.now)
        self.early = self.early or fault == "before_reply"
        store.add_event(self.connection, event)


def _reference_in(key: str | None) -> str | None:
    """The reference that *key* was made of."""
    found = REFERENCE.match(key or "")
    return found[0] if found else None
