"""Every error is a problem of the table, with a page about it."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from structlog.testing import capture_logs

from api.problem_kinds import KINDS
from api.problems import Problem, install
from gateways.port import GatewayUnavailable
from tests.api.conftest import client_of


@pytest.mark.parametrize("name", KINDS)
async def test_every_problem_has_a_page(nobody: httpx.AsyncClient, name: str) -> None:
    page = await nobody.get(f"/problems/{name}")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert str(KINDS[name].status) in page.text


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/problems/unheard-of", 404, "not-found"),
        ("GET", "/customers/", 404, "not-found"),
        ("DELETE", "/customers", 405, "method-not-allowed"),
    ],
)
async def test_the_frameworks_errors_are_problems_too(
    api: httpx.AsyncClient, method: str, path: str, status: int, name: str
) -> None:
    answer = await api.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"/problems/{name}",
        "title": KINDS[name].title,
        "status": status,
        "detail": KINDS[name].meaning,
        "instance": path,
    }


@pytest.fixture
def broken() -> FastAPI:
    """An application whose routes fail with what is raised on the other side of the seam."""
    app = FastAPI()
    install(app)
    faults = {
        "bug": ZeroDivisionError("secret-marker"),
        "database": OperationalError("secret-marker"),
        "pool": PoolTimeout("secret-marker"),
        "gateway": GatewayUnavailable("secret-marker"),
        "problem": Problem("invalid-status-transition", session_status="completed", allowed=[]),
    }

    @app.get("/{fault}")
    async def fail(fault: str) -> None:
        raise faults[fault]

    return app


@pytest.mark.parametrize("fault", ["database", "pool", "gateway"])
async def test_a_part_that_is_away_is_said_to_be_away_not_failed(broken: FastAPI, fault: str) -> None:
    async with client_of(broken, None) as client:
        answer = await client.get(f"/{fault}")

    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/temporarily-unavailable"
    assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
    assert "secret" not in answer.text


async def test_a_bug_is_answered_and_recorded_without_its_text(broken: FastAPI) -> None:
    with capture_logs() as logs:
        async with client_of(broken, None) as client:
            answer = await client.get("/bug")

    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal-error"
    assert logs[0]["error"] == "ZeroDivisionError"
    assert "secret" not in answer.text + str(logs)


async def test_every_answer_says_that_it_is_not_to_be_kept_or_guessed_at(nobody: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/problems/validation", "/nowhere", "/customers"):
        answer = await nobody.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_problem_carries_its_members(broken: FastAPI) -> None:
    async with client_of(broken, None) as client:
        answer = await client.get("/problem")

    assert answer.status_code == 409
    assert answer.json()["session_status"] == "completed"
    assert answer.json()["allowed"] == []


async def test_the_openapi_document_names_the_key_and_the_problems(nobody: httpx.AsyncClient) -> None:
    document = (await nobody.get("/openapi.json")).json()
    operation = document["paths"]["/customers"]["post"]

    assert document["components"]["securitySchemes"]["x-api-key"]["in"] == "header"
    assert operation["security"] == [{"x-api-key": []}]
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert all(item.get("summary") for path in document["paths"].values() for item in path.values())
