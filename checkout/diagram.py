"""The page docs/lifecycle.md, made from the lifecycle tables: `python -m checkout.diagram > docs/lifecycle.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from checkout.lifecycle import CHANGEABLE, FINAL, MERCHANT_CALLS, PAYMENT, SESSION, Event, Payment, PaymentEvent, Status

Table = Mapping[Status, Mapping[Event, Status]] | Mapping[Payment, Mapping[PaymentEvent, Payment]]

SESSION_EVENTS: Final = {
    "confirm": "a merchant confirms",
    "cancel": "a merchant cancels, or somebody presses Cancel in the Temporal UI",
    "expire": "`expires_at` has come",
    "complete": "the contract is in force; the money is captured, scheduled or not owed",
    "reopen": "the confirmation was refused or undone, and `expires_at` has not come",
    "close": "it was undone after `expires_at`, by an operator who said so, or because its workflow was cancelled",
}
PAYMENT_EVENTS: Final = {
    "ask": "a payment page is about to be opened, or a charge is scheduled or asked for again",
    "nothing_to_pay": "the mode is `no_payment`, or the amount due is zero",
    "capture": "the gateway says that the last of it is captured",
    "last_cancelled_paid": "the last open instalment is cancelled, and something was captured before",
    "last_cancelled_unpaid": "the last open instalment is cancelled, and nothing was captured",
    "refuse": "undone after a refusal at the page, or a due charge is refused",
    "undo": "the confirmation is undone and nothing was ever attempted",
    "refund": "what was captured is returned by the undo",
}

PAGE: Final = """\
# Lifecycle

Made from the two tables of `checkout/lifecycle.py`; a test compares. To write it anew:

```sh
.venv/bin/python -m checkout.diagram > docs/lifecycle.md
```

Every status change goes through these tables. An event that a status has no exit for is refused.

## The session

{session}

{session_events}

{calls}

## The payment

{payment}

{payment_events}

A session is updated only while it is `open` and its payment is {changeable}.
"""


def page() -> str:
    """The whole page, in Markdown with Mermaid diagrams."""
    return PAGE.format(
        session=diagram(SESSION, Status.OPEN),
        session_events=_table("Event", "Happens when", SESSION_EVENTS),
        calls=_table("Status", "A merchant may", {status: _allowed(status) for status in SESSION}),
        payment=diagram(PAYMENT, Payment.NOT_STARTED),
        payment_events=_table("Event", "Happens when", PAYMENT_EVENTS),
        changeable=" or ".join(f"`{status}`" for status in PAYMENT if status in CHANGEABLE),
    )


def diagram(table: Table, first: Status | Payment) -> str:
    """*table* as a Mermaid state diagram that begins at *first*."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in _lines(table, first)), "```"])


def _lines(table: Table, first: Status | Payment) -> Iterator[str]:
    yield f"[*] --> {first}"
    for status, exits in table.items():
        for event, to in exits.items():
            yield f"{status} --> {to}: {event}"
        if not exits:
            yield f"{status} --> [*]"


def _allowed(status: Status) -> str:
    calls = ", ".join(f"`{call}`" for call in MERCHANT_CALLS[status])
    return calls or ("nothing any more" if status in FINAL else "nothing; it is at work")


def _table(left: str, right: str, rows: Mapping[str, str]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in rows.items())])


if __name__ == "__main__":
    sys.stdout.write(page())
