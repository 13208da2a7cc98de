"""Somebody who presses the Temporal UI's buttons, and what sessions that are interrupted are prepared with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from audit.main import Sources, audit
from checkout.ids import kind_of, workflow_of
from checkout.money import Money
from checkout.outcomes import Reconciled
from gateways.port import Account, PageRequest, Posted
from gateways.sandbox import SandboxGateway
from tests.api.shop import Shop, onboarding

PRICE = Money(minor=50000, currency="USD")

UPDATES: Final = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
SIGNALS: Final = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL

Sweep = Callable[[], Awaitable[Reconciled]]


class Operator:
    """Somebody who presses the Temporal UI's buttons, and judges by ledger and tables what came of it."""

    def __init__(self, shop: Shop, temporal: Client) -> None:
        self._shop = shop
        self._temporal = temporal
        self.organisation = UUID(shop.stack.organisation)

    def workflow(self, session: str) -> WorkflowHandle[Any, Any]:
        return self._temporal.get_workflow_handle(workflow_of(self.organisation, UUID(session)))

    async def terminate(self, session: str) -> None:
        await self._shop.until_listed(session)
        await self.workflow(session).terminate("by hand")

    async def reset(self, session: str, *, forgetting_updates: bool = False) -> None:
        """Reset the workflow to its first task."""
        await self._shop.until_listed(session)
        await self._reset(session, lambda tasks, _: tasks[0], [UPDATES] if forgetting_updates else [])

    async def reset_to_before_the_last_update(self, session: str, *, task: int = 1) -> None:
        """Reset the workflow to the last *task* before the one that accepted its last update, or to an earlier one, and
        forget everything that it was told since.
        """

        def before(tasks: list[int], accepted: list[int]) -> int:
            return [each for each in tasks if each < accepted[-1]][-task]

        await self._reset(session, before, [UPDATES, SIGNALS])

    async def _reset(
        self,
        session: str,
        to: Callable[[list[int], list[int]], int],
        forgetting: list[ResetReapplyExcludeType.ValueType],
    ) -> None:
        """Reset the workflow *to* one of its completed tasks, of which and of accepted updates the event ids are given."""
        handle = self.workflow(session)
        described = await handle.describe()
        events = [event async for event in handle.fetch_history_events()]
        tasks = [e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes")]
        accepted = [e.event_id for e in events if e.HasField("workflow_execution_update_accepted_event_attributes")]
        await self._temporal.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self._temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=described.run_id),
                reason="by hand",
                workflow_task_finish_event_id=to(tasks, accepted),
                request_id=str(uuid4()),
                reset_reapply_exclude_types=forgetting,
            )
        )

    async def status(self, session: str) -> WorkflowExecutionStatus | None:
        return (await self.workflow(session).describe()).status

    async def violations(self, session: str, *, besides: str = "nothing") -> list[str]:
        """What the audit finds about the session, *besides* what it says of a key that the test made up."""
        stack = self._shop.stack
        sources = Sources(stack.database, stack.gateway, stack.temporal)
        report = await audit(sources, organisation=self.organisation, session=UUID(session), stale=timedelta(0))
        return [f"{each.invariant}: {each.detail}" for each in report.violations if besides not in each.detail]


async def page_of(shop: Shop, session: str) -> str:
    while (answer := await shop.confirmed(session, "charge_immediately")).status_code == 503:
        assert answer.headers["Retry-After"]
    assert answer.status_code == 200, answer.text
    return str(answer.json()["redirect_url"])


def completed(session: dict[str, Any]) -> bool:
    return bool(session["checkout_session_status"] == "completed")


async def kinds(shop: Shop, session: str) -> list[str]:
    answer = await shop.http.get(f"/checkout_session/{session}/timeline")
    return [moment["type"] for moment in answer.json()["data"]]


async def late_page(gateway: SandboxGateway, operator: Operator, session: str, attempt: int = 1) -> str:
    """A page at the gateway that no run of the session knows of: of an attempt that never was."""
    request = PageRequest(
        account=Account(operator.organisation),
        reference=UUID(session),
        amount=PRICE,
        merchant="Northwind Software Ltd",
        description="",
        lines=[],
        success_url=None,
        cancel_url=None,
        pending_url=None,
        preferred=None,
        first_at=datetime.now(UTC),
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
    )
    return (await gateway.open_page(f"{session}/{attempt}/page", request)).url


def posted(operator: Operator, key: str) -> Posted:
    """A key of the operator's organisation, posted just now."""
    return Posted(key, Account(operator.organisation), kind_of(key), PRICE, datetime.now(UTC))


def due_today(customer: str) -> dict[str, Any]:
    """A session body: 500.00 USD, due today."""
    today = str(datetime.now(UTC).date())
    body = onboarding(customer)
    body["contract"] |= {"start_date": today}
    body["contract"]["phases"][0] |= {"start_date": today, "payment_terms": {"type": "due_date", "date": today}}
    return body


async def declined_when_due(shop: Shop, customer: str) -> str:
    """A completed session whose only instalment, due today, was declined."""
    session = str((await shop.session(due_today(customer)))["id"])
    await shop.confirmed(session, "charge_when_due")
    await shop.until(session, lambda s: s["attention"] is not None)
    return session


async def another_card(shop: Shop, customer: str, *, instead: bool = True) -> None:
    """Save a good card as the customer's default, *instead* of the methods that were there."""
    methods = (await shop.http.get(f"/customers/{customer}/payment_methods")).json()["data"]
    good = {"gateway": "sandbox", "token": "pm_sandbox_card_ok", "set_as_default": True}
    await shop.made(f"/customers/{customer}/payment_methods", good)
    for method in methods if instead else ():
        await shop.http.delete(f"/customers/{customer}/payment_methods/{method['id']}")
