"""What calls that change a session have in common: the command they send, and the answer they get."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from fastapi import Request, Response

from api.auth import Caller
from api.checkouts import Checkouts, Told
from api.etags import etag
from api.idempotency import REPLAYED, fingerprint
from api.session_answer import Session


def command_of(request: Request, body: Any, caller: Caller, version: int | None) -> dict[str, Any]:
    """What every command carries: who, which call, and what makes two calls the same."""
    return {
        "actor": f"{caller.scope} {caller.prefix}",
        "request": str(uuid4()),
        "fingerprint": fingerprint(request, body),
        "version": version,
    }


async def answer_told(
    checkouts: Checkouts, caller: Caller, session: UUID, told: Told, *, redirect: bool = False
) -> Response:
    """200 with the session, 302 to its page when asked to, or 202 with the session as it stands."""
    if told.state is None:
        return answer_of(await checkouts.read(caller.organisation, session), 202)
    answer = await checkouts.show(told.state)
    return answer_of(answer, 302 if redirect and answer.redirect_url else 200, replayed=told.replayed)


def answer_of(session: Session, status: int = 200, *, replayed: bool = False) -> Response:
    response = Response(session.model_dump_json(), status, media_type="application/json")
    response.headers["ETag"] = etag(session.version)
    if status == 201:
        response.headers["Location"] = f"/checkout_session/{session.id}"
    if status == 202:
        response.headers["Retry-After"] = "2"
    if status == 302 and session.redirect_url:
        response.headers["Location"] = session.redirect_url
    if replayed:
        response.headers[REPLAYED] = "true"
    return response
