"""Which organisations are there to play with."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from store import organisations
from store.database import Database

SANDBOX: Final = "sandbox"
"""The gateway at which no money is real."""


class Sandboxes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_sandbox(self, organisation: UUID) -> bool:
        """Whether the organisation's gateway is the sandbox; anything else is live."""
        async with self._database.of(organisation) as connection:
            row = await organisations.get(connection, organisation)
        return row is not None and row["gateway"] == SANDBOX
