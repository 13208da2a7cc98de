"""What `checkout up` promises: it says where everything is, and it survives what is done to its parts."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus

from workflows.search_attributes import ATTRIBUTES

PARTS = ("postgres", "temporal", "gateway", "worker", "api")
Eventually = Callable[[Callable[[], bool], str], None]


def test_the_ready_file_says_where_everything_is_to_its_owner_only(up: Any) -> None:
    ready = up.ready

    assert set(ready) == {
        *("api", "api_key", "operator_key", "organisation", "business_entity"),
        *("database", "temporal", "temporal_ui", "gateway", "pids"),
    }
    assert set(ready["pids"]) == set(PARTS)
    assert all(isinstance(pid, int) for pid in ready["pids"].values())
    assert UUID(ready["organisation"])
    assert UUID(ready["business_entity"])
    assert httpx.get(ready["api"] + "/health/ready").status_code == 200
    assert httpx.get(ready["gateway"] + "/health").status_code == 200
    assert httpx.get(ready["temporal_ui"]).status_code == 200
    for path in (up.ready_file, up.home / "secrets.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_screen_shows_addresses_and_keys(up: Any) -> None:
    ready = up.ready

    for name in ("api", "gateway", "temporal_ui", "temporal", "api_key", "operator_key", "organisation"):
        assert ready[name] in up.said


def test_the_keys_open_the_api(up: Any) -> None:
    for key in ("api_key", "operator_key"):
        answer = httpx.get(up.ready["api"] + "/business_entities", headers={"x-api-key": up.ready[key]})

        assert answer.status_code == 200
        assert up.ready["business_entity"] in answer.text


def test_the_role_of_the_service_is_bound_by_row_level_security(up: Any) -> None:
    with psycopg.connect(up.ready["database"]) as connection:
        found = connection.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        durable = connection.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()

    assert found == (False, False)
    assert durable == ("on", "on")


async def test_the_namespace_keeps_sessions_for_thirty_days_and_can_be_searched(up: Any) -> None:
    client = await Client.connect(up.ready["temporal"])
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))

    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
    for name in ATTRIBUTES:
        assert (await client.count_workflows(f"{name} IS NOT NULL")).count == 0


def test_no_secret_stands_in_the_process_list_or_a_log(up: Any) -> None:
    kept = (up.home / "secrets.json").read_text().split('"')
    secrets = [word for word in kept if len(word) > 40]
    shown = "".join(up.survivors()) + "".join(log.read_text() for log in (up.home / "logs").glob("*.log"))

    assert len(secrets) == 7
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_the_ready_file_says_so(up: Any, part: str, eventually: Eventually) -> None:
    before = up.ready["pids"]
    os.kill(before[part], signal.SIGKILL)

    eventually(lambda: up.ready["pids"][part] != before[part], f"another {part}")

    assert {name for name in PARTS if up.ready["pids"][name] != before[name]} == {part}
    assert "was killed by SIGKILL: starting it again." in up.said
    eventually(lambda: _answers(up.ready["api"] + "/health/ready"), "a ready API")


def test_a_second_stack_on_the_same_home_is_refused(up: Any) -> None:
    refused = up.another(base=up.base + 20)

    assert refused.returncode == 1
    assert f"(process {up.process.pid}) is using {up.home}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_busy_port_is_named_with_what_it_is_for(up: Any, tmp_path: Path) -> None:
    refused = up.another(home=tmp_path)

    assert refused.returncode == 1
    assert f"port {up.base} for the API" in refused.stderr
    assert f"port {up.base + 2} for PostgreSQL" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_a_killed_supervisor_leaves_nothing_running_and_nothing_is_lost(up: Any, eventually: Eventually) -> None:
    before, kept = up.ready, uuid4()
    with psycopg.connect(before["database"]) as connection:
        connection.execute("INSERT INTO organisations (id, name) VALUES (%s, 'Kept Ltd')", (kept,))
    client = await Client.connect(before["temporal"])
    await client.start_workflow("Sleeper", id=str(kept), task_queue="nobody listens")

    up.end(signal.SIGKILL)
    eventually(lambda: not up.survivors(), "the end of every part")
    up.ready_file.unlink()
    up.start()

    assert {**up.ready, "pids": None} == {**before, "pids": None}
    with psycopg.connect(up.ready["database"]) as connection:
        assert connection.execute("SELECT name FROM organisations WHERE id = %s", (kept,)).fetchone() == ("Kept Ltd",)
    again = await Client.connect(up.ready["temporal"])
    assert (await again.get_workflow_handle(str(kept)).describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_part_in_order(up: Any, number: signal.Signals) -> None:
    if up.process.poll() is not None:
        up.start()
    started = time.monotonic()

    assert up.end(number) == 0

    assert time.monotonic() - started < 10
    assert not up.survivors()
    assert not up.ready_file.exists()
    assert "Everything is stopped." in up.said
    assert "database system is shut down" in (up.home / "logs" / "postgres.log").read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
