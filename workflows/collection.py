"""Collecting what is due on a completed session: one thing at a time, each when its moment has come."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from temporalio import workflow

from activities.payments import PaymentActivities
from checkout import instalments
from checkout.commands import (
    AtKey,
    ChangePayment,
    Charge,
    CheckDue,
    DueInstants,
    MethodSaved,
    OpenPage,
    PaymentReported,
    Retry,
)
from checkout.ids import action_key, charge_key
from checkout.instalments import Act, Moment
from checkout.money import Money
from checkout.outcomes import (
    Captured,
    Closed,
    Declined,
    LookUpAnswer,
    MethodChosen,
    NeedsCustomer,
    NoMethod,
    NotDueYet,
    NotFound,
    NotOwed,
    PageOpen,
    UnderWay,
)
from checkout.session import TEMPORAL, Attention, Can, Instalment, PaymentRecord
from workflows.afterwards import give_back_excess, save_method
from workflows.live import LiveSession, failing_at
from workflows.posting import Posting
from workflows.saga import shielded
from workflows.steps import NO_WAY_BACK, SEEN_TO, Steps, name_of

ANOTHER_METHOD: Final = "another_method"
"""Why the customer's page is taken back: they saved another method, which is charged instead."""

SUMMARIES: Final[Mapping[Act, str]] = {
    Act.ANNOUNCE: "is announced",
    Act.OPEN: "needs the customer",
    Act.LOOK_UP: "is looked up again",
    Act.CLOSE: "is no longer waited for",
    Act.CHARGE: "falls due",
}
"""What a timer waits for, in the Temporal UI."""


