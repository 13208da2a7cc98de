"""API keys as whoever runs the service makes, lists and revokes them. The API looks a key up for every request and
keeps none, so that what is done here counts from the next request on.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from checkout.fields import Name
from settings import Settings
from stack.errors import StackError
from stack.reached import reached, required
from stack.secrets import new_api_key
from store import api_keys, organisations
from store.api_keys import Scope
from store.database import Connection


class NewKey(BaseModel):
    """A key to make: whose it is, what it may do, and what people call it."""

    model_config = ConfigDict(frozen=True)

    organisation: UUID
    scope: Scope
    name: Name | None = None


class MadeKey(NewKey):
    """A key that was just made, with the secret itself: only its hash is stored."""

    id: UUID
    prefix: str
    api_key: str


class Key(BaseModel):
    """What can be seen of a key later. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    organisation_id: UUID
    prefix: str
    scope: Scope
    name: str | None
    created_at: datetime
    revoked_at: datetime | None


async def create(settings: Settings, new: NewKey) -> MadeKey:
    """Make a key for an organisation. Raises StackError where there is no such organisation."""
    pepper = required(settings.pepper, "CHECKOUT_PEPPER")
    async with reached(settings) as database, database.unbound() as connection:
        owner = await organisations.get(connection, new.organisation)
        if owner is None:
            raise _no_organisation(new.organisation)
        secret = new_api_key("sandbox" if owner["gateway"] == "sandbox" else "live")
        key = await api_keys.store_key(connection, new.organisation, secret, new.scope, pepper, new.name)
    if key is None:
        raise StackError("This key was made before.")
    return MadeKey(**new.model_dump(), id=key, prefix=api_keys.recognisable(secret), api_key=secret)


async def every(settings: Settings, organisation: UUID) -> list[Key]:
    """An organisation's keys, the oldest first, revoked ones too. Raises StackError where there is no such organisation."""
    async with reached(settings) as database, database.unbound() as connection:
        if await organisations.get(connection, organisation) is None:
            raise _no_organisation(organisation)
        return [Key.model_validate(row) for row in await api_keys.of_organisation(connection, organisation)]


async def revoke(settings: Settings, which: str) -> Key:
    """End the key with the prefix or the id *which*. Raises StackError where that names no key, several, or one that was
    revoked before.
    """
    async with reached(settings) as database, database.unbound() as connection:
        key = await _one(connection, which)
        await api_keys.revoke(connection, key.organisation_id, key.id)
    return key


async def _one(connection: Connection, which: str) -> Key:
    found = [Key.model_validate(row) for row in await api_keys.called(connection, which)]
    living = [key for key in found if key.revoked_at is None]
    if not found:
        raise StackError("There is no such key: name one by its id or prefix, as `checkout keys list` shows them.")
    if not living:
        raise StackError(f"The key was revoked before, at {found[-1].revoked_at:%Y-%m-%d %H:%M:%S} UTC.")
    if len(living) > 1:
        ids = ", ".join(str(key.id) for key in living)
        raise StackError(f"{len(living)} keys have this prefix: name one by its id: {ids}.")
    return living[0]


def _no_organisation(organisation: UUID) -> StackError:
    return StackError(f"There is no organisation {organisation}.")
