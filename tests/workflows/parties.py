"""Stand-ins for the outside parties, in memory, that keep their ports' promises and can refuse or fail on demand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from checkout.commands import (
    ArchiveCustomer,
    AtKey,
    Charge,
    CheckDue,
    ChooseMethod,
    ContractStep,
    CreateCustomer,
    DueInstants,
    Effect,
    FindLooseEnds,
    OpenPage,
    Publish,
    Reconcile,
    Refund,
    SaveMethod,
)
from checkout.ids import guest_of, kind_of
from checkout.money import Money
from checkout.outcomes import (
    Captured,
    ChargeAnswer,
    CloseAnswer,
    Closed,
    ContractAnswer,
    CustomerReady,
    Declined,
    Done,
    DueAnswer,
    Instants,
    Left,
    LookUpAnswer,
    LooseEnds,
    MethodAnswer,
    MethodChosen,
    NoMethod,
    NotFound,
    NothingToRefund,
    PageOpen,
    Published,
    Reconciled,
    RefundAnswer,
    Refunded,
    Refused,
    Standing,
    UnderWay,
)
from checkout.session import SessionEvent, SessionState
from gateways.port import (
    Account,
    GatewayEvent,
    GatewayRejected,
    GatewayUnavailable,
    Moved,
    PageRequest,
    Posted,
    SavedMethod,
    ToAsk,
    ToCharge,
    ToOpen,
    ToRefund,
)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def numbered(event: SessionEvent, version: int) -> SessionEvent:
    """The *event* with the number that it gets where it is written."""
    return event.model_copy(update={"sequence": version, "state": event.state.model_copy(update={"version": version})})


class Trouble:
    """Which steps refuse or fail, and how often: `fail["contracts.draft"] = 2` fails twice."""

    def __init__(self) -> None:
        self.refuse: dict[str, Refused] = {}
        self.fail: Counter[str] = Counter()
        self.reject: set[str] = set()
        self.lose_answer: Counter[str] = Counter()
        self.miss = 0
        self.returned_by_hand = False
        self.called: Counter[str] = Counter()

    def before(self, step: str) -> None:
        self.called[step] += 1
        if step in self.reject:
            raise GatewayRejected("the request is malformed")
        if self.fail[step]:
            self.fail[step] -= 1
            raise GatewayUnavailable("503")

    def after(self, step: str) -> None:
        if self.lose_answer[step]:
            self.lose_answer[step] -= 1
            raise GatewayUnavailable("timeout")


class World:
    """Customers, contracts, the view and the gateway's truth, for one test."""

    def __init__(self) -> None:
        self.trouble = Trouble()
        self.customers: dict[UUID, str] = {}
        self.contracts: dict[UUID, str] = {}
        self.events: dict[UUID, list[SessionEvent]] = {}
        self.writers: dict[UUID, str] = {}
        self.written: dict[str, dict[int, int]] = {}
        self.pages: dict[str, Any] = {}
        self.asked: list[PageRequest] = []
        self.charges: dict[str, ChargeAnswer] = {}
        self.refunds: dict[str, RefundAnswer] = {}
        self.keys: dict[str, datetime] = {}
        self.next_charge: list[ChargeAnswer] = []
        self.loose: Callable[[FindLooseEnds], LooseEnds] = lambda _: LooseEnds()
        self.days: dict[date, datetime] = {}
        self.check_answers: list[DueAnswer] = []
        self.saved: list[UUID] = []
        self.kept: dict[UUID, list[str]] = {}
        self.removed: list[UUID] = []
        self.name = "fake"
        self.timeout = timedelta(seconds=5)
        self.uncertainty = timedelta(seconds=0)
        self.memory = timedelta(hours=24)

    # customers.

    async def create(self, cmd: CreateCustomer) -> CustomerReady:
        self.trouble.before("customers.create")
        self.customers[guest_of(cmd.session)] = "active"
        self.trouble.after("customers.create")
        return CustomerReady(customer=guest_of(cmd.session), created=True)

    async def archive(self, cmd: ArchiveCustomer) -> None:
        self.trouble.before("customers.archive")
        if guest_of(cmd.session) in self.customers:
            self.customers[guest_of(cmd.session)] = "archived"

    # contracts.

    async def draft(self, cmd: ContractStep) -> ContractAnswer:
        self.trouble.before("contracts.draft")
        if refused := self.trouble.refuse.get("contracts.draft"):
            return refused
        self.contracts.setdefault(cmd.contract, "draft")
        self.trouble.after("contracts.draft")
        return Done()

    async def activate(self, cmd: ContractStep) -> ContractAnswer:
        self.trouble.before("contracts.activate")
        if refused := self.trouble.refuse.get("contracts.activate"):
            return refused
        self.contracts[cmd.contract] = "active"
        self.trouble.after("contracts.activate")
        return Done()

    async def void(self, cmd: ContractStep) -> None:
        self.trouble.before("contracts.void")
        self.contracts[cmd.contract] = "void"

    # the view

    async def publish(self, cmd: Publish, run: str) -> Published:
        self.trouble.before("sessions.publish")
        session, last = cmd.events[-1].state.id, cmd.events[-1].sequence
        if self.writers.get(session) not in {None, run, cmd.claimed}:
            return Published(version=last, writer=self.writers[session])
        self.writers[session] = run
        known, written = self.events.setdefault(session, []), self.written.setdefault(run, {})
        for event in cmd.events:
            if event.sequence not in written:
                written[event.sequence] = len(known) + 1
                known.append(numbered(event, len(known) + 1))
        return Published(version=written[last])

    async def sweep(self, _: Reconcile) -> Reconciled:
        return Reconciled()

    async def standing(self, cmd: Effect, run: str) -> Standing:
        self.writers[cmd.session] = run
        return Standing(state=self.view(cmd.session))

    async def loose_ends(self, cmd: FindLooseEnds) -> LooseEnds:
        self.trouble.before("sessions.loose_ends")
        return self.loose(cmd)

    def view(self, session: UUID) -> SessionState:
        return self.events[session][-1].state

    def told(self, session: UUID) -> list[str]:
        return [event.type for event in self.events[session]]

    # the rows of payments

    async def posted(self, cmd: AtKey) -> ToAsk:
        return self.to_ask(cmd, cmd.key)

    async def keep_methods(self, cmd: SaveMethod, at: ToAsk, saved: Sequence[SavedMethod]) -> None:
        del at
        self.trouble.before("payments.save_methods")
        self.kept[cmd.customer] = [method.token for method in saved]

    def to_ask(self, cmd: AtKey, key: str) -> ToAsk:
        first_at = self.keys.get(key, cmd.at)
        return ToAsk("fake", Posted(key, Account(cmd.organisation), kind_of(key), cmd.amount, first_at))

    async def choose_method(self, cmd: ChooseMethod) -> MethodAnswer:
        self.trouble.before("payments.choose_method")
        return self.trouble.refuse.get("payments.choose_method") or MethodChosen(method=cmd.method or uuid4())

    async def page(self, cmd: OpenPage) -> ToOpen:
        first_at = self.first_at(cmd)
        page = PageRequest(
            account=Account(cmd.organisation),
            reference=cmd.session,
            amount=cmd.amount,
            merchant="Northwind Software Ltd",
            description="",
            lines=[],
            success_url=None,
            cancel_url=None,
            pending_url=None,
            preferred=None,
            first_at=first_at,
            expires_at=cmd.expires_at,
            saved_for=cmd.saved_for,
        )
        return ToOpen("fake", self.to_ask(cmd, cmd.key).posted, page)

    async def instants(self, cmd: DueInstants) -> Instants:
        return Instants(at=tuple(self.days.get(day, midnight(day)) for day in cmd.days))

    async def check(self, cmd: CheckDue) -> DueAnswer:
        self.trouble.before("payments.check_due")
        if self.check_answers:
            return self.check_answers.pop(0)
        usable = [method for method in (*cmd.methods, *self.saved) if method not in (*cmd.refused, *self.removed)]
        return MethodChosen(method=usable[0]) if usable else NoMethod()

    def first_at(self, cmd: AtKey) -> datetime:
        """When a key was first used: the instant of the first command under it."""
        return self.keys.setdefault(cmd.key, cmd.at)

    async def to_charge(self, cmd: Charge) -> ToCharge:
        self.first_at(cmd)
        return ToCharge("fake", self.to_ask(cmd, cmd.key).posted, "pm_fake", "")

    async def answered(self, _: AtKey, answer: LookUpAnswer) -> None:
        del answer

    # the gateway

    async def attach(self, account: Account, customer: UUID, token: str) -> SavedMethod | Declined:
        raise NotImplementedError

    async def open_page(self, key: str, page: PageRequest) -> PageOpen:
        self.asked.append(page)
        self.trouble.before("payments.open_page")
        self.pages.setdefault(key, PageOpen(url=f"https://pay.example/{key}"))
        self.trouble.after("payments.open_page")
        if isinstance(self.pages[key], Closed):
            raise GatewayRejected(f"the page of {page.amount} is closed")
        return PageOpen(url=f"https://pay.example/{key}")

    async def close_page(self, posted: Posted) -> CloseAnswer:
        key = posted.key
        self.trouble.before("payments.close_page")
        page = self.pages.get(key)
        if isinstance(page, Captured | UnderWay):
            return page
        self.pages[key] = Closed(declined=getattr(page, "declined", 0))
        self.trouble.after("payments.close_page")
        return Closed(declined=getattr(page, "declined", 0))

    async def charge(self, key: str, *_: object) -> ChargeAnswer:
        self.trouble.before("payments.charge")
        if key not in self.charges:
            amount = next(part for part in _ if isinstance(part, Money))
            captured = Captured(reference=f"ch_{len(self.charges)}", amount=amount)
            self.charges[key] = self.next_charge.pop(0) if self.next_charge else captured
        self.trouble.after("payments.charge")
        return self.charges[key]

    async def refund(self, key: str, of: Posted, amount: Money | None = None) -> RefundAnswer:
        self.trouble.before("payments.refund")
        if self.trouble.returned_by_hand:
            return NothingToRefund()
        left = self.left(of.key)
        if left.minor:
            self.refunds.setdefault(key, Refunded(reference=f"re_{len(self.refunds)}", amount=amount or left))
        self.trouble.after("payments.refund")
        return self.refunds.get(key, NothingToRefund())

    def left(self, key: str) -> Money:
        """What was captured under *key*, at a page or by a charge, and is not returned."""
        captured = self.pages.get(key) or self.charges.get(key)
        if not isinstance(captured, Captured):
            return Money(minor=0, currency="USD")
        back = [a.amount.minor for k, a in self.refunds.items() if k.startswith(key) and isinstance(a, Refunded)]
        return captured.amount.model_copy(update={"minor": captured.amount.minor - sum(back)})

    async def look_up(self, posted: Posted) -> LookUpAnswer:
        key = posted.key
        self.trouble.before("payments.look_up")
        if self.trouble.miss:
            self.trouble.miss -= 1
            return NotFound()
        return self.pages.get(key) or self.charges.get(key) or self.refunds.get(key) or NotFound()

    async def methods(self, account: Account, customer: UUID) -> list[SavedMethod]:
        del account
        return [SavedMethod(f"pm_{customer}", "card", "visa", "4242", 12, 2040)]

    async def captures(self, account: Account, since: datetime) -> list[Moved]:
        raise NotImplementedError

    def read_event(self, headers: object, body: bytes) -> GatewayEvent:
        raise NotImplementedError

    async def until_called(self, step: str, *, times: int = 1) -> None:
        """Wait until *step* was called so many *times*."""
        async with asyncio.timeout(15):
            while self.trouble.called[step] < times:
                await asyncio.sleep(0.01)

    # the customer at the page

    def pay(self, key: str, amount: Money) -> None:
        self.pages[key] = Captured(reference=f"pay_{len(self.pages)}", amount=amount)

    def leave(self, key: str, *, declined: int = 0) -> None:
        self.pages[key] = Left(declined=declined)

    def transfer(self, key: str) -> None:
        self.pages[key] = UnderWay()

    def moved(self, session: UUID) -> int:
        """Captured minus refunded, in minor units, by the gateway's own truth."""
        answers = [*self.pages.items(), *self.charges.items()]
        captured = sum(a.amount.minor for k, a in answers if k.startswith(str(session)) and isinstance(a, Captured))
        refunded = sum(
            a.amount.minor for k, a in self.refunds.items() if k.startswith(str(session)) and isinstance(a, Refunded)
        )
        return captured - refunded


class Records:
    """The payments' rows of a world, with the names of their port."""

    def __init__(self, world: World) -> None:
        self.posted = world.posted
        self.choose_method = world.choose_method
        self.page = world.page
        self.charge = world.to_charge
        self.answered = world.answered
        self.keep_methods = world.keep_methods
        self._world = world

    async def refund(self, cmd: Refund) -> ToRefund:
        self._world.first_at(cmd)
        own, of = self._world.to_ask(cmd, cmd.key), self._world.to_ask(cmd, cmd.of)
        return ToRefund("fake", own.posted, of.posted)
