"""The reconciler's side effect, as an activity."""

from __future__ import annotations

import asyncio
from typing import Protocol

from temporalio import activity

from checkout.commands import Reconcile
from checkout.outcomes import Reconciled


class Reconciler(Protocol):
    """Brings together what rows, workflows and gateway disagree on. Each call can be repeated."""

    async def sweep(self, cmd: Reconcile) -> Reconciled: ...


class ReconciliationActivities:
    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    @activity.defn(name="reconciliation.sweep")
    async def sweep(self, cmd: Reconcile) -> Reconciled:
        """Find what ended early or disagrees, and set right what is safe."""
        work = asyncio.ensure_future(self._reconciler.sweep(cmd))
        try:
            while not work.done():
                activity.heartbeat()
                await asyncio.wait({work}, timeout=5)
        finally:
            work.cancel()
        return work.result()
