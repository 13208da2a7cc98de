"""The composition root of the sandbox provider: `checkout gateway`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from sandbox import api, control, page
from sandbox.connection import Protocol
from sandbox.desk import Desk, problem
from sandbox.store import Store
from sandbox.webhooks import Deliverer
from settings import settings

SETTLING: Final = timedelta(seconds=3)
"""How long a bank transfer takes."""
LARGEST_BODY: Final = 1024 * 1024


def create_app(  # noqa: PLR0913 - what the provider is made of
    *,
    path: Path,
    secret: str,
    webhook_secret: str,
    webhook_url: str | None,
    base: str,
    sandbox: bool = False,
    settling: timedelta = SETTLING,
) -> FastAPI:
    """The provider over the store at *path*; callers know *secret*, events are signed with *webhook_secret* and go to
    *webhook_url*, and pages stand under *base*. Only a *sandbox* has control endpoints and faults.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        books = Store(path)
        deliverer = Deliverer(books, webhook_url, webhook_secret)
        app.state.desk = Desk(books, deliverer, base.rstrip("/"), settling, sandbox=sandbox)
        tasks = [asyncio.create_task(deliverer.run()), asyncio.create_task(app.state.desk.keep_settling())]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await deliverer.close()
        books.close()

    app = FastAPI(title="Sandbox payment provider", lifespan=lifespan, max_body_size=LARGEST_BODY, docs_url=None)
    app.state.secret = secret
    app.include_router(api.calls)
    app.include_router(api.health)
    if sandbox:
        app.include_router(control.router)
    app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=page.HERE / "static"))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    return app


async def _invalid(_: Request, error: Exception) -> Response:
    """Say where it is wrong, and echo nothing of it."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    where = ", ".join(sorted({".".join(str(part) for part in each["loc"]) for each in found}))
    return problem(422, f"invalid: {where}")


async def _refused(_: Request, error: Exception) -> Response:
    status, code = (error.status_code, str(error.detail)) if isinstance(error, HTTPException) else (500, "internal")
    return problem(status, code)


def main() -> None:
    """Serve the provider as the settings say, until it is told to stop."""
    chosen = settings()
    if chosen.sandbox_secret is None or chosen.webhook_secret is None:
        raise SystemExit("the sandbox needs CHECKOUT_SANDBOX_SECRET and CHECKOUT_WEBHOOK_SECRET")
    app = create_app(
        path=chosen.gateway_store,
        secret=chosen.sandbox_secret.get_secret_value(),
        webhook_secret=chosen.webhook_secret.get_secret_value(),
        webhook_url=chosen.gateway_webhook_url,
        base=chosen.sandbox_url or f"http://{chosen.host}:{chosen.gateway_port}",
        sandbox=chosen.sandbox,
    )
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.gateway_port,
        http=Protocol,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
