"""A double of Stripe: its own process, spoken to over HTTP by Stripe's own SDK.

It is no Stripe. It was written from Stripe's published API reference, changelog and testing pages, and from what others
reported of its errors: the calls, parameters and members that the adapter uses, and of those only what the suite needs.
Its idempotency is Stripe's as documented: the first answer of a key is kept with its errors, 500 too, and answered again
with `Idempotent-Replayed`; other parameters or another path are a 400 `idempotency_error`, a key in use is a 409; what fails
validation, and what was throttled, keeps nothing. What it can't prove is that Stripe truly does all that: the suite can be
run on Stripe itself for it (docs/gateways.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from sandbox.connection import Cut, Protocol
from tests.gateways.stripe_double import pages
from tests.gateways.stripe_double.books import Books, Refused, Thing, visible
from tests.gateways.stripe_double.calls import Asked, Call, find, nested

KEY: Final = "sk_test_double"
HANG: Final = 20
WORKING: Final = 0.02
SLOW: Final = 0.5
"""Seconds that a request takes, as a rule, and when it is slow: what comes under the same key meanwhile finds it in use."""

app = FastAPI()
app.state.faults = []


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"well": True}


@app.post("/_double/faults")
async def arm(request: Request) -> None:
    """A fault for the next request whose method and path match, and whose body holds *body*."""
    app.state.faults.append(await request.json())


@app.delete("/_double/faults")
async def heal() -> None:
    app.state.faults.clear()


@app.post("/_double/forget")
async def forget() -> None:
    """All keys are a day old."""
    _books().keys.clear()


@app.get("/_double/ledger")
async def ledger() -> list[Thing]:
    return _books().ledger


@app.get("/_double/pages/{identifier}")
async def page(identifier: str) -> Thing:
    """What the page was asked to be."""
    asked: Thing = _books().things[identifier]["_params"]
    return asked


@app.get("/_double/in_use")
async def in_use() -> int:
    """How many keys are in use now."""
    return sum("status" not in known for known in _books().keys.values())


@app.get("/_double/count/{kind}")
async def count(kind: str) -> int:
    """How many objects of a kind there are."""
    return sum(thing["object"] == kind for thing in _books().things.values())


@app.post("/c/pay/{identifier}")
async def at_the_page(identifier: str, request: Request) -> Response:
    form = dict(parse_qsl((await request.body()).decode()))
    acted = pages.act(_books(), identifier, form["action"], form["instrument"])
    _books().save()
    return Response(status_code=200 if acted else 409)


@app.api_route("/v1/{path:path}", methods=["GET", "POST"])
async def call(request: Request) -> Response:
    fault = _drawn(request.method, request.url.path, (await request.body()).decode())
    answer: Response = await FAULTS[fault](request)
    return answer


async def _answer(request: Request, *, kept_as: int | None = None, takes: float = WORKING) -> Response:
    """The true answer; *kept_as* is the status that is kept for the key instead of it, and answered."""
    try:
        asked, wanted = await _understood(request)
        if request.method != "POST":
            return _json(200, visible(wanted.act(asked)))
    except Refused as refused:
        return _json(refused.status, refused.body)
    key = f"{asked.account} {request.headers['idempotency-key']}"
    meant = hashlib.sha256(f"{request.url.path} {json.dumps(asked.params, sort_keys=True)}".encode()).hexdigest()
    return _known(asked, key, meant) or await _once(asked, wanted, key, meant, kept_as, takes)


def _known(asked: Asked, key: str, meant: str) -> Response | None:
    """What is answered to a key that was used before."""
    known = asked.books.keys.get(key)
    if known is not None and known["meant"] != meant:
        return _json(400, {"error": {"type": "idempotency_error", "message": "Keys can only be used once."}})
    if known is not None and "status" not in known:
        return _json(409, {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}})
    return None if known is None else _json(known["status"], known["body"], replayed=True)


async def _once(asked: Asked, wanted: Call, key: str, meant: str, kept_as: int | None, takes: float) -> Response:
    asked.books.keys[key] = {"meant": meant}
    await asyncio.sleep(takes)
    try:
        status, body = 200, visible(wanted.act(asked))
    except Refused as refused:
        status, body = refused.status, refused.body
        if not refused.kept:
            del asked.books.keys[key]
            return _json(status, body)
    if kept_as is not None:
        status, body = kept_as, {"error": {"type": "api_error"}}
    asked.books.keys[key] |= {"status": status, "body": body}
    asked.books.save()
    return _json(status, body)


async def _understood(request: Request) -> tuple[Asked, Call]:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise Refused(401, "invalid_request_error", None)
    if "stripe-version" not in request.headers:
        raise Refused(400, "invalid_request_error", None)
    query = request.url.query if request.method == "GET" else (await request.body()).decode()
    params = nested(parse_qsl(query, keep_blank_values=True))
    wanted, identifier = find(request.method, request.url.path)
    if unknown := params.keys() - wanted.takes:
        raise Refused(400, "invalid_request_error", "parameter_unknown", param=min(unknown))
    account = request.headers.get("stripe-account", "acct_platform")
    return Asked(_books(), account, params, identifier, str(request.base_url).rstrip("/")), wanted


def _json(status: int, body: Thing, *, replayed: bool = False) -> Response:
    headers = {"request-id": "req_double"} | ({"idempotent-replayed": "true"} if replayed else {})
    return JSONResponse(body, status, headers)


def _books() -> Books:
    books: Books = app.state.books
    return books


# --- faults --------------------------------------------------------------------------------------------------


def _drawn(method: str, path: str, body: str) -> str:
    for armed in app.state.faults:
        if armed["method"] == method and re.fullmatch(armed["path"], path) and armed["body"] in body:
            app.state.faults.remove(armed)
            return str(armed["fault"])
    return "none"


async def _500_before(_: Request) -> Response:
    return _json(500, {"error": {"type": "api_error"}})


async def _500_after(request: Request) -> Response:
    return await _answer(request, kept_as=500)


async def _lost_reply(request: Request) -> Response:
    await _answer(request)
    return Cut(request)


async def _hang(request: Request) -> Response:
    answer = await _answer(request)
    await asyncio.sleep(HANG)
    return answer


async def _slow(request: Request) -> Response:
    return await _answer(request, takes=SLOW)


async def _reset(request: Request) -> Response:
    return Cut(request, rudely=True)


async def _truncated(request: Request) -> Response:
    body = bytes((await _answer(request)).body)
    return Cut(request, body[: len(body) // 2], len(body))


async def _flood(request: Request) -> Response:
    await _answer(request)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"{" * 65536
            await asyncio.sleep(0.01)

    return StreamingResponse(endless(), media_type="application/json")


async def _redirect(_: Request) -> Response:
    return Response(status_code=302, headers={"Location": "/v1/elsewhere"})


async def _429(_: Request) -> Response:
    return _json(429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}})


async def _409_in_progress(_: Request) -> Response:
    return _json(409, {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}})


async def _paid_first(request: Request) -> Response:
    """The customer pays the page that is asked about, just before."""
    pages.act(_books(), request.url.path.split("/")[4], "pay", "card_ok")
    return await _answer(request)


async def _no_json(_: Request) -> Response:
    return Response("<html>Bad gateway</html>", 502)


FAULTS: Final[dict[str, Any]] = {
    "none": _answer,
    "500_before": _500_before,
    "500_after": _500_after,
    "lost_reply": _lost_reply,
    "hang": _hang,
    "slow": _slow,
    "reset": _reset,
    "truncated": _truncated,
    "flood": _flood,
    "redirect": _redirect,
    "429": _429,
    "409_in_progress": _409_in_progress,
    "paid_first": _paid_first,
    "no_json": _no_json,
}


def main() -> None:
    """Serve on the port and with the store that the environment names."""
    app.state.books = Books.opened(Path(os.environ["DOUBLE_STORE"]))
    port = int(os.environ["DOUBLE_PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, http=Protocol, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
