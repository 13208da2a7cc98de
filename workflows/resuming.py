"""Starting a further run of a session whose workflow is over, from where the run before it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from checkout.commands import Opening
from checkout.ids import workflow_of
from checkout.session import Policy, SessionState
from workflows.checkout import CheckoutWorkflow
from workflows.search_attributes import typed
from workflows.standing import static_details

TASK_TIMEOUT: Final = timedelta(seconds=5)
"""How long a worker may take for a step of orchestration: after a killed one, this is waited before another goes on."""

Told = tuple[str, Any]
"""A signal and its argument."""


def presented(opening: Opening) -> dict[str, Any]:
    """How a session's workflow is started: its id, and what the Temporal UI shows of it."""
    state = opening.state()
    return {
        "id": workflow_of(opening.organisation, opening.session),
        "task_timeout": TASK_TIMEOUT,
        "search_attributes": typed(state),
        "static_summary": f"Checkout of {state.offer.amount_due}",
        "static_details": static_details(state),
    }


async def resume(client: Client, task_queue: str, state: SessionState, policy: Policy, told: Told) -> None:
    """Tell the session something; where its workflow is over, in a further run that begins at *state*.

    Raises what Temporal's client raises where the server does not answer.
    """
    signal, what = told
    opening = Opening(
        organisation=state.organisation,
        session=state.id,
        fingerprint="",
        opened_at=state.created_at,
        offer=state.offer,
        guest_checkout=state.guest_checkout,
        customer=state.customer,
        business_entity=state.business_entity,
        policy=policy,
        resumed=state,
    )
    await start_again(client, task_queue, opening, start_signal=signal, start_signal_args=[what])


async def start_again(client: Client, task_queue: str, opening: Opening, **more: Any) -> None:
    """Start the session's workflow although it was started before, unless it runs."""
    await client.start_workflow(
        CheckoutWorkflow.run,
        opening,
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **presented(opening),
        **more,
    )