class Collection:
    """Collects the instalments of a session. Their states hold all that it knows: a further run goes on from them."""

    def __init__(self, live: LiveSession) -> None:
        self._live = live
        self._checked_days = False
        self._told: list[PaymentReported | MethodSaved] = []
        self.steps = Steps(live)

    def tell(self, what: PaymentReported | MethodSaved) -> None:
        """Take a hint, and act on it when the session's standing is known."""
        self._told.append(what)

    async def go_on(self) -> None:
        """Do what comes next for any instalment; or wait until its moment has come, or something has changed."""
        while self._told:
            self._listen(self._told.pop(0))
        if days := self._unresolved():
            return await self._resolve(days)
        if self._live.state.excess:
            return await shielded(give_back_excess(self._live, self.steps))
        if self._live.state.saves_method:
            return await save_method(self._live, self.steps)
        moment = instalments.next_moment(self._live.state.schedule, self._live.policy, workflow.now())
        if moment is None or moment.at > workflow.now():
            return await self._until(moment)
        return await shielded(ACTS[moment.act](self, self.instalment(moment.n)))

    async def _until(self, moment: Moment | None) -> None:
        """A timer is whole seconds at best: who comes back compares with what is due (never before the due instant)."""
        planned, words = self._live.state.schedule, None
        if moment is not None:
            words = f"Instalment {moment.n}: {self.instalment(moment.n).amount} {SUMMARIES[moment.act]}"
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._is_changed(planned),
                timeout=moment.at - workflow.now() if moment else None,
                timeout_summary=words,
            )

    def _is_changed(self, planned: tuple[Instalment, ...]) -> bool:
        told = bool(self._told) or self._live.state.schedule is not planned
        return told or self._live.adrift or self._live.is_long

    # --- days and instants -----------------------------------------------------------------------------------

    def _unresolved(self) -> list[Instalment]:
        """Instalments whose instant is to be found out: each once in a run, before a timer is set to it, and when moved."""
        now, first = workflow.now(), not self._checked_days
        scheduled = (i for i in self._live.state.schedule if i.status == "scheduled" and i.due_at > now)
        ahead = list(scheduled) if first else []
        return ahead + [i for i in self._live.state.schedule if not i.resolved and i not in ahead]

    async def _resolve(self, ahead: list[Instalment]) -> None:
        self._checked_days = True
        days = DueInstants(**self._live.effect(), days=tuple(i.due_on for i in ahead))
        found = await self.steps.run(PaymentActivities.due_instants, days, can=NO_WAY_BACK)
        known = [(i, at) for i, at in zip(ahead, found.at, strict=True) if self._is_still(i)]
        self._note(*(instalments.changed(i, resolved=True) for i, at in known if i.due_at == at))
        if other := [instalments.changed(i, resolved=True, due_at=at) for i, at in known if i.due_at != at]:
            self._live.change("payment.rescheduled", schedule=self._with(*other))

    # --- what is done when a moment has come -----------------------------------------------------------------

    async def _announce(self, i: Instalment) -> None:
        self._put("payment.due_soon", instalments.changed(i, noticed=True))

    async def _charge(self, i: Instalment) -> None:
        """Charge it under a key of its own for each try: a new one only after a definite no. What a run before this
        one began to charge is looked up first.
        """
        begun = i.status == "charging"
        if begun:
            answer = await self._posting().looked_up(self._at(self._key(i), i.amount))
            if not isinstance(answer, NotFound):
                return self._settle(i, answer)
        found = await self.steps.run(PaymentActivities.check_due, self._to_check(i), can=NO_WAY_BACK)
        if not self._is_still(i):
            return None
        if isinstance(found, MethodChosen):
            return await self._post(i, found.method, begun=begun)
        return self._not_charged(i, found)

    async def _post(self, i: Instalment, method: UUID, *, begun: bool) -> None:
        if not begun:
            i = instalments.charging(i, method, self._live.state.completed_at or i.due_at, workflow.now())
            self._put("payment.charging", i)
            await self._live.until_published()
        at = self._at(self._key(i), i.amount)
        charge = Charge(**at.model_dump(), method=method, notes=self._live.confirmation.notes)
        answer = await self._posting().post(PaymentActivities.charge, charge)
        self._settle(i, answer, method)

    def _not_charged(self, i: Instalment, found: NoMethod | NotDueYet | NotOwed) -> None:
        now = workflow.now()
        if isinstance(found, NotDueYet):
            self._put("payment.rescheduled", instalments.changed(i, due_at=found.due_at))
        elif isinstance(found, NoMethod):
            self._put(
                "payment.declined",
                instalments.needs_customer(i, "no_method", self._live.policy, now, attempts=i.attempts + 1),
            )
        else:
            self._put("payment.failed", instalments.changed(i, status="failed", next_at=None, code=found.reason))
            self._ask_about_failed()

    async def _open(self, i: Instalment) -> None:
        """Open the page at which the customer acts, and say where it is."""
        offer, key = self._live.state.offer, self._key(i)
        page = await self.steps.run(
            PaymentActivities.open_page,
            OpenPage(
                **self._live.effect(),
                key=key,
                amount=i.amount,
                estimation_id=offer.estimation_id,
                details=offer.details,
                notes=self._live.confirmation.notes,
                preferred=self._live.confirmation.preferred,
                expires_at=i.action_until or workflow.now(),
                instalment=f"Instalment {i.n} of {len(self._live.state.schedule)}",
            ),
            can=NO_WAY_BACK,
        )
        if not isinstance(page, PageOpen):
            return await self._close(i)
        opened = instalments.action_opened(self.instalment(i.n), page.url, workflow.now())
        return self._put("payment.needs_customer", opened, payments=self._recorded(key, i.amount, "pending"))

    async def _look_up(self, i: Instalment) -> None:
        """Ask what became of what is under way, or of the customer's page."""
        at = self._at(self._key(i), i.amount)
        answer = await self.steps.run(PaymentActivities.look_up, at, can=NO_WAY_BACK)
        self._settle(self.instalment(i.n), answer)

    async def _close(self, i: Instalment) -> None:
        """The customer's time is over: close the page, unless it was paid or is being paid."""
        at = self._at(self._key(i), i.amount)
        answer = await self.steps.run(PaymentActivities.close_page, at, can=NO_WAY_BACK)
        self._settle(self.instalment(i.n), answer)

    # --- what an answer makes of it --------------------------------------------------------------------------

    def _settle(self, i: Instalment, answer: LookUpAnswer, method: UUID | None = None) -> None:
        """Go on from what the gateway says of the instalment's key; *method* is what was charged under it."""
        now, policy = workflow.now(), self._live.policy
        self._live.lower_attention(failing_at(name_of(PaymentActivities.charge)))
        if isinstance(answer, Captured):
            self._captured(i, answer)
        elif isinstance(answer, NeedsCustomer):
            asked = instalments.needs_customer(i, "needs_customer", policy, now)
            self._put("payment.declined", asked, payments=self._recorded(self._key(i), i.amount, "declined"))
        elif isinstance(answer, Closed) and i.code == ANOTHER_METHOD:
            again = instalments.due_now(i, now)
            self._put("payment.declined", again, payments=self._recorded(self._key(i), i.amount, "declined"))
        elif isinstance(answer, Declined | Closed):
            no = answer if isinstance(answer, Declined) else Declined(code=i.code or "closed")
            self._declined(i, instalments.declined(i, no, method, policy, now))
        elif isinstance(answer, UnderWay) and not (i.status == "charging" and i.next_at):
            self._put("payment.under_way", instalments.under_way(i, now))
        else:
            self._note(instalments.asked_again(i, now))
        self._ask_about_failed()

    def _captured(self, i: Instalment, captured: Captured) -> None:
        payments = self._recorded(self._key(i), captured.amount, "captured", captured.reference)
        self._put("payment.captured", instalments.paid(i), payments=payments)
        if not captured.amount.covers(i.amount):
            detail = f"captured {captured.amount} instead of {i.amount} under {self._key(i)}"
            self._ask_somebody("wrong_amount", detail, SEEN_TO)

    def _declined(self, i: Instalment, then: Instalment) -> None:
        payments = self._recorded(self._key(i), i.amount, "declined")
        self._put("payment.failed" if then.status == "failed" else "payment.declined", then, payments=payments)

    def _ask_about_failed(self) -> None:
        """Ask somebody while an instalment has failed, and no longer."""
        if failed := [i for i in self._live.state.schedule if i.status == "failed"]:
            self._ask_somebody("payment_failed", failed[0].code or "declined", NO_WAY_BACK)
        else:
            self._live.lower_attention(lambda asked: asked.reason == "payment_failed")

    def _ask_somebody(self, reason: str, detail: str, can: Can) -> None:
        self._live.ask_for_attention(
            Attention(reason=reason, step="payments.charge", since=workflow.now(), detail=detail, can=can)
        )

    # --- what others want ------------------------------------------------------------------------------------

    def change(self, cmd: ChangePayment) -> None:
        """Change an instalment as a merchant or an operator asked, and the payment with it."""
        i = instalments.after_change(self.instalment(cmd.n), cmd, workflow.now())
        told = cmd.model_dump(mode="json", include={"n", "action", "date", "reason"})
        self._put("payment.changed", i, captured=False, by=cmd, data=told)
        self._ask_about_failed()

    def retry_failed(self, cmd: Retry) -> None:
        """Charge at once whatever has failed."""
        failed = [i for i in self._live.state.schedule if i.status == "failed"]
        again = [instalments.due_now(i, workflow.now()) for i in failed]
        self._live.change("checkout_session.retried", by=cmd, data={"reason": cmd.reason}, schedule=self._with(*again))
        self._follow()

    def _listen(self, told: PaymentReported | MethodSaved) -> None:
        if isinstance(told, MethodSaved):
            self._save_method(told.method)
        else:
            self._hear(told.key)

    def _hear(self, key: str | None) -> None:
        """Something is said to have happened at the gateway: look it up now."""
        now = workflow.now()
        about = (i for i in self._live.state.schedule if i.next_at and i.status in {"charging", "needs_customer"})
        self._note(*(instalments.changed(i, next_at=now) for i in about if key in {None, self._key(i)}))

    def _save_method(self, method: UUID) -> None:
        """The customer saved another method: what was refused is charged to it, once their page is closed."""
        told = [i for i in self._live.state.schedule if i.status in instalments.REFUSED and i.method != method]
        if told:
            schedule = self._with(*(self._to_charge(i, method) for i in told))
            self._live.change("payment.method_saved", schedule=schedule)
            self._follow()

    def _to_charge(self, i: Instalment, method: UUID) -> Instalment:
        if i.status == "needs_customer":
            return instalments.changed(i, method=method, code=ANOTHER_METHOD, action_until=workflow.now())
        return instalments.due_now(i, workflow.now(), method=method)

    def take_back_page(self, n: int) -> None:
        """Have the customer's page closed: it may turn out to be paid."""
        self._note(instalments.changed(self.instalment(n), action_until=workflow.now()))

    async def cancel_the_rest(self) -> None:
        """Nothing is charged any more; what may still arrive is waited for."""
        for i in self._live.state.schedule:
            if i.status == "needs_customer":
                await self._close(i)
        while under_way := next((i for i in self._live.state.schedule if i.status == "charging"), None):
            await self._until_known(under_way)
        rest = [instalments.changed(i, status="cancelled", next_at=None) for i in self._live.state.schedule if i.owed]
        if rest:
            self._live.change("payment.cancelled", actor=TEMPORAL, schedule=self._with(*rest))
            self._follow(captured=False)
        while self._live.state.excess:
            await give_back_excess(self._live, self.steps)

    async def _until_known(self, i: Instalment) -> None:
        """Look a charge up until it is known what became of it; one that never arrived will not any more."""
        answer = await self._posting().looked_up(self._at(self._key(i), i.amount))
        if isinstance(answer, NotFound):
            self._note(instalments.changed(i, status="declined", next_at=None))
            return
        self._settle(i, answer)
        if isinstance(answer, UnderWay):
            await workflow.sleep(instalments.SOONEST, summary="Look up again what is under way")

    # --- the schedule ----------------------------------------------------------------------------------------

    def instalment(self, n: int) -> Instalment:
        """The instalment *n* as it is now."""
        return next(i for i in self._live.state.schedule if i.n == n)

    def _is_still(self, i: Instalment) -> bool:
        """Whether nobody changed it meanwhile."""
        return self.instalment(i.n) is i

    def _with(self, *those: Instalment) -> tuple[Instalment, ...]:
        """The schedule with *those* in their places."""
        now = {i.n: i for i in those}
        return tuple(now.get(i.n, i) for i in self._live.state.schedule)

    def _note(self, *those: Instalment) -> None:
        if those:
            self._live.note(schedule=self._with(*those))

    def _put(self, kind: str, i: Instalment, *, captured: bool = True, **more: Any) -> None:
        """Change an instalment as one event: the payment's own, where it changes the payment, else *kind*."""
        schedule = self._with(i)
        event = instalments.event_of(self._live.state.payment_status, schedule, captured=captured)
        if event is None:
            self._live.change(kind, schedule=schedule, **more)
        else:
            self._live.pay(event, schedule=schedule, **more)

    def _follow(self, *, captured: bool = True) -> None:
        """Let the payment, and the attention, follow a schedule that somebody changed."""
        event = instalments.event_of(self._live.state.payment_status, self._live.state.schedule, captured=captured)
        if event is not None:
            self._live.pay(event)
        self._ask_about_failed()

    def _recorded(
        self, key: str, amount: Money, status: str, reference: str | None = None
    ) -> tuple[PaymentRecord, ...]:
        record = {"key": key, "kind": "charge", "amount": amount, "status": status, "reference": reference}
        return self._live.with_payment(PaymentRecord.model_validate({**record, "at": workflow.now()}))

    # --- keys and commands -----------------------------------------------------------------------------------

    def _key(self, i: Instalment) -> str:
        """The key that the instalment's last try is under: of the charge, or of the customer's page."""
        charge = charge_key(self._live.state.id, self._live.confirmation.attempt, i.n, i.attempts)
        return action_key(charge) if i.status == "needs_customer" or i.action_url else charge

    def _at(self, key: str, amount: Money) -> AtKey:
        return AtKey(**self._live.effect(), key=key, amount=amount)

    def _posting(self) -> Posting:
        return Posting(self._live, self.steps)

    def _to_check(self, i: Instalment) -> CheckDue:
        state = self._live.state
        asked = (i.method, self._live.confirmation.method)
        return CheckDue(
            **self._live.effect(),
            customer=_there(state.customer),
            contract=_there(state.contract),
            estimation_id=state.offer.estimation_id,
            n=i.n,
            amount=i.amount,
            due_on=i.due_on if i.status == "scheduled" else None,
            methods=tuple(method for method in asked if method is not None),
            refused=i.refused,
        )


def _there(of: UUID | None) -> UUID:
    """The id; a completed session that owes something has a customer and a contract."""
    if of is None:
        raise RuntimeError("a session that owes something has a customer and a contract")
    return of


ACTS: Final[Mapping[Act, Callable[[Collection, Instalment], Coroutine[Any, Any, None]]]] = {
    Act.ANNOUNCE: Collection._announce,  # noqa: SLF001 - the table of its own methods
    Act.OPEN: Collection._open,  # noqa: SLF001
    Act.LOOK_UP: Collection._look_up,  # noqa: SLF001
    Act.CLOSE: Collection._close,  # noqa: SLF001
    Act.CHARGE: Collection._charge,  # noqa: SLF001
}
