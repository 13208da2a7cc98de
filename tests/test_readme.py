"""The README's walk, run as it stands against the whole stack, and what the README says of the code."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from temporalio.client import Client

from checkout.ids import workflow_of
from settings import Settings
from tests.conftest import Stack

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
WALK_LIMIT = 40
ENDS = [("completed", "paid"), ("completed", "paid"), ("completed", "no_payment_required")]
MODES = ["charge_immediately", "charge_when_due", "no_payment"]
HOP = re.compile(r"`([\w/]+\.py) · (\w+)`")
GUARANTEE = re.compile(r"`(tests/\S+\.py)(?: -k (\w+))?` \|$", re.MULTILINE)


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    return README.partition(f"\n## {title}")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def walked(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the walk prints: every bash block of it, in one shell that stops at the first error."""
    ready = tmp_path_factory.mktemp("readme") / "r.json"
    ready.write_text((stack.home.parent / "ready.json").read_text())
    blocks = re.findall(r"^```bash\n(.*?)^```$", section("A walk"), re.MULTILINE | re.DOTALL)
    walk = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],  # noqa: S607 - whichever bash there is
        cwd=ROOT,
        env={**os.environ, "READY": str(ready)},
        capture_output=True,
        text=True,
        timeout=WALK_LIMIT,
        check=False,
    )
    assert walk.returncode == 0, f"{walk.stdout}\n{walk.stderr}"
    return walk.stdout


def sessions_of(walked: str) -> list[str]:
    """The sessions that the walk completed, in its order."""
    return re.findall(r"^([0-9a-f-]{36})\ncompleted\n", walked, re.MULTILINE)


async def test_the_walk_ends_with_one_session_of_each_mode_in_its_final_status(
    walked: str, http: httpx.AsyncClient
) -> None:
    sessions = [(await http.get(f"/checkout_session/{session}")).json() for session in sessions_of(walked)]

    assert [session["confirmation"]["mode"] for session in sessions] == MODES
    assert [(s["checkout_session_status"], s["payment_status"]) for s in sessions] == ENDS
    assert [[p["status"] for p in s["payments"]] for s in sessions] == [["captured"], ["captured"], []]
    assert [[i["status"] for i in s["payment_schedule"]] for s in sessions] == [[], ["paid"], []]
    assert [s["test_clock"] is not None for s in sessions] == [False, True, False]


def test_the_walk_shows_the_redirects_the_ledger_the_history_and_a_refusal(walked: str, stack: Stack) -> None:
    assert f"302 {stack.gateway}/pay/" in walked
    assert "303 https://shop.example/ok?checkout_session_id=" in walked
    assert walked.count('"effect":"captured"') == 1
    assert f"{stack.temporal_ui}/namespaces/default/workflows/checkout%2F{stack.organisation}%2F" in walked
    assert "WorkflowExecutionUpdateAccepted" in walked
    assert '"type":"/problems/invalid-status-transition"' in walked


def test_the_walk_needs_no_ready_file_but_the_one_it_names() -> None:
    assert "--ready-file r.json" in section("A walk")
    assert "READY=${READY:-r.json}" in section("A walk")


def test_each_of_the_eight_hops_names_code_that_is_there() -> None:
    hops = section("One confirm in eight hops")

    assert re.findall(r"^(\d)\. ", hops, re.MULTILINE) == list("12345678")
    for file, name in HOP.findall(hops):
        assert re.search(rf"^ *(async def|def|class) {name}\b", (ROOT / file).read_text(), re.MULTILINE), (file, name)


async def test_the_hops_name_the_steps_that_the_history_shows(walked: str, stack: Stack, temporal: Client) -> None:
    named = re.findall(r"`([a-z]+\.[a-z_]+)`", section("One confirm in eight hops").rpartition("\n\nThe same walk")[2])
    paid, _, guests = sessions_of(walked)

    shown = set()
    for session in (paid, guests):
        workflow = temporal.get_workflow_handle(workflow_of(UUID(stack.organisation), UUID(session)))
        async for event in workflow.fetch_history_events():
            shown.add(event.activity_task_scheduled_event_attributes.activity_type.name)
    assert shown - {""} == set(named)


def test_the_settings_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(CHECKOUT_\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", section("Settings"), re.MULTILINE)

    assert rows == [
        (f"CHECKOUT_{name.upper()}", "" if field.default is None else str(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]


def test_the_tree_names_everything_that_is_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - whichever git there is
    named = re.findall(r"^([\w.-]+/?)  +\S", section("The tree"), re.MULTILINE)
    there = {path.partition("/")[0] + ("/" if "/" in path else "") for path in tracked.splitlines()}

    assert set(named) == {name for name in there if not name.startswith(".")} - {"README.md", "LICENSE"}


def test_each_guarantee_names_a_test_that_is_there() -> None:
    named = GUARANTEE.findall(section("What is guaranteed"))

    assert len(named) == section("What is guaranteed").count("\n| ") - 1
    for file, words in named:
        assert re.search(rf"def test_\w*{words}", (ROOT / file).read_text()), (file, words)
