"""Checkouts driven from their opening to their end by all who take part: the merchant, the customer, an operator."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import httpx
from psycopg.types.json import Jsonb
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)

from api.checkouts import Checkouts
from api.offers import opening_of
from api.session_bodies import NewSession
from checkout.commands import Accepted, Compensate, Confirm, Request, Retry
from checkout.ids import guest_of, workflow_of
from checkout.lifecycle import FINAL, Payment, Status
from checkout.session import Mode, Policy, SessionState
from gateways.port import Account
from gateways.sandbox import SandboxGateway
from store import business_entities, customers, payment_methods
from store.database import Database
from tests.api.shop import contract, guest, onboarding
from tests.conftest import ROOT, Stack, new_organisation
from tests.stack.faulty_worker import Plans

PATIENCE: Final = 180.0
OPERATOR: Final = {"actor": "operator test", "reason": "a test"}
RETRY: Final = Retry(**OPERATOR)
COMPENSATE: Final = Compensate(**OPERATOR)
NOBODY: Final[dict[str, Any]] = {
    "business_entity_id": None, "external_id": None, "phone_number": None, "address": None, "tax_info": [],
    "custom_data": None,
}  # fmt: skip


@dataclass(frozen=True)
class Journey:
    """How a session is confirmed, and by whom. *at_the_page* is what becomes of its payment page: its customer pays
    or leaves it, or an operator compensates meanwhile. A *known* guest has the e-mail of a customer.
    """

    mode: Mode
    buyer: Literal["guest", "known guest", "customer"] = "guest"
    at_the_page: Literal["pay", "leave", "compensate"] = "pay"


@dataclass
class Trip:
    """A session on its journey, and the customer who was there before it."""

    journey: Journey
    session: UUID
    handle: WorkflowHandle[Any, Any]
    customer: UUID | None
    before: dict[str, Any] | None
    been_at_the_page: bool = False

    async def tell(self, update: str, cmd: Request) -> WorkflowUpdateHandle[Accepted]:
        """Send an update, and wait only until it is accepted."""
        return await self.handle.start_update(
            update, cmd, wait_for_stage=WorkflowUpdateStage.ACCEPTED, result_type=Accepted
        )


@dataclass(frozen=True)
class Left:
    """What a session left behind: *moved* is captured minus refunded, by the gateway's ledger, in minor units."""

    moved: int
    contracts: list[str]
    guest: str | None
    customer: dict[str, Any] | None
    link_undone: bool | None


