"""What the database and the namespace must have before a worker or the API may start."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from settings import Settings
from stack import namespace
from stack.blueprint import Blueprint
from stack.errors import StackError
from stack.seed import seed
from stack.services import Polls
from store.migrate import MigrationFailed, migrate
from workflows.search_attributes import ATTRIBUTES


async def migrate_database(url: str) -> None:
    """Bring the schema at *url* up to date. Raise StackError in words that hold no password."""
    try:
        await migrate(url)
    except MigrationFailed as error:
        raise StackError(f"The database could not be migrated.\n{error}") from error


async def prepare_database(blueprint: Blueprint) -> None:
    """The schema, and the first organisation with its keys."""
    await migrate_database(blueprint.database)
    await seed(blueprint.database, blueprint.secrets, blueprint.pepper)


async def prepare_temporal(blueprint: Blueprint) -> Polls:
    """Search attributes and retention; returns how to tell that a worker of ours asks for work."""
    client = await namespace.connect(blueprint.temporal.environment if blueprint.temporal else None)
    await namespace.prepare(client, ATTRIBUTES, timedelta(days=blueprint.settings.retention_days))
    return partial(namespace.polls, client, blueprint.settings.task_queue)


async def migrate_all(settings: Settings) -> None:
    """Prepare the database and the namespace that settings and Temporal's own variables name."""
    if settings.database_url is None:
        raise StackError("Say which database: set CHECKOUT_DATABASE_URL.")
    await migrate_database(settings.database_url.get_secret_value())
    client = await namespace.connect()
    await namespace.prepare(client, ATTRIBUTES, timedelta(days=settings.retention_days))
