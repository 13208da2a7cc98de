"""Changing what is due on a completed session: when it is charged, whether, and to which saved method."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from pydantic import BeforeValidator, WithJsonSchema

from api.auth import Merchant
from api.checkouts import Sessions
from api.etags import IfMatch
from api.idempotency import IdempotencyKey
from api.offers import now, organisation_of
from api.parts import Data
from api.problems import Problem, invalid
from api.routes import router as routes
from api.session_answer import Session
from api.session_bodies import PaymentChange
from api.session_calls import answer_told, command_of
from checkout.billing import after
from checkout.commands import ChangePayment
from checkout.due import start_of
from checkout.session import SessionState
from checkout.terms import LONGEST
from store import payment_methods, sessions
from store.database import Connection

router: Final = routes("/checkout_session", "Checkout sessions")


def _counted(text: Any) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", str(text), re.ASCII):
        raise ValueError("must be the number of an instalment: 1, 2, ...")
    return int(text)


Number = Annotated[int, BeforeValidator(_counted), WithJsonSchema({"type": "integer", "minimum": 1})]
"""Which instalment: they count from 1."""


@router.patch(
    "/{session_id}/payment_schedule/{n}",
    summary="Change a due payment: move it, bring it forward, pause, resume or cancel it, or change its method",
    response_model=Session,
    responses={202: {"model": Session, "description": "Still at work: the same request later finds the outcome"}},
)
async def change_payment(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID,
    n: Number,
    request: Request,
    body: PaymentChange,
    caller: Merchant,
    database: Data,
    checkouts: Sessions,
    key: IdempotencyKey,
    version: IfMatch,
) -> Response:
    """Only before charging begins, and between two tries. A date is a day of the organisation: today or past is now."""
    said = body.model_dump(exclude={"payment_method_id"})
    cmd = ChangePayment(**command_of(request, body, caller, version), **said, n=n, method=body.payment_method_id)
    told = key and await checkouts.told_before(caller, session_id, "change_payment", cmd.fingerprint, key)
    if not told:
        state = await checkouts.state(caller.organisation, session_id)
        async with database.of(caller.organisation) as connection:
            cmd = await _checked(connection, state, cmd)
        told = await checkouts.tell(caller, session_id, "change_payment", cmd, key)
    return await answer_told(checkouts, caller, session_id, told)


async def _checked(connection: Connection, state: SessionState, cmd: ChangePayment) -> ChangePayment:
    """The change, with the instant at which its day begins. Raises what rows tell before the session is asked, by its
    own clock: `not-found`, `validation`, `payment-method-unusable`.
    """
    at = state.now(now())
    if cmd.n not in {instalment.n for instalment in state.schedule}:
        raise Problem("not-found", "The session has no such instalment.")
    if cmd.method and not (state.customer and await payment_methods.usable(connection, state.customer, cmd.method, at)):
        raise Problem("payment-method-unusable")
    if cmd.date is None:
        return cmd
    zone: str = (await organisation_of(connection, state.organisation))["time_zone"]
    if cmd.action == "move":
        await _refuse_out_of_range(connection, state, cmd.date, at.astimezone(ZoneInfo(zone)).date())
    return cmd.model_copy(update={"due_at": start_of(cmd.date, zone)})


async def _refuse_out_of_range(connection: Connection, state: SessionState, day: date, today: date) -> None:
    """Raise `validation` where *day* is before the contract starts, or more than 5 years away."""
    content = (await sessions.documents(connection, state))["content"]
    if day < date.fromisoformat(content["contract"]["start_date"]):
        raise invalid(("body", "date"), "must not be before the contract starts")
    if day > after(today, LONGEST):
        raise invalid(("body", "date"), "must not be more than 5 years away")
