"""The gateway's side of the evidence: its append-only ledger, by session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from audit.evidence import LedgerRow
from audit.keys import session_of


async def read(sandbox: httpx.AsyncClient, organisation: UUID) -> dict[UUID, tuple[LedgerRow, ...]]:
    """The lines about the organisation's sessions, oldest first. Raises httpx.HTTPError where the ledger is away."""
    answer = await sandbox.get("/ledger", params={"account": str(organisation)})
    answer.raise_for_status()
    found: defaultdict[UUID, list[LedgerRow]] = defaultdict(list)
    for line in answer.json():
        if session := session_of(line["key"], line["reference"]):
            found[session].append(_row(line))
    return {session: tuple(rows) for session, rows in found.items()}


def _row(line: Mapping[str, Any]) -> LedgerRow:
    return LedgerRow(
        seq=line["seq"],
        at=datetime.fromisoformat(line["at"]),
        call=line["call"],
        key=line["key"],
        reference=line["reference"],
        amount_minor=line["amount_minor"],
        currency=line["currency"],
        effect=line["effect"],
        said=(line.get("answer") or {}).get("outcome"),
    )
