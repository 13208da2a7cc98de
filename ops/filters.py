"""Which sessions an operator asks for: what the API filters, and what is filtered here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checkout.lifecycle import Payment, Status
from ops.answers import Session
from ops.door import Door


@dataclass(frozen=True)
class Filters:
    """Empty members ask for anything; *all_sessions* for those without attention, too."""

    statuses: tuple[Status, ...] = ()
    payments: tuple[Payment, ...] = ()
    step: str | None = None
    reason: str | None = None
    older_than: timedelta | None = None
    all_sessions: bool = False
    limit: int | None = None

    @property
    def asked(self) -> dict[str, str]:
        """The query of the API's list. Attention is listed oldest session first, all sessions newest first."""
        asked = {"order": "-created_at"} if self.all_sessions else {"order": "created_at", "needs_attention": "true"}
        if self.statuses:
            asked["checkout_session_status__in"] = ",".join(self.statuses)
        if self.payments:
            asked["payment_status__in"] = ",".join(self.payments)
        return asked

    def meets(self, session: Session, now: datetime) -> bool:
        attention = session.attention
        return (
            (self.all_sessions or attention is not None)
            and (self.step is None or (attention is not None and attention.step == self.step))
            and (self.reason is None or (attention is not None and attention.reason == self.reason))
            and (self.older_than is None or now - session.since >= self.older_than)
        )


@dataclass(frozen=True)
class Selection:
    """The sessions found; *cut* says that there may be more than the limit let in, *cannot* counts those that were
    left out because nobody may do the act to them.
    """

    sessions: Sequence[Session]
    cut: bool = False
    cannot: int = 0


async def selected(door: Door, filters: Filters, now: datetime, can: str | None = None) -> Selection:
    """The sessions that meet *filters*; with *can*, only those whose attention allows that act."""
    found: list[Session] = []
    cannot = 0
    async for session in door.sessions(filters.asked):
        if not filters.meets(session, now):
            continue
        if can is not None and not allows(session, can):
            cannot += 1
            continue
        if len(found) == filters.limit:
            return Selection(found, cut=True, cannot=cannot)
        found.append(session)
    return Selection(found, cannot=cannot)


def allows(session: Session, act: str) -> bool:
    """Whether its attention says that operators can do *act*."""
    return session.attention is not None and act in session.attention.can
