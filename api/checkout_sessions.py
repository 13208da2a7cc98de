"""Checkout sessions: open, read, change, confirm, cancel; retry, compensate and acknowledge for operators."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response
from psycopg.rows import DictRow

from api.auth import Caller, Merchant, Operator
from api.checkouts import Sessions
from api.etags import IfMatch
from api.fields import Instant, QueryBool
from api.idempotency import IdempotencyKey, fingerprint
from api.lists import Listed, listed, listing
from api.offers import asked_for, keep, opening_of, organisation_of, patient
from api.parts import Data, Gateways
from api.problems import Problem
from api.routes import router as routes
from api.session_answer import Session, Summary, billed_to, shown
from api.session_bodies import (
    AcknowledgeBody,
    CancelBody,
    ChangedSession,
    CompensateBody,
    ConfirmBody,
    NewSession,
    RetryBody,
    TestClockBody,
)
from api.session_calls import answer_of, answer_told, command_of
from api.session_changes import changed
from checkout.commands import Acknowledge, Cancel, Compensate, Confirm, MoveClock, Retry
from checkout.ids import details_of, session_of
from checkout.lifecycle import Payment, Status
from checkout.money import Currency
from checkout.session import SessionState
from store import sessions
from store.lists import ListQuery, page

router: Final = routes("/checkout_session", "Checkout sessions")

FILTERS: Final[dict[str, Any]] = {
    "created_at": Instant,
    "confirmed_at": Instant,
    "paid_at": Instant,
    "last_activity_at": Instant,
    "due_at": Instant,
    "checkout_session_status": Status,
    "payment_status": Payment,
    "customer_id": UUID,
    "contract_id": UUID,
    "guest_checkout": QueryBool,
    "business_entity_id": UUID,
    "currency": Currency,
    "needs_attention": QueryBool,
}
Query = Annotated[ListQuery, Depends(listing(FILTERS, ("created_at", "last_activity_at")))]


@router.post("", status_code=201, summary="Open a checkout session", response_model=Session)
async def create(  # noqa: PLR0913, PLR0917 - what a route asks for
    request: Request,
    body: NewSession,
    caller: Merchant,
    database: Data,
    gateways: Gateways,
    checkouts: Sessions,
    key: IdempotencyKey,
) -> Response:
    key = _one_key(key, body.idempotency_key)
    session = session_of(caller.organisation, key) if key else uuid4()
    print_ = fingerprint(request, body.model_copy(update={"idempotency_key": None}))
    if key and (first := await checkouts.opened(caller.organisation, session)):
        return await _opened_before(checkouts, first, print_)

    async with database.of(caller.organisation) as connection:
        opening = await opening_of(connection, caller.organisation, session, body, (print_, key))
    opening = patient(opening, gateways.values())
    if not await checkouts.start(opening):
        first = await checkouts.opened(caller.organisation, session)
        return await _opened_before(checkouts, first or opening.state(), print_)
    return answer_of(await checkouts.show(opening.state()), 201)


@router.post("/summary", summary="Estimate what a session would cost; nothing is written")
async def summary(body: NewSession, caller: Merchant, database: Data) -> Summary:
    async with database.of(caller.organisation) as connection:
        price, details = await asked_for(connection, await organisation_of(connection, caller.organisation), body)
    content = price.model_dump(mode="json", include={"contract", "estimates"})
    return Summary(
        contract=content["contract"],
        currency=price.amount_due.currency,
        estimates=billed_to(content["estimates"], details["customer"]),
    )


@router.get("/{session_id}", summary="Read a session", response_model=Session)
async def read(session_id: UUID, caller: Merchant, checkouts: Sessions) -> Response:
    return answer_of(await checkouts.read(caller.organisation, session_id))


@router.get("", summary="List sessions")
async def list_all(query: Query, caller: Merchant, database: Data) -> Listed[Session]:
    async with database.of(caller.organisation) as connection:
        return listed(await page(connection, sessions.SELECT, query), query, _shown_row)


@router.put("/{session_id}", summary="Change an open session, all or nothing", response_model=Session)
async def change(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID,
    request: Request,
    body: ChangedSession,
    caller: Merchant,
    database: Data,
    checkouts: Sessions,
    key: IdempotencyKey,
    version: IfMatch,
) -> Response:
    command = command_of(request, body, caller, version)
    told = await changed(checkouts, database, caller, session_id, body, command, key)
    return await answer_told(checkouts, caller, session_id, told)


@router.post(
    "/{session_id}/confirm",
    summary="Confirm: make the contract, and collect, schedule or skip the payment",
    response_model=Session,
    responses={
        202: {"model": Session, "description": "Still at work: the same request later finds the outcome"},
        302: {"model": Session, "description": "With `redirect`: to the payment page, in `Location`"},
    },
)
async def confirm(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID,
    request: Request,
    body: ConfirmBody,
    caller: Merchant,
    database: Data,
    checkouts: Sessions,
    key: IdempotencyKey,
    version: IfMatch,
) -> Response:
    command = command_of(request, body, caller, version)
    said = body.model_dump(mode="json", include={"payment_description", "customer_notes"}, exclude_none=True)
    cmd = Confirm(
        **command,
        mode=body.confirmation,
        method=body.payment_method_id,
        preferred=body.preferred_payment_method,
        save_method=body.save_payment_method,
        notes=await _said(checkouts, database, caller, session_id, (command["fingerprint"], said)),
        estimation_id=body.estimation_id,
    )
    told = await checkouts.tell(caller, session_id, "confirm", cmd, key)
    return await answer_told(checkouts, caller, session_id, told, redirect=body.redirect)


@router.post("/{session_id}/cancel", summary="Cancel an open session", response_model=Session)
async def cancel(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID,
    request: Request,
    caller: Merchant,
    database: Data,
    checkouts: Sessions,
    key: IdempotencyKey,
    version: IfMatch,
    body: CancelBody | None = None,
) -> Response:
    body = body or CancelBody()
    command = command_of(request, body, caller, version)
    said = body.model_dump(mode="json")
    details = await _said(checkouts, database, caller, session_id, (command["fingerprint"], said))
    told = await checkouts.tell(caller, session_id, "cancel", Cancel(**command, details=details), key)
    return await answer_told(checkouts, caller, session_id, told)


@router.post("/{session_id}/retry", summary="Run the failing step again now", response_model=Session)
async def retry(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID, request: Request, body: RetryBody, caller: Operator, checkouts: Sessions, key: IdempotencyKey
) -> Response:
    cmd = Retry(**command_of(request, body, caller, None), reason=body.reason)
    return await answer_told(checkouts, caller, session_id, await checkouts.tell(caller, session_id, "retry", cmd, key))


@router.post("/{session_id}/acknowledge", summary="Say that somebody has seen to it", response_model=Session)
async def acknowledge(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID,
    request: Request,
    body: AcknowledgeBody,
    caller: Operator,
    checkouts: Sessions,
    key: IdempotencyKey,
) -> Response:
    cmd = Acknowledge(**command_of(request, body, caller, None), reason=body.reason)
    told = await checkouts.tell(caller, session_id, "acknowledge", cmd, key)
    return await answer_told(checkouts, caller, session_id, told)


@router.post("/{session_id}/compensate", summary="Undo everything done so far", response_model=Session)
async def compensate(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID, request: Request, body: CompensateBody, caller: Operator, checkouts: Sessions, key: IdempotencyKey
) -> Response:
    cmd = Compensate(**command_of(request, body, caller, None), reason=body.reason, then=body.then)
    return await answer_told(
        checkouts, caller, session_id, await checkouts.tell(caller, session_id, "compensate", cmd, key)
    )


@router.post(
    "/{session_id}/test_clock",
    summary="In a sandbox: move this session's clock, and no other's",
    response_model=Session,
    responses={202: {"model": Session, "description": "Still on its way: the same request later finds it there"}},
)
async def test_clock(  # noqa: PLR0913, PLR0917 - what a route asks for
    session_id: UUID, request: Request, body: TestClockBody, caller: Merchant, checkouts: Sessions, key: IdempotencyKey
) -> Response:
    """Expiry, due dates and dunning that lie between happen at once, each at its own instant and in its order; the
    answer is the session after them. What waits for somebody outside is asked again and again on the way, so that an
    open payment page takes longer: 202 then.
    """
    state = await checkouts.state(caller.organisation, session_id)
    to = state.now(datetime.now(UTC)) + body.advance
    cmd = MoveClock(**command_of(request, body, caller, None), to=to)
    told = await checkouts.tell(caller, session_id, "move_clock", cmd, key)
    return await answer_told(checkouts, caller, session_id, told)


def _one_key(header: str | None, body: str | None) -> str | None:
    if header and body and header != body:
        raise Problem("idempotency-key-reused", "Idempotency-Key and idempotency_key name different keys.")
    return header or body


async def _said(
    checkouts: Sessions, database: Data, caller: Caller, session: UUID, kept: tuple[str, dict[str, Any]]
) -> UUID | None:
    """Keep what somebody wrote to a session that is there, out of its history; the row's id, or None for nothing."""
    if not kept[1]:
        return None
    await checkouts.state(caller.organisation, session)
    async with database.of(caller.organisation) as connection:
        return await keep(connection, caller.organisation, session, None, kept)


async def _opened_before(checkouts: Sessions, first: SessionState, print_: str) -> Response:
    if first.offer.details != details_of(first.id, print_):
        raise Problem("idempotency-key-reused")
    return answer_of(await checkouts.show(first), 201, replayed=True)


def _shown_row(row: DictRow) -> Session:
    return shown(SessionState.model_validate(row["state"]), row, datetime.now(UTC))
