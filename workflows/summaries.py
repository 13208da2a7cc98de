"""What the Temporal UI shows beside each activity: what it is about, by ids, numbers and amounts; no personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from checkout.commands import Effect
from checkout.session import SessionEvent

SUMMARIES: Final[Mapping[str, str]] = {
    "customers.create": "Guest of attempt {0.attempt}",
    "customers.archive": "Guest of attempt {0.attempt}",
    "contracts.draft": "Contract of attempt {0.attempt}",
    "contracts.activate": "Contract of attempt {0.attempt}",
    "contracts.void": "Contract of attempt {0.attempt}",
    "payments.choose_method": "The saved method to charge when due",
    "payments.due_instants": "When the days of due payments begin",
    "payments.check_due": "Instalment {0.n}: {0.amount}",
    "payments.open_page": "{0.amount}",
    "payments.page_outcome": "{0.amount}",
    "payments.close_page": "{0.amount}",
    "payments.charge": "{0.amount}",
    "payments.refund": "{0.amount}",
    "payments.look_up": "{0.amount}",
    "payments.save_methods": "What the customer paid with",
    "sessions.standing": "Where the run before this one ended",
    "sessions.loose_ends": "What is no part of the session",
}
"""In words for each activity of a session, told of its command."""


def summary_of(step: str, command: Effect) -> str:
    """What the activity *step* is about, this time."""
    return SUMMARIES[step].format(command)


def published(events: Sequence[SessionEvent]) -> str:
    """The first of the events that are published, and how many more there are."""
    more = f" +{len(events) - 1}" if len(events) > 1 else ""
    return f"{events[0].type}{more}"
