"""ReconciliationWorkflow: started by two schedules, every minute for what is recent and every hour for everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities.reconciliation import ReconciliationActivities
from checkout.commands import Reconcile
from checkout.outcomes import Reconciled
from workflows.policies import SWEEP

SCHEDULES: Final[Mapping[str, tuple[timedelta, Reconcile]]] = {
    "checkout-reconciliation": (timedelta(minutes=1), Reconcile(window=timedelta(hours=1))),
    "checkout-reconciliation-of-everything": (
        timedelta(hours=1),
        Reconcile(window=timedelta(days=2), everything=True),
    ),
}
"""How often each sweep starts, and what it is asked; `checkout migrate` registers them."""


@workflow.defn(name="ReconciliationWorkflow")
class ReconciliationWorkflow:
    """One sweep. What it could not look at, the next one will."""

    @workflow.run
    async def run(self, cmd: Reconcile) -> Reconciled:
        summary = f"What happened in {cmd.window}" + (", and everything at rest" if cmd.everything else "")
        return await workflow.execute_activity_method(ReconciliationActivities.sweep, cmd, summary=summary, **SWEEP)
