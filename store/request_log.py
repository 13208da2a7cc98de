"""Recent requests of an organisation: written in batches behind their answers, and only the newest are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from store.database import Connection

MOST: Final = 10_000
"""Requests that an organisation's log keeps."""

LONGEST: Final = timedelta(days=7)
"""How old a request may become there."""

SELECT: Final[LiteralString] = """
    SELECT id, created_at, method, path, status, duration_ms, user_agent, idempotency_key
    FROM request_log
"""


@dataclass(frozen=True)
class Record:
    """A request that was answered. *created_at* is when it came, *path* names nothing but our routes and ids."""

    id: UUID
    created_at: datetime
    method: str
    path: str
    status: int
    duration_ms: int
    user_agent: str | None
    idempotency_key: str | None


async def write(connection: Connection, records: Sequence[Record]) -> None:
    """Add *records* to the log of the transaction's organisation; those that are there already stay as they are."""
    await connection.execute(
        """
        INSERT INTO request_log (organisation_id, id, created_at, method, path, status, duration_ms, user_agent,
                                 idempotency_key)
        SELECT current_organisation(), *
        FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::integer[], %s::integer[], %s::text[],
                    %s::text[])
        ON CONFLICT (id) DO NOTHING
        """,
        [list(column) for column in zip(*map(astuple, records), strict=True)],
    )


async def prune(connection: Connection, *, most: int = MOST, longest: timedelta = LONGEST) -> None:
    """Forget all but the newest *most* requests of the transaction's organisation, and any that is older than *longest*."""
    await connection.execute(
        """
        DELETE FROM request_log
        WHERE created_at < now() - %(longest)s
           OR (created_at, id) <= (SELECT created_at, id FROM request_log
                                   ORDER BY created_at DESC, id DESC OFFSET %(most)s LIMIT 1)
        """,
        {"longest": longest, "most": most},
    )