class Watch:
    """The published state of every session of an organisation, read by one for all who wait."""

    def __init__(self, database: Database, organisation: UUID) -> None:
        self._database = database
        self._organisation = organisation
        self._states: dict[UUID, SessionState] = {}
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            async with self._database.of(self._organisation) as connection:
                cursor = await connection.execute(
                    """
                    SELECT state FROM checkout_sessions
                    WHERE version > coalesce((%s::jsonb ->> id::text)::integer, 0)
                    """,
                    (Jsonb({str(session): state.version for session, state in self._states.items()}),),
                )
                found = [SessionState.model_validate(row["state"]) for row in await cursor.fetchall()]
            if found:
                self._states |= {state.id: state for state in found}
                async with self._changed:
                    self._changed.notify_all()
            await asyncio.sleep(0.05)

    async def until(self, session: UUID, holds: Callable[[SessionState], bool]) -> SessionState:
        """The session once *holds*."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: session in self._states and holds(self._states[session]))
        return self._states[session]

    async def after(self, session: UUID, version: int) -> SessionState:
        """The session once it is newer than *version*."""
        return await self.until(session, lambda state: state.version > version)


class WorkerProcess:
    """A faulty worker on a task queue of its own, started and killed as often as a test likes."""

    def __init__(self, stack: Stack, plans: Plans, log: Path) -> None:
        self.queue = f"test-{uuid4()}"
        self.plans = plans
        self._log = log
        secrets = json.loads((stack.home / "secrets.json").read_text())
        self._environment = {
            **os.environ,
            "TEMPORAL_ADDRESS": stack.temporal,
            "CHECKOUT_TASK_QUEUE": self.queue,
            "CHECKOUT_DATABASE_URL": stack.database,
            "CHECKOUT_SANDBOX_URL": stack.gateway,
            "CHECKOUT_SANDBOX_SECRET": secrets["sandbox_secret"],
            "CHECKOUT_WEBHOOK_SECRET": secrets["webhook_secret"],
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.stack.faulty_worker", str(self.plans.folder)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def check(self) -> None:
        """Fail where it has ended by itself."""
        assert self._process
        assert self._process.poll() is None, self._log.read_text()

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process
        self._process.kill()
        self._process.wait()


@dataclass
class Parties:
    """Where sessions of one organisation are opened, confirmed and judged."""

    stack: Stack
    database: Database
    temporal: Client
    adapter: SandboxGateway
    organisation: UUID
    entity: UUID
    watch: Watch
    browser: httpx.AsyncClient
    opened: dict[UUID, Trip] = field(default_factory=dict)

    async def open(self, journey: Journey, queue: str, policy: Policy) -> Trip:
        """Open a session as the API does, on the workers of *queue*."""
        session = uuid4()
        email = f"ada-{session.hex[:12]}@example.com"
        customer = None if journey.buyer == "guest" else await self._customer(email, journey.mode)
        body = self._body(journey, customer, email)
        async with self.database.of(self.organisation) as connection:
            opening = await opening_of(connection, self.organisation, session, body, ("a test", None))
            before = await customers.get(connection, customer) if customer else None
        checkouts = Checkouts(self.temporal, self.database, queue, wait=PATIENCE)
        assert await checkouts.start(opening.model_copy(update={"policy": policy}))
        handle = self.temporal.get_workflow_handle(workflow_of(self.organisation, session))
        self.opened[session] = Trip(journey, session, handle, customer, before)
        return self.opened[session]

    async def confirm(self, trip: Trip) -> WorkflowUpdateHandle[Accepted]:
        return await trip.tell("confirm", Confirm(actor="merchant test", mode=trip.journey.mode))

    async def drive(self, trip: Trip, decide: Callable[[Trip, SessionState], Request | None]) -> SessionState:
        """Confirm the session and do everybody's part until it has ended; *decide* is the operator's, for each
        change of a session that asks for attention.
        """
        confirming = await self.confirm(trip)
        state = await self.watch.after(trip.session, 0)
        attention = None
        while not ended(state):
            await self._at_the_page(trip, state)
            if state.attention and state.attention != attention and (decision := decide(trip, state)):
                await sent(trip, decision)
            attention = state.attention
            state = await self.watch.after(trip.session, state.version)
        try:
            await confirming.result()
        except WorkflowUpdateFailedError:
            assert state.status is not Status.COMPLETED
        if state.status in FINAL:
            await trip.handle.result()
        return state

    async def _at_the_page(self, trip: Trip, state: SessionState) -> None:
        url = state.confirmation.redirect_url if state.confirmation else None
        if url is None or trip.been_at_the_page:
            return
        trip.been_at_the_page = True
        if trip.journey.at_the_page == "compensate":
            await sent(trip, COMPENSATE)
        else:
            await self.post_the_form(url, trip.journey.at_the_page)

    async def page_of(self, trip: Trip) -> str:
        """Where the customer pays, once the page is open."""

        def url(state: SessionState) -> str | None:
            return state.confirmation.redirect_url if state.confirmation else None

        return url(await self.watch.until(trip.session, lambda state: url(state) is not None)) or ""

    async def post_the_form(self, url: str, action: str) -> None:
        """Pay with a card or leave, as the page's form does in a browser."""
        page = await self.browser.get(url)
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        posted = await self.browser.post(url, data={**hidden, "instrument": "card_ok", "action": action})
        assert posted.status_code < 500

    async def left(self, trip: Trip) -> Left:
        """What is there of a session, by the gateway's ledger and by the tables."""
        lines = (await self.browser.get("/ledger", params={"reference": str(trip.session)})).json()
        signs = {"captured": 1, "refunded": -1}
        async with self.database.of(self.organisation) as connection:

            async def column(sql: Any) -> list[Any]:
                cursor = await connection.execute(sql, {"session": trip.session, "guest": guest_of(trip.session)})
                return [tuple(row.values()) for row in await cursor.fetchall()]

            contracts = await column("SELECT status FROM contracts WHERE session_id = %(session)s")
            guests = await column("SELECT status FROM customers WHERE id = %(guest)s")
            links = await column("SELECT undone FROM customer_links WHERE session_id = %(session)s")
            customer = await customers.get(connection, trip.customer) if trip.customer else None
        return Left(
            moved=sum(signs.get(line["effect"], 0) * line["amount_minor"] for line in lines if line["amount_minor"]),
            contracts=[status for (status,) in contracts],
            guest=guests[0][0] if guests else None,
            customer=customer,
            link_undone=links[0][0] if links else None,
        )

    async def close(self) -> None:
        await self.browser.aclose()
        await self.adapter.aclose()

    async def _customer(self, email: str, mode: Mode) -> UUID:
        customer = uuid4()
        values = {**NOBODY, "customer_name": "Ada Byron", "email": email}
        async with self.database.of(self.organisation) as connection:
            await customers.insert(connection, customer, values)
            if mode is Mode.CHARGE_WHEN_DUE:
                method = await self.adapter.attach(Account(self.organisation), customer, "pm_sandbox_card_ok")
                assert not hasattr(method, "code")
                await payment_methods.insert(connection, uuid4(), customer, "sandbox", method)
        return customer

    def _body(self, journey: Journey, customer: UUID | None, email: str) -> NewSession:
        if journey.buyer == "customer":
            body = onboarding(str(customer))
        else:
            body = guest(str(self.entity), customer={"customer_name": "Ada Byron", "email": email})
        if journey.mode is Mode.CHARGE_WHEN_DUE:
            today = datetime.now(UTC).date().isoformat()
            body["contract"] = {**contract(start_date=today), "start_date": today}
        return NewSession.model_validate_json(json.dumps(body))


