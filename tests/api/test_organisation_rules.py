"""The rules that an organisation collects by: a session keeps those it was opened with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from store.database import Database
from tests.api.shop import contract


async def opened(api: httpx.AsyncClient) -> str:
    customer = (await api.post("/customers", json={"customer_name": "Acme GmbH"})).json()["id"]
    answer = await api.post("/checkout_session", json={"contract": contract(), "customer_id": customer})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def policy(api: httpx.AsyncClient, database: Database, organisation: UUID, session: str) -> dict[str, Any]:
    """What the session's workflow goes by; a change waits for the row."""
    await api.put(f"/checkout_session/{session}", json={"correlation_id": "c"})
    async with database.of(organisation) as connection:
        cursor = await connection.execute("SELECT policy FROM checkout_sessions WHERE id = %s", (session,))
        row = await cursor.fetchone()
    assert row is not None
    return {name: row["policy"][name] for name in ("notice", "dunning")}


async def test_a_session_keeps_the_rules_it_was_opened_with(
    api: httpx.AsyncClient, database: Database, organisation: UUID
) -> None:
    before = await opened(api)
    async with database.unbound() as connection:
        change = "UPDATE organisations SET dunning_days = '{2,14}', notice_days = 0 WHERE id = %s"
        await connection.execute(change, (organisation,))
    after = await opened(api)

    usual = {"notice": "P3D", "dunning": ["P1D", "P3D", "P5D", "P7D"]}
    assert await policy(api, database, organisation, before) == usual
    assert await policy(api, database, organisation, after) == {"notice": "PT0S", "dunning": ["P2D", "P14D"]}
