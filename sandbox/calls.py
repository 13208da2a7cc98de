"""What each call of the sandbox's API does, inside one transaction: its effect, its answer, and the key it uses up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from checkout.money import Money
from checkout.outcomes import (
    Answer,
    Captured,
    Closed,
    Declined,
    NotFound,
    NothingToRefund,
    UnderWay,
)
from sandbox import paying, store
from sandbox.answers import KEPT, Attached, Captures, Methods, Moved
from sandbox.instruments import Instrument, saved
from sandbox.records import Key, Payment, stamp
from sandbox.requests import Attach, Charge, ClosePage, Keyed, ListCaptures, ListMethods, LookUp, OpenPage, Refund
from sandbox.turn import Turn

CLOSED: Final = "closed"
"""The call of a tombstone: a key that was closed before anything happened under it."""


class Refused(Exception):
    """The request can't ever work. *code* is stable: key_reused, key_closed, refund_exceeds_capture."""

    def __init__(self, code: str, status: int = 409) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def open_page(turn: Turn, request: OpenPage) -> Answer:
    def act() -> tuple[Answer, str]:
        payment = _payment(request).model_copy(
            update={
                "token": paying.page_token(),
                "page_reference": f"page_{uuid4().hex}",
                "page": request.model_dump_json(),
                "expires_at": stamp(request.expires_at),
            }
        )
        store.add_payment(turn.connection, payment)
        turn.enter(payment, "page_opened")
        return paying.standing(turn, payment), payment.reference

    return _once(turn, request, act)


def close_page(turn: Turn, request: ClosePage) -> Answer:
    if not _close(turn, request, request.key):
        turn.enter_nothing(str(request.account), request.key)
    payment = store.payment_of(turn.connection, str(request.account), request.key)
    if payment is None:
        return Closed()
    standing = paying.standing(turn, payment)
    return standing if isinstance(standing, Captured | UnderWay) else Closed(declined=payment.declined)


def charge(turn: Turn, request: Charge) -> Answer:
    if turn.struck("charge", _payment(request).facts, ("forget_keys",)):
        store.forget_key(turn.connection, str(request.account), request.key)
    instrument = saved(request.method)

    def act() -> tuple[Answer, str]:
        payment = _charged(turn, _payment(request), instrument)
        return paying.standing(turn, payment), payment.reference

    try:
        return _once(turn, request, act)
    except Refused as refused:
        if refused.code != "key_closed":
            raise
        turn.enter_nothing(str(request.account), request.key)
        return Declined(code="key_closed", soft=False)


def _charged(turn: Turn, payment: Payment, instrument: Instrument | None) -> Payment:
    store.add_payment(turn.connection, payment)
    if instrument is None:
        return paying.decline(turn, payment, "unknown_token", soft=False)
    return paying.use(turn, payment, instrument)


def refund(turn: Turn, request: Refund) -> Answer:
    account = str(request.account)

    def act() -> tuple[Answer, str | None]:
        if request.of == request.key:
            raise Refused("key_reused")
        _close(turn, request, request.of, settling=True)
        payment = store.payment_of(turn.connection, account, request.of)
        amount = _to_return(turn, request)
        if payment is not None and amount:
            return paying.give_back(turn, payment, amount, request.key), payment.reference
        turn.enter_nothing(account, request.key)
        return NothingToRefund(), payment.reference if payment else None

    return _once(turn, request, act)


def _to_return(turn: Turn, request: Refund) -> int:
    """How much of it is to go back, in minor units: 0 where nothing was captured or all of it is returned."""
    account = str(request.account)
    captured = store.captures_of(turn.connection, account, request.of)
    held = store.held_of(turn.connection, account, request.of)
    if captured and (request.amount_minor or 0) > held:
        raise Refused("refund_exceeds_capture", 422)
    return (request.amount_minor or held) if captured else 0


def look_up(turn: Turn, request: LookUp) -> Answer:
    account = str(request.account)
    turn.enter_nothing(account, request.key)
    payment = store.payment_of(turn.connection, account, request.key)
    if payment is not None:
        return paying.standing(turn, paying.brought_up_to_date(turn, payment))
    held = store.key_of(turn.connection, account, request.key)
    return KEPT.validate_json(held.answer) if held else NotFound()


