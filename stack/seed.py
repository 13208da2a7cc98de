"""The first organisation, its business entity and its keys, so that a fresh stack can be used at once."""

from __future__ import annotations

from stack.secrets import Secrets
from store import api_keys, business_entities, organisations
from store.database import Database

NAME = "Example Company"
COUNTRY = "DE"
CURRENCY = "EUR"


async def seed(url: str, secrets: Secrets, pepper: str) -> None:
    """Put them into the database at *url*, unless they are there."""
    async with Database(url, most=2) as database:
        async with database.unbound() as connection:
            await organisations.ensure(connection, secrets.organisation, NAME)
            await api_keys.store_key(connection, secrets.organisation, secrets.api_key, "merchant", pepper)
            await api_keys.store_key(connection, secrets.organisation, secrets.operator_key, "operator", pepper)
        async with database.of(secrets.organisation) as connection:
            await business_entities.ensure(connection, secrets.business_entity, NAME, COUNTRY, CURRENCY)
