"""One transaction of the sandbox: an effect, its line in the ledger, and its event, together or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import uuid4

from sandbox import arming, store
from sandbox.records import Effect, Entry, Event, Payment, Said, stamp

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


@dataclass(frozen=True)
class Asking:
    """How a call came in: what it *asked*, as the ledger shows it, whether the caller will hear the true answer, and
    which *faults* it wants to be struck by.
    """

    asked: Mapping[str, Any] | None = None
    answered: bool = True
    faults: tuple[str, ...] = ()


BY_ITSELF: Final = Asking()
"""Nobody asked for it by a call."""


@dataclass
class Turn:
    """A transaction in progress for *call*; its *lines* and *events* are written at its end. Pages stand under the
    address *base*, slow payments take *settling*, and faults strike only in a *sandbox*.
    """

    connection: store.Connection
    now: datetime
    call: str
    base: str
    settling: timedelta
    sandbox: bool = False
    asking: Asking = BY_ITSELF
    lines: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def asked(self, **facts: Any) -> Self:
        """The same turn, where somebody asked for that without a call."""
        return replace(self, asking=Asking(facts))

    def aside(self, payment: Payment) -> Self:
        """The same turn, for what time does to the payment, whoever happens to look."""
        return replace(self, call=payment.call, asking=BY_ITSELF)

    def struck(self, call: str, facts: Mapping[str, str | None], among: tuple[str, ...] | None = None) -> str | None:
        """The fault that strikes this *call* here: one that was asked for with it, or an armed one, used up by it.
        *among* narrows what may.
        """
        if not self.sandbox:
            return None
        fitting = arming.FITS[call] if among is None else among
        named = (fault for fault in self.asking.faults if fault in fitting)
        return next(named, None) or arming.drawn(self.connection, call, facts, fitting)

    def enter(self, payment: Payment, effect: Effect, amount: int | None = None, withdrawn: int | None = None) -> None:
        """Add a line to the ledger: *amount* in minor units, the payment's own unless another one moved; *withdrawn* is
        what a lost dispute took.
        """
        moved = payment.amount_minor if amount is None else amount
        self._add(
            **payment.facts,
            amount_minor=moved,
            currency=payment.currency,
            effect=effect,
            withdrawn_minor=withdrawn,
        )

    def enter_nothing(self, account: str, key: str | None) -> None:
        """Add that the call had no effect, about whatever is known of *key*."""
        payment = store.payment_of(self.connection, account, key) if key else None
        if payment is not None:
            return self.enter(payment, "none")
        held = store.key_of(self.connection, account, key) if key else None
        reference = (held.reference if held else None) or _reference_in(key)
        return self._add(account=account, key=key, reference=reference, effect="none")

    def _add(self, **facts: Any) -> None:
        asked, answered = self.asking.asked, self.asking.answered
        self.lines.append(Entry(at=stamp(self.now), call=self.call, asked=asked, answered=answered, **facts))

    def announce(self, kind: str, payment: Payment, **more: str | int) -> None:
        """Add an event of type *kind* about *payment*."""
        fault = self.struck("webhook", {**payment.facts, "type": kind})
        content = {"id": f"evt_{uuid4().hex}", "type": kind, "timestamp": stamp(self.now), **payment.facts}
        event = Event(
            id=content["id"],
            body=json.dumps(content | more),
            created_at=stamp(self.now),
            due_at=stamp(self.now),
            fault=fault,
        )
        self.events.append(SET_ASIDE[fault](event, self.now) if fault in SET_ASIDE else event)

    def write_up(self, answer: Said | None) -> None:
        """Put its lines into the ledger, those of the call with the *answer* to it, and its events into the outbox."""
        for line in self.lines:
            own = line.call == self.call
            store.add_entry(self.connection, line.model_copy(update={"answer": answer}) if own else line)
        for event in self.events:
            store.add_event(self.connection, event)


def _reference_in(key: str | None) -> str | None:
    """The reference that *key* was made of."""
    found = REFERENCE.match(key or "")
    return found[0] if found else None
