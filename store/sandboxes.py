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
        """Whether the sandbox is the organisation's gateway, and the only one that it ever had; anything else is live: what
        was saved at another one is still charged there.
        """
        async with self._database.of(organisation) as connection:
            places = await organisations.at_gateways(connection, organisation)
        return {gateway for gateway, _ in places} == {SANDBOX}
