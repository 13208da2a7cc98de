"""Composition root of the API process: reads the settings, opens what the application needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from socket import socket
from typing import Final

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from gateways.configured import Configured, HalfConfigured, configured
from settings import Settings, settings
from store.database import UNAVAILABLE, Database, UnsafeRole
from workflows.connection import connect

STARTUP_FAILURE: Final = 3
"""The exit code of a server that did not come up, as uvicorn's own."""


class Server(uvicorn.Server):
    """Ends the streams that would never end, before it waits for the answers under way."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._app.state.watch.end()
        await super().shutdown(sockets)


def serve(host: str, port: int) -> None:
    """Serve the API until the process is told to stop."""
    app = create()
    config = uvicorn.Config(
        app, host=host, port=port, server_header=False, access_log=False, timeout_graceful_shutdown=10
    )
    server = Server(config, app)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)


def create() -> FastAPI:
    """The application of this process: its connections open when it starts and close when it ends."""
    given = settings()
    database = Database(_secret(given.database_url, "DATABASE_URL"))
    gateways = _gateways(given)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with database, AsyncExitStack() as closing:
            await _refuse_unsafe(database)
            app.state.temporal = await connect(lazy=True)
            for gateway in gateways.values():
                closing.push_async_callback(gateway.aclose)
            await closing.enter_async_context(app.state.request_log.written())
            yield

    return create_app(
        database=database,
        gateways=gateways,
        pepper=_secret(given.pepper, "PEPPER"),
        wait=given.wait,
        task_queue=given.task_queue,
        temporal_ui=given.temporal_ui,
        lifespan=lifespan,
    )


async def _refuse_unsafe(database: Database) -> None:
    try:
        await database.refuse_unsafe_role()
    except UnsafeRole as error:
        raise SystemExit(str(error)) from None
    except UNAVAILABLE:
        raise SystemExit("PostgreSQL at CHECKOUT_DATABASE_URL does not answer: start it, or correct the URL") from None


def _gateways(given: Settings) -> dict[str, Configured]:
    try:
        return configured(given)
    except HalfConfigured as error:
        raise SystemExit(str(error)) from None


def _secret(value: SecretStr | None, name: str) -> str:
    if value is None:
        raise SystemExit(f"CHECKOUT_{name} is not set")
    return value.get_secret_value()
