"""What the project agreed on, kept by tests."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity, workflow

from activities.clocks import ClockActivities
from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.reconciliation import ReconciliationActivities
from activities.sessions import SessionActivities
from api.timeline import WORDS
from worker import SANDBOX, WORKFLOWS, bound

ROOT = Path(__file__).parents[1]
PARTIES = {
    "customers": CustomerActivities,
    "contracts": ContractActivities,
    "payments": PaymentActivities,
    "sessions": SessionActivities,
    "reconciliation": ReconciliationActivities,
    "clocks": ClockActivities,
}


def defined(party: type) -> dict[str, Any]:
    """The activities of a class, by the name that the Temporal UI shows."""
    definitions = {
        name: activity._Definition.from_callable(method)
        for name, method in inspect.getmembers(party, inspect.isfunction)
    }
    return {name: definition for name, definition in definitions.items() if definition}


@pytest.mark.parametrize(("name", "party"), PARTIES.items())
def test_an_activity_is_named_after_its_party_and_verb(name: str, party: type) -> None:
    assert {d.name for d in defined(party).values()} == {f"{name}.{verb}" for verb in defined(party)}


def test_every_activity_is_registered_with_the_worker() -> None:
    nobody: Any = None
    registered = bound(
        CustomerActivities(nobody),
        ContractActivities(nobody),
        PaymentActivities({}, nobody, nobody),
        SessionActivities(nobody, nobody),
        ReconciliationActivities(nobody),
        ClockActivities(nobody, nobody),
    )
    names = {activity._Definition.must_from_callable(each).name for each in registered}
    assert names == {f"{name}.{verb}" for name, party in PARTIES.items() for verb in defined(party)}


@pytest.mark.parametrize("definition", WORKFLOWS)
async def test_the_workflow_sandbox_accepts_every_workflow(definition: type) -> None:
    SANDBOX.prepare_workflow(workflow._Definition.must_from_class(definition))


@pytest.mark.parametrize("definition", WORKFLOWS)
def test_every_update_signal_and_query_is_described_for_the_temporal_ui(definition: type) -> None:
    known = workflow._Definition.must_from_class(definition)
    for handlers in (known.updates, known.signals, known.queries):
        for name, handler in handlers.items():
            assert name
            assert handler.description, name


def test_every_update_has_a_validator() -> None:
    for definition in WORKFLOWS:
        for name, update in workflow._Definition.must_from_class(definition).updates.items():
            assert update.validator is not None, name


def test_imports_point_inward() -> None:
    lint = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout


def test_every_event_of_the_workflows_has_words_in_the_timeline() -> None:
    said = {
        event
        for path in (ROOT / "workflows").glob("*.py")
        for event in re.findall(r'"((?:checkout_session|customer|contract|payment)\.[a-z_]+)"', path.read_text())
    }
    assert said == set(WORDS)
