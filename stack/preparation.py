"""What the database and the namespace must have before a worker or the API may start."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from temporalio.client import Client

from checkout.door import DoorRules
from gateways.configured import NoSuchGateway, check_choice
from settings import Settings
from stack import namespace, schedules
from stack.blueprint import Blueprint
from stack.errors import StackError
from stack.reached import reached, required
from stack.secrets import Secrets
from stack.seed import EXAMPLE, Company, seed
from stack.services import Polls
from store import organisations
from store.database import UNAVAILABLE
from store.migrate import MigrationFailed, migrate
from workflows.search_attributes import ATTRIBUTES


async def prepare_database(blueprint: Blueprint) -> None:
    """The schema, and a first organisation with its keys."""
    await _migrate(blueprint.database)
    await seed(blueprint.database, EXAMPLE, blueprint.secrets, blueprint.pepper)


async def prepare_temporal(blueprint: Blueprint) -> Polls:
    """Search attributes and retention; returns how to tell that a worker of ours asks for work."""
    client = await namespace.connect(blueprint.temporal.environment if blueprint.temporal else None)
    await _prepare(client, blueprint.settings)
    return partial(namespace.polls, client, blueprint.settings.task_queue)


async def migrate_all(settings: Settings) -> None:
    """Prepare the database and the namespace that settings and Temporal's own variables name."""
    await _migrate(required(settings.database_url, "CHECKOUT_DATABASE_URL"))
    client = await namespace.connect()
    await _prepare(client, settings)


async def _prepare(client: Client, settings: Settings) -> None:
    """Search attributes, retention, and the reconciler's schedules."""
    await namespace.prepare(client, ATTRIBUTES, timedelta(days=settings.retention_days))
    await schedules.ensure(client, settings.task_queue)


async def admit(settings: Settings, company: Company) -> Secrets:
    """Make an organisation of *company*; returns its ids and its keys, which are stored only as hashes."""
    url = required(settings.database_url, "CHECKOUT_DATABASE_URL")
    pepper = required(settings.pepper, "CHECKOUT_PEPPER")
    secrets = Secrets()
    try:
        await seed(url, company, secrets, pepper)
    except UNAVAILABLE as error:
        raise StackError("PostgreSQL at CHECKOUT_DATABASE_URL does not answer.") from error
    return secrets


async def choose_gateway(settings: Settings, organisation: UUID, gateway: str, account: str | None) -> None:
    """Have an organisation take its money at a gateway from now on: at an *account* of its own there, if one is named."""
    try:
        check_choice(gateway, account)
    except NoSuchGateway as error:
        raise StackError(str(error)) from error
    async with reached(settings) as database, database.of(organisation) as connection:
        known = await organisations.choose_gateway(connection, organisation, gateway, account)
    if not known:
        raise StackError(f"There is no organisation {organisation}.")


async def change_rate_limit(settings: Settings, organisation: UUID, door: DoorRules) -> None:
    """Let each key of an organisation send as many requests a second as *door* says, from its next request on."""
    async with reached(settings) as database, database.unbound() as connection:
        known = await organisations.set_rate_limit(connection, organisation, door.rate_limit)
    if not known:
        raise StackError(f"There is no organisation {organisation}.")


async def change_redirect_hosts(settings: Settings, organisation: UUID, door: DoorRules) -> None:
    """Have an organisation's sessions send customers to the hosts of *door* only, or anywhere where it has none."""
    async with reached(settings) as database, database.unbound() as connection:
        known = await organisations.set_redirect_hosts(connection, organisation, door.redirect_hosts)
    if not known:
        raise StackError(f"There is no organisation {organisation}.")


async def worker_asks_for_work(settings: Settings) -> bool:
    """Whether a worker on this machine asks Temporal for work."""
    return await namespace.polls(await namespace.connect(), settings.task_queue)


async def _migrate(url: str) -> None:
    try:
        await migrate(url)
    except MigrationFailed as error:
        raise StackError(f"The database could not be migrated.\n{error}") from error
