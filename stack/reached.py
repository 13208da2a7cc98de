"""The database that the settings name, for commands that use it once and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from settings import Settings
from stack.errors import StackError
from store.database import UNAVAILABLE, Database


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Database]:
    """The service's database. Raises StackError where none is named, and where it does not answer."""
    try:
        async with Database(required(settings.database_url, "CHECKOUT_DATABASE_URL"), most=1) as database:
            yield database
    except UNAVAILABLE as error:
        raise StackError("PostgreSQL at CHECKOUT_DATABASE_URL does not answer.") from error


def required(value: SecretStr | None, name: str) -> str:
    """What the variable *name* is set to. Raises StackError where it is not set."""
    if value is None:
        raise StackError(f"{name} is not set.")
    return value.get_secret_value()
