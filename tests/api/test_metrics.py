"""What is counted: known beforehand, explained in docs/operations.md, and about nobody."""

from __future__ import annotations

import re
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Logged, Metrics, PassedOn, Taken
from tests.api.messenger import Door
from tests.conftest import ROOT

EVENTS = [("checkout_gateway_events_total", outcome) for outcome in get_args(Taken)]
PASSED_ON = [("checkout_gateway_events_passed_on_total", outcome) for outcome in get_args(PassedOn)]
LOGGED = [("checkout_requests_logged_total", outcome) for outcome in get_args(Logged)]


def series(text: str) -> list[tuple[str, dict[str, str], float]]:
    families = text_string_to_metric_families(text)
    return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


def test_every_series_is_there_from_the_start_and_names_nobody() -> None:
    known = series(Metrics(["sandbox"]).text().decode())

    of_gateways = [(name, {"gateway": "sandbox", "outcome": outcome}, 0) for name, outcome in EVENTS + PASSED_ON]
    assert known == of_gateways + [(name, {"outcome": outcome}, 0) for name, outcome in LOGGED]


def test_what_is_counted_shows() -> None:
    metrics = Metrics(["sandbox", "other"])
    metrics.event("sandbox", "accepted")
    metrics.event("sandbox", "accepted")
    metrics.passed_on("other", "waiting")
    metrics.logged("written", 3)

    counted = [(name, *labels.values(), value) for name, labels, value in series(metrics.text().decode()) if value]
    assert counted == [
        ("checkout_gateway_events_total", "sandbox", "accepted", 2),
        ("checkout_gateway_events_passed_on_total", "other", "waiting", 1),
        ("checkout_requests_logged_total", "written", 3),
    ]


async def test_anybody_may_read_it_as_prometheus_does(door: Door) -> None:
    answer = await door.http.get("/metrics", headers={"accept": "text/plain;version=0.0.4"})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert len(series(answer.text)) == len(EVENTS + PASSED_ON + LOGGED)


def test_every_metric_and_every_outcome_is_explained() -> None:
    told = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)

    assert {word for pair in EVENTS + PASSED_ON + LOGGED for word in pair} <= set(told)
