"""Sessions whose workflow ended before its time, or was reset, as Temporal lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from temporalio.client import Client

ENDED: Final = "WorkflowType = 'CheckoutWorkflow' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')"
RUNNING: Final = "WorkflowType = 'CheckoutWorkflow' AND ExecutionStatus = 'Running'"

Runs = Mapping[UUID, Mapping[UUID, str]]
"""By organisation and session: the id of its run."""


async def ended_early(client: Client, since: datetime) -> Runs:
    """Sessions of which a run was terminated or failed since then; another run may go on instead."""
    return await _listed(client, f"{ENDED} AND CloseTime >= '{_text(since)}'")


async def running(client: Client, since: datetime | None) -> Runs:
    """Sessions whose workflow runs; of those with *since*, only what started since then, as a reset run does."""
    return await _listed(client, f"{RUNNING} AND StartTime >= '{_text(since)}'" if since else RUNNING)


async def _listed(client: Client, query: str) -> Runs:
    found: defaultdict[UUID, dict[UUID, str]] = defaultdict(dict)
    async for each in client.list_workflows(query, page_size=1000):
        if owner := session_of(each.id):
            found[owner[0]][owner[1]] = each.run_id
    return found


def session_of(workflow: str) -> tuple[UUID, UUID] | None:
    """The organisation and session of a workflow's id; None for an id that is not ours."""
    try:
        _, organisation, session = workflow.split("/")
        return UUID(organisation), UUID(session)
    except ValueError:
        return None


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
