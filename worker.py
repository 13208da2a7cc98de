"""The worker process: where workflows and activities are joined with the database, the gateways and Temporal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.clocks import ClockActivities
from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.reconciliation import ReconciliationActivities
from activities.sessions import SessionActivities
from checkout.outcome_pages import outcome_address
from gateways.configured import HalfConfigured, configured
from gateways.port import PaymentGateway
from reconciler.further_runs import FurtherRuns
from reconciler.sweep import Sweep
from settings import Settings, settings
from store.contract_steps import ContractSteps
from store.customer_steps import CustomerSteps
from store.database import Database
from store.due_payments import DuePayments
from store.loose_ends import SessionRows
from store.payment_records import Outcome, PaymentRecords
from store.sandboxes import Sandboxes
from store.session_view import SessionView
from workflows.checkout import CheckoutWorkflow
from workflows.connection import connect
from workflows.fast_forward import WorkflowClocks
from workflows.reconciliation import ReconciliationWorkflow

WORKFLOWS: list[type] = [CheckoutWorkflow, ReconciliationWorkflow]

SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "pydantic", "pydantic_core", "annotated_types", "iso4217", "checkout", "activities", "gateways.port"
    )
)
"""Our pure modules and pydantic are passed through, since importing them anew for each workflow costs a quarter of
the throughput; the workflows' own modules stay sandboxed."""


def bound(  # noqa: PLR0913, PLR0917 - one class per outside party
    customers: CustomerActivities,
    contracts: ContractActivities,
    payments: PaymentActivities,
    sessions: SessionActivities,
    reconciliation: ReconciliationActivities,
    clocks: ClockActivities,
) -> list[Any]:
    """Every activity, each bound to its party."""
    return [
        customers.create,
        customers.archive,
        contracts.draft,
        contracts.activate,
        contracts.void,
        payments.choose_method,
        payments.due_instants,
        payments.check_due,
        payments.open_page,
        payments.page_outcome,
        payments.close_page,
        payments.charge,
        payments.refund,
        payments.look_up,
        payments.save_methods,
        sessions.publish,
        sessions.standing,
        sessions.loose_ends,
        reconciliation.sweep,
        clocks.advance,
    ]


def activities(
    client: Client,
    task_queue: str,
    database: Database,
    gateways: Mapping[str, PaymentGateway],
    outcome: Outcome | None = None,
) -> list[Any]:
    """Every activity on PostgreSQL and the gateways; the reconciler also starts further runs on *task_queue*. Customers
    of merchants without an address of their own go to the *outcome*.
    """
    further = FurtherRuns(client, database, task_queue)
    return bound(
        CustomerActivities(CustomerSteps(database)),
        ContractActivities(ContractSteps(database)),
        PaymentActivities(gateways, PaymentRecords(database, outcome), DuePayments(database)),
        SessionActivities(SessionView(database), SessionRows(database)),
        ReconciliationActivities(Sweep(client, database, gateways, further)),
        ClockActivities(WorkflowClocks(client), Sandboxes(database)),
    )


def worker(
    client: Client,
    task_queue: str,
    database: Database,
    gateways: Mapping[str, PaymentGateway],
    outcome: Outcome | None = None,
) -> Worker:
    """A worker of every workflow and activity. Stopped, it lets running activities finish for 30 s; killed, another
    one takes over its sessions after 2 s.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=activities(client, task_queue, database, gateways, outcome),
        workflow_runner=SANDBOX,
        graceful_shutdown_timeout=timedelta(seconds=30),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


async def run(config: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    try:
        gateways = configured(config)
    except HalfConfigured as error:
        raise SystemExit(str(error)) from None
    if config.database_url is None or not gateways:
        raise SystemExit("The worker needs CHECKOUT_DATABASE_URL and the credentials of a gateway.")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connect()
    async with Database(config.database_url.get_secret_value()) as database:
        await database.refuse_unsafe_role()
        async with worker(client, config.task_queue, database, gateways, _outcome(config)):
            await stop.wait()
    for gateway in gateways.values():
        await gateway.aclose()


def _outcome(config: Settings) -> Outcome | None:
    """The API's page of a session's outcome, where customers can reach it."""
    if config.public_url is None or config.pepper is None:
        return None
    return partial(outcome_address, config.public_url, config.pepper.get_secret_value())


def main() -> None:
    """Run the worker of this process's settings."""
    asyncio.run(run(settings()))


if __name__ == "__main__":
    main()
