"""Changing a session: what is absent stays as it is, and a change made meanwhile is not lost."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from api.auth import Caller
from api.checkouts import Checkouts, Told
from api.offers import keep, life, now, offer_of, organisation_of, priced, refuse_unknown_entity, same_currency
from api.problems import Problem
from api.redirects import refuse_foreign_hosts
from api.session_bodies import ChangedSession
from checkout.commands import Update
from checkout.session import Offer, SessionState
from store import sessions
from store.database import Database

TRIES: Final = 5
ABOUT: Final = {"reason", "note"}
"""Fields that say something about the change, and change nothing."""
ELSEWHERE: Final = {"contract", "expires_at", "currency"}
"""Fields that are not kept in the details row."""


async def changed(  # noqa: PLR0913, PLR0917 - a change has seven facts
    checkouts: Checkouts,
    database: Database,
    caller: Caller,
    session: UUID,
    body: ChangedSession,
    command: dict[str, Any],
    key: str | None,
) -> Told:
    """Change the session: merge *body* into what it is now, and offer that. Where another change came in between, it
    is merged again.
    """
    if key and (told := await checkouts.told_before(caller, session, "update", command["fingerprint"], key)):
        return told
    for _ in range(TRIES):
        state = await checkouts.state(caller.organisation, session)
        offer = await _merged(database, state, body, command["request"])
        fields = tuple(sorted(body.model_fields_set - ABOUT))
        cmd = Update(
            **command,
            offer=offer,
            business_entity=body.business_entity_id,
            revision=state.revision,
            updated_fields=fields,
        )
        try:
            return await checkouts.tell(caller, session, "update", cmd, key)
        except Problem as problem:
            if problem.name != "stale-revision":
                raise
    raise Problem("request-in-progress", "The session is being changed by others all the time.")


async def _merged(database: Database, state: SessionState, body: ChangedSession, request: str) -> Offer:
    async with database.of(state.organisation) as connection:
        owner = await organisation_of(connection, state.organisation)
        refuse_foreign_hosts(owner, body)
        await refuse_unknown_entity(connection, body.business_entity_id)
        rows = await sessions.documents(connection, state)
        price = await priced(connection, body.contract) if body.contract else None
        contract = price.contract.currency if price else rows["content"]["contract"]["currency"]
        same_currency(body.currency, contract)
        details = _details(rows["details"], state, body)
        seed = f"{request}/{state.revision}"
        details_id = await keep(connection, state.organisation, state.id, price, (seed, details))
        expires_at = life(body.expires_at, state.now(now())) if body.expires_at else state.offer.expires_at
        if price is not None:
            return offer_of(owner, price, details_id, expires_at)
    return state.offer.model_copy(update={"details": details_id, "expires_at": expires_at})


def _details(before: dict[str, Any], state: SessionState, body: ChangedSession) -> dict[str, Any]:
    """The details row after the change, with the change appended to `custom_data.update_history`."""
    if body.customer is not None and not state.guest_checkout:
        raise Problem("validation", errors=[{"loc": ["body", "customer"], "msg": "is for guests only"}])
    given = body.model_dump(mode="json", include=body.model_fields_set - ABOUT - ELSEWHERE)
    after = {**before, **given}
    at = now().isoformat().replace("+00:00", "Z")
    entry = {
        "timestamp": at,
        "updated_fields": sorted(body.model_fields_set - ABOUT),
        "metadata": {"reason": body.reason, "note": body.note, "timestamp": at},
    }
    history = (before.get("custom_data") or {}).get("update_history")
    history = history if isinstance(history, list) else []
    after["custom_data"] = {**(after.get("custom_data") or {}), "update_history": [*history, entry]}
    return after
