"""The sandbox provider as a process of its own, and somebody who listens to its events."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the tests"
WEBHOOK_SECRET = "whsec_" + "c2FuZGJveCB3ZWJob29rIHNlY3JldA=="
PATIENCE = 15.0


def until(holds: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait until *holds* gives something, and give it back."""
    end = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html))


@dataclass
class Provider:
    """A provider on a port and a store that outlive its process."""

    home: Path
    webhook_url: str | None = None
    sandbox: bool = True
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHECKOUT_")} | {
            "CHECKOUT_GATEWAY_PORT": str(self.port),
            "CHECKOUT_GATEWAY_STORE": str(self.home / "gateway.db"),
            "CHECKOUT_SANDBOX": str(self.sandbox).lower(),
            "CHECKOUT_SANDBOX_SECRET": SECRET,
            "CHECKOUT_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        if self.webhook_url:
            environment["CHECKOUT_GATEWAY_WEBHOOK_URL"] = self.webhook_url
        self.process = subprocess.Popen([sys.executable, "-m", "sandbox.main"], cwd=ROOT, env=environment)
        until(self._healthy)

    def kill(self) -> None:
        """As the power fails."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.http.close()

    def arm(self, **fault: Any) -> None:
        assert self.http.post("/faults", json=fault).status_code == 201

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.http.get("/ledger", params=wanted).raise_for_status().json()
        return entries

    def effects(self, **wanted: Any) -> list[str]:
        """What truly happened, without the calls that had no effect."""
        return [entry["effect"] for entry in self.ledger(**wanted) if entry["effect"] != "none"]

    def submit(self, page: str, action: str, instrument: str = "card_ok") -> httpx.Response:
        """Post the page's form as a browser would, without following where it leads."""
        return self.http.post(page, data={"action": action, "instrument": instrument})

    def hidden(self, page: str) -> dict[str, str]:
        """The hidden fields of the page's form."""
        return hidden(self.http.get(page).text)

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the provider did not start"
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running(home: Path, webhook_url: str | None = None) -> Iterator[Provider]:
    provider = Provider(home, webhook_url)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


@dataclass
class Listener:
    """A webhook endpoint: what arrived as (headers, body), and the statuses it answers with before 200."""

    url: str = ""
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def about(self, reference: object) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for headers, body in self.arrived if str(reference).encode() in body]


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = listener.refusals.pop(0) if listener.refusals else 200
            listener.arrived.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/sandbox"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
