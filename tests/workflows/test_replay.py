"""Recorded histories replay on today's code: a session that sleeps for months wakes up in it.

`make histories` records them anew, on purpose, from the tests of the saga.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from worker import SANDBOX, WORKFLOWS

HISTORIES = sorted((Path(__file__).parents[1] / "histories").glob("*.json"))
BEGINNINGS = {"EVENT_TYPE_ACTIVITY_TASK_SCHEDULED", "EVENT_TYPE_TIMER_STARTED"}


def test_there_are_histories_to_replay() -> None:
    assert HISTORIES


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=SANDBOX)
    history = json.loads(path.read_text())
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    await replayer.replay_workflow(WorkflowHistory.from_json(started["workflowId"], history))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_every_activity_and_timer_of_a_recorded_history_says_what_it_is_about(path: Path) -> None:
    events = json.loads(path.read_text())["events"]

    silent = [event for event in events if event["eventType"] in BEGINNINGS and "userMetadata" not in event]

    assert not silent
