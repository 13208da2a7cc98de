"""What an operator reads on a session's page in the Temporal UI: Markdown, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from checkout.lifecycle import Payment, Status
from checkout.money import Money
from checkout.session import Attention, SessionState

HANDBOOK: Final = "docs/operations.md"

PLAIN: Final[Mapping[Status, str]] = {
    Status.OPEN: "Open: waits for the merchant to confirm or cancel it, until it expires.",
    Status.PROCESSING: "Being confirmed.",
    Status.COMPLETED: "Completed: its contract is in force.",
    Status.CLOSED: "Closed: nothing of it is left.",
    Status.CANCELLED: "Cancelled: nothing of it is left.",
}

MEANINGS: Final[Mapping[str, str]] = {
    "step_failing": "A step keeps failing. It is tried again by itself, but somebody should look why.",
    "rejected": "A step was refused for good: trying it again by itself can't cure that, so it waits for you.",
    "wrong_amount": "The gateway took another amount than was confirmed.",
    "payment_failed": "A due payment was refused. Nothing is charged before somebody says so.",
    "nothing_to_refund": "The gateway took the money, but has nothing to return: see there where it went.",
    "payment_missing": "Our rows say that a payment was taken, but the gateway does not know of it.",
}
"""What each kind of attention means; each is also a section of the handbook."""

UNKNOWN_MEANING: Final = "Somebody has to look at it."


@dataclass(frozen=True)
class Button:
    """An update that an operator may send: the input to paste, and what happens then."""

    paste: str
    does: str


BUTTONS: Final[Mapping[str, Button]] = {
    "acknowledge": Button(
        '{"actor": "your name", "reason": "what you did"}', "says that you have seen to it, and ends the attention."
    ),
    "retry": Button('{"actor": "your name", "reason": "why"}', "runs the step again now."),
    "compensate": Button(
        '{"actor": "your name", "reason": "why", "then": "reopen"}',
        'undoes all that was done so far and opens the session again; with `"then": "close"` it ends.',
    ),
}

NOTHING_TO_PRESS: Final = "There is nothing to press here."


def current_details(state: SessionState) -> str:
    """Where it stands, what is to be done now, and what is owed."""
    return "\n\n".join([_where(state), *_to_do(state), _owed(state), *_movements(state)])


def static_details(opened: SessionState) -> str:
    """What this workflow is, as the session *opened*: said once, when it starts."""
    lines = [
        "A checkout session, from its opening to its last payment.",
        f"- session: `{opened.id}`",
        f"- organisation: `{opened.organisation}`",
        f"- amount due when it opened: {opened.offer.amount_due}",
        f"- expires {opened.offer.expires_at:%Y-%m-%d %H:%M} UTC, unless it is confirmed before or changed",
        f"- for operators: `{HANDBOOK}`; lifecycle: `docs/lifecycle.md`",
    ]
    return "\n".join([lines[0], "", *lines[1:]])


def _where(state: SessionState) -> str:
    payment = state.payment_status.replace("_", " ")
    confirmation = state.confirmation
    how = f" Confirmation {confirmation.attempt}: {confirmation.mode.replace('_', ' ')}." if confirmation else ""
    return f"**{PLAIN[state.status]}** Payment: {payment}.{how}"


def _to_do(state: SessionState) -> list[str]:
    if state.attention is not None:
        return _asked(state.attention)
    if state.status is Status.PROCESSING:
        return ["Nothing needs to be done. To undo it all the same:", _buttons(["compensate"])]
    return ["Nothing needs to be done."]


def _asked(attention: Attention) -> list[str]:
    detail = attention.detail.replace("`", "'")
    return [
        f"**Needs attention.** {MEANINGS.get(attention.reason, UNKNOWN_MEANING)}",
        f"- step: `{attention.step}`\n- said: `{detail}`\n- since {attention.since:%Y-%m-%d %H:%M} UTC",
        f"Read `{HANDBOOK}`, section `{attention.reason}`. " + ("Then press:" if attention.can else NOTHING_TO_PRESS),
        *([_buttons(attention.can)] if attention.can else []),
    ]


def _buttons(can: Iterable[str]) -> str:
    """Each update that may be sent, with the input to paste."""
    return "\n".join(f"- update `{name}` with `{BUTTONS[name].paste}` {BUTTONS[name].does}" for name in can)


def _owed(state: SessionState) -> str:
    parts = [
        f"amount due {state.offer.amount_due}",
        f"captured {_taken(state, 'captured')}",
        f"refunded {_taken(state, 'refunded')}",
        f"still to come {_still_to_come(state)}",
    ]
    return f"**Money:** {', '.join(parts)}."


def _movements(state: SessionState) -> list[str]:
    """Every charge, refund and instalment, one line each."""
    lines = [f"- {p.kind} {p.amount}: {p.status} (`{p.key}`)" for p in state.payments]
    lines += [f"- instalment {i.n}, {i.amount}, due {i.due_at:%Y-%m-%d %H:%M} UTC: {i.status}" for i in state.schedule]
    return ["\n".join(lines)] if lines else []


def _taken(state: SessionState, status: str) -> str:
    return _sum(state, (payment.amount for payment in state.payments if payment.status == status))


def _still_to_come(state: SessionState) -> str:
    """What this session will still collect if all goes well."""
    if state.schedule:
        return _sum(state, (instalment.amount for instalment in state.schedule if instalment.owed))
    asked = state.status is Status.PROCESSING and state.payment_status is Payment.PENDING
    return _sum(state, [state.offer.amount_due] if asked else [])


def _sum(state: SessionState, amounts: Iterable[Money]) -> str:
    """The amounts in one text. Never adds two currencies: what a gateway took by mistake may be in another one."""
    sums = {state.offer.amount_due.currency: 0}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    texts = [str(Money(minor=minor, currency=currency)) for currency, minor in sums.items() if minor]
    return " and ".join(texts) or str(Money.zero(state.offer.amount_due.currency))
