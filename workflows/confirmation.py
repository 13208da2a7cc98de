"""Confirming is one saga: steps in order, the undo above each step (design.md, section 5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from checkout.commands import ArchiveCustomer, ChooseMethod, ContractStep, CreateCustomer, Effect
from checkout.ids import contract_of, page_key
from checkout.lifecycle import Payment
from checkout.outcomes import CustomerReady, MethodChosen, Refused
from checkout.session import Instalment, Mode, Undo
from workflows.hosted_page import HostedPage, Refusal
from workflows.live import LiveSession
from workflows.saga import Saga, Undone
from workflows.steps import NO_WAY_BACK, Steps

Command = TypeVar("Command", bound=Effect)
Answer = TypeVar("Answer")


class Confirmation:
    """One attempt to confirm, with what its steps and undos are given."""

    def __init__(self, live: LiveSession, steps: Steps, page: HostedPage) -> None:
        self._live = live
        self._steps = steps
        self._steps.listed = True
        self._page = page

    async def run(self, *, taken_over: bool, undo: Undo | None) -> None:
        """Take every step. Ends with the contract in force and the money captured, scheduled or not owed; or raises
        Undone, or the workflow's cancellation, with all of it undone. Of what is *taken over*, a run before this one may
        have taken any step: taking it again finds what it made, and whatever it made is undone. With *undo* it is only
        undone.
        """
        state, mode = self._live.state, self._live.confirmation.mode
        owed = state.offer.amount_due.minor > 0 and mode is not Mode.NO_PAYMENT
        async with Saga(self._steps.turn_back) as saga:
            for each in self._undos(owed) if taken_over else ():
                saga.on_failure(each)
            if undo is not None:
                raise Undone(undo)

            if owed and mode is Mode.CHARGE_WHEN_DUE:
                await self._choose_method()

            if state.guest_checkout:
                saga.on_failure(self._archive_customer)
                await self._create_customer()

            saga.on_failure(self._void_contract)
            await self._draft_contract()

            if owed and mode is Mode.CHARGE_IMMEDIATELY:
                saga.on_failure(self._page.refund)
                saga.on_failure(self._page.close)
                await self._page.until_paid()

            if owed and mode is Mode.CHARGE_WHEN_DUE:
                self._schedule()
            await self._activate_contract()

    def _undos(self, owed: bool) -> Iterator[Callable[[], Awaitable[None]]]:  # noqa: FBT001 - no flag, a fact
        """The undo of every step, in the order of the steps."""
        if self._live.state.guest_checkout:
            yield self._archive_customer
        yield self._void_contract
        if owed and self._live.confirmation.mode is Mode.CHARGE_IMMEDIATELY:
            yield self._page.refund
            yield self._page.close

    async def _choose_method(self) -> None:
        state, confirmation = self._live.state, self._live.confirmation
        if state.customer is None:
            raise Refusal("payment-method-required", "A guest has no saved payment method.")
        chosen = await self._go(
            PaymentActivities.choose_method,
            ChooseMethod(
                **self._live.effect(),
                customer=state.customer,
                method=confirmation.method,
                preferred=confirmation.preferred,
            ),
        )
        if isinstance(chosen, MethodChosen):
            self._live.note(confirmation=self._live.confirmation.model_copy(update={"method": chosen.method}))

    async def _create_customer(self) -> None:
        state = self._live.state
        ready = await self._go(
            CustomerActivities.create,
            CreateCustomer(
                **self._live.effect(),
                attempt=self._live.confirmation.attempt,
                details=state.offer.details,
                business_entity=state.business_entity,
            ),
        )
        if isinstance(ready, CustomerReady) and state.customer != ready.customer:
            self._live.change("customer.created" if ready.created else "customer.linked", customer=ready.customer)

    async def _archive_customer(self) -> None:
        archive = ArchiveCustomer(**self._live.effect(), attempt=self._live.confirmation.attempt)
        await self._steps.run(CustomerActivities.archive, archive, can=NO_WAY_BACK)
        self._live.note(customer=None)

    async def _draft_contract(self) -> None:
        contract = self._contract()
        await self._go(ContractActivities.draft, contract)
        if self._live.state.contract != contract.contract:
            self._live.change("contract.created", contract=contract.contract)

    async def _activate_contract(self) -> None:
        told = self._live.has_done("contracts.activate")
        contract = self._contract()
        if self._live.state.payment_status is Payment.PAID:
            key = page_key(contract.session, contract.attempt)
            contract = contract.model_copy(update={"paid": key})
        await self._go(ContractActivities.activate, contract)
        if not told:
            self._live.change("contract.activated")

    async def _void_contract(self) -> None:
        await self._steps.run(ContractActivities.void, self._contract(), can=NO_WAY_BACK)
        self._live.change("contract.voided", contract=None, schedule=())

    def _contract(self) -> ContractStep:
        state = self._live.state
        return ContractStep(
            **self._live.effect(),
            contract=contract_of(state.id, self._live.confirmation.attempt),
            attempt=self._live.confirmation.attempt,
            customer=state.customer,
            estimation_id=state.offer.estimation_id,
            plan=state.offer.plan,
        )

    def _schedule(self) -> None:
        """Owe the instalments: in the state, hence durable, before the contract is in force."""
        owed = self._live.state.offer.schedule
        self._live.note(schedule=tuple(Instalment(**due.model_dump()) for due in owed))

    async def _go(self, step: Callable[[Any, Command], Awaitable[Answer]], command: Command) -> Answer:
        """Take a step forward; a refusal turns the saga back."""
        answer = await self._steps.run(step, command)
        if isinstance(answer, Refused):
            raise Refusal(answer.problem, answer.detail)
        return answer
