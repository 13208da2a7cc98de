"""The application: its parts, its routes, and its answers to every error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from secure import CacheControl, ReferrerPolicy, Secure, XContentTypeOptions
from secure.middleware import SecureASGIMiddleware

from api import (
    business_entities,
    checkout_sessions,
    contracts,
    customers,
    health,
    metrics,
    outcome_page,
    payment_methods,
    payment_schedule,
    payments,
    plans,
    problem_pages,
    problems,
    products,
    request_log,
    session_events,
    timeline,
    webhooks,
)
from api.rate_limits import Rates, TellsRate
from api.recording import Recorded, RequestLog
from api.reference import page
from api.reference.document import Described
from api.watching import Watch
from gateways.port import PaymentGateway
from store.database import Database

ROUTERS: Final[tuple[APIRouter, ...]] = (
    business_entities.router,
    customers.router,
    payment_methods.router,
    products.router,
    plans.router,
    contracts.router,
    payments.router,
    checkout_sessions.router,
    payment_schedule.router,
    timeline.router,
    session_events.router,
    request_log.router,
    webhooks.router,
    outcome_page.router,
    problem_pages.router,
    health.router,
    metrics.router,
    page.router,
)

HEADERS: Final = Secure(
    cache=CacheControl().no_store(),
    referrer=ReferrerPolicy().no_referrer(),
    xcto=XContentTypeOptions().nosniff(),
)
"""What every answer carries: it is kept by nobody, taken for nothing else, and tells no other site where it was."""


@asynccontextmanager
async def _as_given(_: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(  # noqa: PLR0913 - the application has seven parts
    *,
    database: Database,
    gateways: Mapping[str, PaymentGateway],
    pepper: str,
    wait: float,
    task_queue: str = "checkout",
    temporal: Any = None,
    temporal_ui: str | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] = _as_given,
) -> FastAPI:
    """The API over *database* and *gateways* (by name). *temporal* is the client, or None until *lifespan* sets
    `app.state.temporal`; *wait* is how many seconds a call waits for its outcome; *pepper* is that of the keys,
    *task_queue* the workers', *temporal_ui* the base URL of the Temporal UI, for operators.
    """
    app = Described(
        ROUTERS,
        title="Durable checkout",
        summary="Checkout sessions that survive anything",
        version="1",
        lifespan=lifespan,
        docs_url=None,  # api/reference/page.py serves its own, without another host
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"auto_configure": False},
    )
    app.state.database = database
    app.state.gateways = gateways
    app.state.temporal = temporal
    app.state.temporal_ui = temporal_ui
    app.state.pepper = pepper
    app.state.wait = wait
    app.state.task_queue = task_queue
    app.state.metrics = metrics.Metrics(gateways)
    app.state.rates = Rates()
    app.state.request_log = RequestLog(database, app.state.metrics)
    app.state.watch = Watch(database)
    problems.install(app)
    app.add_middleware(TellsRate)
    app.add_middleware(SecureASGIMiddleware, secure=HEADERS)
    app.add_middleware(Recorded, log=app.state.request_log)
    return app