def captures(turn: Turn, request: ListCaptures) -> Answer:
    """Reading what moved leaves no line in the ledger: it is about no key."""
    wanted = _ALL | {"account": str(request.account), "at": stamp(request.since), "after": request.after}
    moved = [entry for entry in store.entries(turn.connection, **wanted) if entry.effect == "captured"]
    listed = moved[: request.limit]
    return Captures(
        data=tuple(
            Moved(
                key=entry.key or "",
                reference=entry.reference or "",
                amount=Money(minor=entry.amount_minor or 0, currency=entry.currency or ""),
                at=entry.at,
            )
            for entry in listed
        ),
        after=listed[-1].seq if len(moved) > len(listed) else None,
    )


_ALL: Final[dict[str, str | int | None]] = dict.fromkeys(("key", "reference", "account", "after", "at"))


def attach(turn: Turn, request: Attach) -> Answer:
    turn.enter_nothing(str(request.account), None)
    instrument = saved(request.token)
    if instrument is None:
        return Declined(code="unknown_token", soft=False)
    if request.customer is not None:
        account, customer = str(request.account), str(request.customer)
        store.add_method(turn.connection, account, customer, request.token, stamp(turn.now))
    return _attached(turn, request.token, instrument)


def methods(turn: Turn, request: ListMethods) -> Answer:
    """Reading what is saved leaves no line in the ledger: it is about no key."""
    tokens = store.methods_of(turn.connection, str(request.account), str(request.customer))
    known = ((token, saved(token)) for token in tokens)
    return Methods(data=tuple(_attached(turn, token, instrument) for token, instrument in known if instrument))


def _attached(turn: Turn, token: str, instrument: Instrument) -> Attached:
    year = None if instrument.years is None else turn.now.year + instrument.years
    return Attached(
        token=token,
        type=instrument.type,
        brand=instrument.brand,
        last4=instrument.last4,
        expiry_month=None if year is None else 12,
        expiry_year=year,
    )


def _once(turn: Turn, request: Keyed, act: Callable[[], tuple[Answer, str | None]]) -> Answer:
    """Answer as the first time; *act* and keep its answer when this is the first time. One key, one meaning: members
    that are as if they were absent say nothing, so that a key outlives the code that did not know them.
    """
    account = str(request.account)
    held = store.key_of(turn.connection, account, request.key)
    fingerprint = hashlib.sha256(f"{turn.call} {request.model_dump_json(exclude_defaults=True)}".encode()).hexdigest()
    if held is None:
        answer, reference = act()
        key = Key(
            account=account,
            key=request.key,
            call=turn.call,
            reference=reference,
            fingerprint=fingerprint,
            answer=answer.model_dump_json(),
        )
        store.keep_key(turn.connection, key)
        return answer
    if held.call == CLOSED:
        raise Refused("key_closed")
    if held.fingerprint != fingerprint:
        raise Refused("key_reused")
    turn.enter_nothing(account, request.key)
    return KEPT.validate_json(held.answer)


def _close(turn: Turn, request: Keyed, key: str, *, settling: bool = False) -> bool:
    """Close *key* for good: its open page, with *settling* also one that is under way, or a key never used. Whether
    a page was closed by it.
    """
    account = str(request.account)
    payment = store.payment_of(turn.connection, account, key)
    if payment is not None:
        standing = paying.brought_up_to_date(turn, payment)
        return paying.close(turn, standing, settling=settling) is not standing
    if store.key_of(turn.connection, account, key) is None:
        answer = Closed().model_dump_json()
        tombstone = Key(account=account, key=key, call=CLOSED, reference=None, fingerprint="", answer=answer)
        store.keep_key(turn.connection, tombstone)
    return False


def _payment(request: OpenPage | Charge) -> Payment:
    return Payment(
        account=str(request.account),
        key=request.key,
        reference=str(request.reference),
        amount_minor=request.amount_minor,
        currency=request.currency,
        status="open",
    )


CALLS: Final[dict[str, Callable[[Turn, Any], Answer]]] = {
    "attach": attach,
    "open_page": open_page,
    "close_page": close_page,
    "charge": charge,
    "refund": refund,
    "look_up": look_up,
    "captures": captures,
    "methods": methods,
}