async def parties(stack: Stack, database: Database, temporal: Client) -> Parties:
    """Everybody of a new organisation."""
    organisation, entity = await new_organisation(database), uuid4()
    async with database.of(organisation) as connection:
        await business_entities.ensure(connection, entity, "Northwind Software Ltd", "GB", "GBP")
    secrets = json.loads((stack.home / "secrets.json").read_text())
    return Parties(
        stack=stack,
        database=database,
        temporal=temporal,
        adapter=SandboxGateway(stack.gateway, secrets["sandbox_secret"], secrets["webhook_secret"]),
        organisation=organisation,
        entity=entity,
        watch=Watch(database, organisation),
        browser=httpx.AsyncClient(base_url=stack.gateway, timeout=30),
    )


async def sent(trip: Trip, decision: Request) -> None:
    """Tell the session an operator's decision; a retry that comes when nothing fails any more is refused."""
    try:
        await trip.tell("retry" if isinstance(decision, Retry) else "compensate", decision)
    except WorkflowUpdateFailedError:
        assert isinstance(decision, Retry)


def ended(state: SessionState) -> bool:
    """Whether nothing more will happen by itself: completed and paid for, or undone."""
    if state.status is Status.COMPLETED:
        return state.payment_status in {Payment.PAID, Payment.NO_PAYMENT_REQUIRED}
    return state.status in FINAL or (state.status is Status.OPEN and state.attempts > 0)


def lasting(longest: timedelta) -> Policy:
    """The product's rules, with rounds of retries of this length."""
    return Policy(rounds=(longest,))
