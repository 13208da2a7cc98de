"""Loose ends: what rows and gateway hold of a session that is no part of it, taken back when a further run finds it.

A run that was reset or terminated may have moved money, or made a contract, that the run after it knows nothing of;
and a payment may arrive for a session that is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from temporalio import workflow

from activities.contracts import ContractActivities
from activities.customers import CustomerActivities
from activities.payments import PaymentActivities
from activities.sessions import SessionActivities
from checkout.commands import ArchiveCustomer, AtKey, ContractStep, FindLooseEnds, Refund
from checkout.ids import refund_key
from checkout.outcomes import (
    Captured,
    Closed,
    LookUpAnswer,
    LooseCharge,
    LooseContract,
    NotFound,
    PageOpen,
    Refunded,
    UnderWay,
)
from checkout.session import Attention, PaymentRecord
from workflows.live import REWOUND, LiveSession
from workflows.posting import Posting, refund_record
from workflows.steps import NO_WAY_BACK, SEEN_TO, Steps

MOST_REPORTED: Final = 50
"""How many reports of late money one run looks into; the reconciler finds what is beyond."""


class LooseEnds:
    """Finds what is no part of the session, and takes it back. The session's status and payment stay as they are.
    While it is *tying*, nothing new may begin, and a retry is for its *steps*.
    """

    def __init__(self, live: LiveSession) -> None:
        self._live = live
        self.steps = Steps(live)
        self._reported: list[str] = []
        self._missing: list[str] = []
        self._rewound = False
        self._asked_before: tuple[Attention, ...] = ()
        self.tying = False
        self._looked_into = 0

    def report(self, key: str) -> None:
        """Money is said to have arrived under *key*: to be looked into where that is no part of the session."""
        if self._live.state.is_late(key) and key not in self._reported and self._looked_into < MOST_REPORTED:
            self._looked_into += 1
            self._reported.append(key)
            self._live.adrift = True

    def miss(self, keys: Iterable[str]) -> None:
        """The gateway does not know of money that our rows have under *keys*."""
        self._missing += keys
        self._live.adrift = True

    def rewind(self) -> None:
        """What reads show was written by another run: this one was reset."""
        self._rewound = True

    @property
    def asks(self) -> bool:
        """Whether what is being taken back now needs somebody: not whether something else did before."""
        return any(asked not in self._asked_before for asked in self._live.state.asks)

    async def tie(self) -> None:
        """Take back what does not belong to the session: of attempts that do not stand, and under the keys that were
        reported, whatever their rows say.
        """
        self._live.adrift, self.tying = False, True
        self._asked_before, self.steps = self._live.state.asks, Steps(self._live)
        reported, self._reported = tuple(filter(self._live.state.is_late, self._reported)), []
        missing, self._missing = self._missing, []
        if self._rewound:
            self._rewound = False
            self._live.change(REWOUND)
        kept = self._live.state.kept
        find = FindLooseEnds(**self._live.effect(), kept=kept, reported=reported)
        found = await self.steps.run(SessionActivities.loose_ends, find, can=NO_WAY_BACK)
        self._live.note(attempts=max(self._live.state.attempts, found.attempts))
        for contract in found.contracts:
            await self._void(contract)
        for charge in found.charges:
            if self._live.state.is_late(charge.key):
                await self._take_back(charge)
        if found.guest and self._live.state.guest_checkout:
            await self._archive_guest(kept)
        for key in missing:
            self._live.ask_for_attention(_missing(key))
        self.tying = False

    async def _take_back(self, loose: LooseCharge) -> None:
        """Ask the gateway what became of it, and return what it captured. A charge that the gateway does not know is
        closed by its refund, so that it can't arrive later. But where it has no row either, nobody ever posted it, and
        its key may still be needed: whoever reported it was wrong.
        """
        if not loose.recorded and isinstance(await self._looked_up(loose), NotFound):
            return
        answer = await self._settled(loose)
        if isinstance(answer, Captured):
            self._tell_of(_charge(loose, answer))
        elif not isinstance(answer, NotFound):
            return
        amount = answer.amount if isinstance(answer, Captured) else loose.amount
        refund = Refund(**self._live.effect(), key=refund_key(loose.key), of=loose.key, amount=amount)
        posting = Posting(self._live, self.steps)
        returned = await posting.post(PaymentActivities.refund, refund)
        if isinstance(returned, Refunded):
            record = refund_record(posting.key, "refunded", returned.amount, returned.reference)
            self._live.change("payment.refunded", payments=self._live.with_payment(record))
        elif isinstance(answer, Captured):
            self._live.ask_for_attention(nothing_to_return(loose.key))

    def _tell_of(self, late: PaymentRecord) -> None:
        """Say that money came late, unless a run before this one did."""
        if not any((known.key, known.status) == (late.key, late.status) for known in self._live.state.payments):
            self._live.change("payment.late", payments=self._live.with_payment(late))

    async def _settled(self, loose: LooseCharge) -> LookUpAnswer:
        """What is definite of it. What is under way is waited for; a page is closed, and only closing it tells what came
        of it: one that was left can be paid again.
        """
        at = self._at(loose)
        while True:
            answer: LookUpAnswer | None = await self.steps.run(
                PaymentActivities.close_page if loose.page else PaymentActivities.look_up, at, can=NO_WAY_BACK
            )
            if isinstance(answer, UnderWay | PageOpen):
                answer = await self.steps.ask(
                    PaymentActivities.page_outcome, at, until=lambda: False, deadline=None, can=NO_WAY_BACK
                )
            if answer is not None and (isinstance(answer, Captured | Closed) or not loose.page):
                return answer

    async def _looked_up(self, loose: LooseCharge) -> LookUpAnswer:
        return await self.steps.run(PaymentActivities.look_up, self._at(loose), can=NO_WAY_BACK)

    def _at(self, loose: LooseCharge) -> AtKey:
        return AtKey(**self._live.effect(), key=loose.key, amount=loose.amount)

    async def _void(self, loose: LooseContract) -> None:
        step = ContractStep(
            **self._live.effect(),
            contract=loose.contract,
            attempt=loose.attempt,
            customer=None,
            estimation_id=loose.estimation_id,
            plan=None,
        )
        await self.steps.run(ContractActivities.void, step, can=NO_WAY_BACK)
        self._live.change("contract.voided", data={"attempt": loose.attempt})

    async def _archive_guest(self, kept: int | None) -> None:
        attempt = self._live.state.attempts if kept is None else kept - 1
        await self.steps.run(
            CustomerActivities.archive, ArchiveCustomer(**self._live.effect(), attempt=attempt), can=NO_WAY_BACK
        )


def nothing_to_return(key: str) -> Attention:
    """Asks somebody who returned what the gateway captured under *key*, as it says that there is nothing to return."""
    return Attention(
        reason="nothing_to_refund",
        step="payments.refund",
        since=workflow.now(),
        detail=f"the gateway captured {key} and has nothing to return: see there who returned it",
        can=SEEN_TO,
        key=key,
    )


def _missing(key: str) -> Attention:
    return Attention(
        reason="payment_missing",
        step="payments.look_up",
        since=workflow.now(),
        detail=f"the gateway does not know of {key}",
        can=SEEN_TO,
        key=key,
    )


def _charge(loose: LooseCharge, captured: Captured) -> PaymentRecord:
    return PaymentRecord(
        key=loose.key,
        kind="charge",
        amount=captured.amount,
        status="captured",
        reference=captured.reference,
        at=workflow.now(),
        late=True,
    )
