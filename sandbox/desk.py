"""Where calls come in: each runs as one transaction, with the fault whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from checkout.outcomes import Answer
from sandbox import arming, paying, store
from sandbox.calls import CALLS, Refused
from sandbox.records import Event, Said, stamp
from sandbox.requests import Keyed
from sandbox.requests import Request as Body
from sandbox.turn import BY_ITSELF, Asking, Turn

if TYPE_CHECKING:
    from sandbox.webhooks import Deliverer

T = TypeVar("T")
Heard = Callable[[Said], Said | None]
"""What a caller hears of the true answer."""

SHOWN: Final = {"amount_minor", "currency", "method", "token", "of", "customer", "save_for"}
"""The members of a call that the ledger shows as what was asked: nothing that says who the customer is."""


HEADER: Final = "X-Sandbox-Fault"


def problem(status: int, code: str, **headers: str) -> Response:
    """An error as this provider writes it: `{"error": {"code"}}`."""
    return JSONResponse({"error": {"code": code}}, status, headers)


def truly(said: Said) -> Said:
    return said


def _in_silence(_: object) -> None:
    """No call, no answer."""


class Desk:
    """*base* is the address the pages stand under; slow payments take *settling*; faults strike only in a *sandbox*."""

    def __init__(
        self, books: store.Store, deliverer: Deliverer, base: str, settling: timedelta, *, sandbox: bool
    ) -> None:
        self.books = books
        self.sandbox = sandbox
        self._deliverer = deliverer
        self._base = base
        self._settling = settling

    async def turn(
        self,
        call: str,
        act: Callable[[Turn], T],
        asking: Asking = BY_ITSELF,
        heard: Callable[[T], Said | None] = _in_silence,
    ) -> T:
        """Run *act* as one transaction, and note what will be *heard* of its result; its events leave afterwards, or
        first where a fault says so.
        """

        def write(connection: store.Connection) -> tuple[T, list[Event]]:
            turn = Turn(connection, datetime.now(UTC), call, self._base, self._settling, self.sandbox, asking)
            result = act(turn)
            turn.write_up(heard(result))
            return result, turn.events

        result, events = await self.books.write(write)
        await self._deliverer.deliver([event for event in events if event.fault == "before_reply"])
        self._deliverer.wake()
        return result

    async def keep_settling(self, every: float = 0.2) -> None:
        """Settle and expire what is due, for ever; what fell due while the process was away comes first."""
        while True:
            due = await self.books.read(lambda connection: store.due_payments(connection, stamp(datetime.now(UTC))))
            for payment in due:
                await self.turn("page", lambda turn, key=(payment.account, payment.key): _settle(turn, *key))  # type: ignore[misc]
            await asyncio.sleep(every)


@dataclass(frozen=True)
class Visit:
    """One call at the desk: what a fault may do with it."""

    desk: Desk
    call: str
    body: Body
    request: Request

    @property
    def named(self) -> tuple[str, ...]:
        """The faults that the call itself asks for: `X-Sandbox-Fault: lost_reply, drop`."""
        given = self.request.headers.get(HEADER, "") if self.desk.sandbox else ""
        return tuple(name.strip() for name in given.split(",") if name.strip())

    async def fault(self) -> str | None:
        """The fault that strikes this call before its effect, used up by it."""
        among = arming.of_replies(self.call)
        return await self.desk.turn(
            self.call, lambda turn: turn.struck(self.call, _facts(turn, self.body), among), self._asking()
        )

    async def take_effect(self, heard: Heard = truly) -> Response:
        """Do what was asked and give the true answer, of which the caller will hear what *heard* says."""
        asking = self._asking(answered=heard is truly)
        try:
            answer = await self.desk.turn(
                self.call, lambda turn: CALLS[self.call](turn, self.body), asking, lambda answer: heard(_said(answer))
            )
        except Refused as refused:
            refusal = Said(status=refused.status, code=refused.code)
            await self.take_no_effect(heard(refusal), answered=heard is truly)
            return problem(refused.status, refused.code)
        return Response(answer.model_dump_json(), media_type="application/json")

    async def take_no_effect(self, said: Said | None = None, *, answered: bool = False) -> None:
        """Only write into the ledger that there was such a call, and what is said to it."""
        account, key = str(self.body.account), self.body.key if isinstance(self.body, Keyed) else None
        asking = self._asking(answered=answered)
        await self.desk.turn(self.call, lambda turn: turn.enter_nothing(account, key), asking, lambda _: said)

    def _asking(self, *, answered: bool = True) -> Asking:
        return Asking(self.body.model_dump(mode="json", include=SHOWN, exclude_none=True), answered, self.named)


def _said(answer: Answer) -> Said:
    return Said(status=200, outcome=getattr(answer, "outcome", None))


def _settle(turn: Turn, account: str, key: str) -> None:
    payment = store.payment_of(turn.connection, account, key)
    if payment is not None:
        paying.brought_up_to_date(turn, payment)


def _facts(turn: Turn, body: Body) -> dict[str, str | None]:
    """What a fault can match a call by; a call that names no reference has that of its key."""
    key = body.key if isinstance(body, Keyed) else None
    account = str(body.account)
    reference = getattr(body, "reference", None)
    if reference is None and key is not None:
        known = store.payment_of(turn.connection, account, getattr(body, "of", key))
        reference = known.reference if known else None
    return {"key": key, "account": account, "reference": str(reference) if reference else None}
