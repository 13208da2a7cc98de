"""localstripe, a stand-in for Stripe by others (GPL, a program of its own that is never imported), behind a relay.

It knows customers, saved methods, charges without the customer, refunds and signed events; neither hosted pages nor
idempotency keys, and of some calls not every parameter. It answers what it does not know with 400: the relay leaves those
parameters out, and adds the members that it leaves out. Both are listed here, and are all that is not localstripe's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.gateways.stripe_world import free_port
from tests.sandbox.provider import PATIENCE, until

PROGRAM: Final = Path(sys.prefix) / "localstripe" / "bin" / "localstripe"

LEFT_OUT: Final = {
    "/v1/payment_intents": {"automatic_payment_methods", "created", "description"},
    "/v1/refunds": {"created"},
}
"""Parameters that localstripe knows nothing of."""


def _completed(answer: dict[str, Any]) -> dict[str, Any]:
    """Its intents do not say how much was received: of one that succeeded, all of it."""
    if answer.get("object") == "payment_intent" and answer["status"] == "succeeded":
        return {**answer, "amount_received": answer["amount"]}
    if answer.get("object") == "list":
        return {**answer, "data": [_completed(each) for each in answer["data"]]}
    return answer


def _known(path: str, query: str) -> str:
    unknown = LEFT_OUT.get(path, set())
    return urlencode([pair for pair in parse_qsl(query) if pair[0].partition("[")[0] not in unknown])


@contextmanager
def localstripe(home: Path) -> Iterator[str]:
    """A fresh one; gives the address of the relay."""
    own = f"http://127.0.0.1:{(port := free_port())}"
    with (home / "localstripe.log").open("wb") as log:
        command = [str(PROGRAM), "--port", str(port), "--from-scratch"]
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: _listens(own, process))
        with _relay(own) as address:
            yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "localstripe did not start"
    try:
        return httpx.get(f"{address}/js.stripe.com/v3/", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _relay(own: str) -> Iterator[str]:
    client = httpx.Client(base_url=own, trust_env=False, timeout=PATIENCE)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            self._answer(client.get(asked.path, params=_known(asked.path, asked.query), headers=self._headers()))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = self._headers() | {"content-type": "application/x-www-form-urlencoded"}
            self._answer(client.post(self.path, content=_known(self.path, body), headers=headers))

        def _headers(self) -> dict[str, str]:
            return {"authorization": self.headers["authorization"]}

        def _answer(self, answer: httpx.Response) -> None:
            content = json.dumps(_completed(answer.json())).encode() if answer.content else b""
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        client.close()
