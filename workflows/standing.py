"""Where a session stands, for the operator who opens it in the Temporal UI: Markdown, without personal data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from checkout.lifecycle import Status
from checkout.session import SessionState

PLAIN: Final[Mapping[Status, str]] = {
    Status.OPEN: "Open: waits for the merchant to confirm or cancel it, until it expires.",
    Status.PROCESSING: "Being confirmed.",
    Status.COMPLETED: "Completed: its contract is in force.",
    Status.CLOSED: "Closed: nothing of it is left.",
    Status.CANCELLED: "Cancelled: nothing of it is left.",
}
WHAT_TO_DO: Final[Mapping[str, str]] = {
    "retry": "`retry` runs the step again now",
    "compensate": "`compensate` undoes everything done so far",
}


def current_details(state: SessionState) -> str:
    """Where it stands, what is owed, and what to do now."""
    lines = [f"**{PLAIN[state.status]}** Payment: {state.payment_status.replace('_', ' ')}."]
    if state.confirmation is not None:
        mode = state.confirmation.mode.replace("_", " ")
        lines.append(f"Confirmation {state.confirmation.attempt}: {mode}.")
    lines.append(f"Amount due: {state.offer.amount_due}.")
    lines += [f"- {p.kind} {p.amount}: {p.status} (`{p.key}`)" for p in state.payments]
    lines += [f"- instalment {i.n}, {i.amount}, due {i.due_at:%Y-%m-%d %H:%M} UTC: {i.status}" for i in state.schedule]
    if state.attention is not None:
        can = "; ".join(WHAT_TO_DO[each] for each in state.attention.can)
        lines.append(f"**Needs attention**: `{state.attention.step}`: {state.attention.detail}. What to do: {can}.")
    elif state.status is Status.PROCESSING:
        lines.append(f"Nothing needs to be done. {WHAT_TO_DO['compensate']}.")
    return "\n\n".join(line for line in lines)
