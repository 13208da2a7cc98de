"""What this process counts, as Prometheus reads it at GET /metrics: open to anybody, so no label names anybody."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Annotated, Final, Literal, get_args

from fastapi import Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, disable_created_metrics, generate_latest

from api.routes import router as routes
from store.gateway_events import Kept

Taken = Literal[Kept, "unverified", "unreadable", "too_large", "not_stored"]
"""What became of an event when it came."""

PassedOn = Literal["told", "waiting", "put_off"]
"""What became of an accepted event when its session was to be told of it."""

Logged = Literal["written", "dropped", "failed"]
"""What became of a request that was to be logged."""

router: Final = routes("/metrics", "Health")

disable_created_metrics()  # type: ignore[no-untyped-call] # when each series was born interests nobody


class Metrics:
    """The counters of one application. Each of their series is there from the start, at zero: nothing that is sent can
    add one.
    """

    def __init__(self, gateways: Iterable[str]) -> None:
        self._registry: Final = CollectorRegistry()
        self._gateways: Final = tuple(gateways)
        self._events = self._counter("gateway_events", "Events that came from a gateway", get_args(Taken))
        self._passed_on = self._counter(
            "gateway_events_passed_on", "Accepted events that their session was to be told of", get_args(PassedOn)
        )
        self._logged = Counter(
            "checkout_requests_logged", "Requests that were to be logged", ("outcome",), registry=self._registry
        )
        for outcome in get_args(Logged):
            self._logged.labels(outcome)

    def event(self, gateway: str, outcome: Taken) -> None:
        """Count an event that came at the address of a gateway that we know."""
        self._events.labels(gateway, outcome).inc()

    def passed_on(self, gateway: str, outcome: PassedOn) -> None:
        """Count an event that was passed on, or could not be."""
        self._passed_on.labels(gateway, outcome).inc()

    def logged(self, outcome: Logged, count: int = 1) -> None:
        """Count requests that were logged, or could not be."""
        self._logged.labels(outcome).inc(count)

    def text(self) -> bytes:
        """Everything that was counted, in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, words: str, outcomes: Iterable[str]) -> Counter:
        counter = Counter(f"checkout_{name}", words, ("gateway", "outcome"), registry=self._registry)
        for labels in product(self._gateways, outcomes):
            counter.labels(*labels)
        return counter


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


Counts = Annotated[Metrics, Depends(_metrics)]


@router.get("", summary="What this process counted since it started", response_class=Response)
async def read(counts: Counts) -> Response:
    return Response(counts.text(), media_type=CONTENT_TYPE_LATEST)
