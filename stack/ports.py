"""Which part of the stack listens where: every port that we choose lies in N to N+19."""

from __future__ import annotations

import socket
from dataclasses import dataclass, fields
from typing import Final, Self

from stack.errors import StackError

HOST: Final = "127.0.0.1"

PURPOSES: Final = {
    "api": "the API",
    "gateway": "the sandbox provider",
    "postgres": "PostgreSQL",
    "temporal": "Temporal",
    "temporal_ui": "the Temporal UI",
    "temporal_http": "Temporal's HTTP API",
    "temporal_metrics": "Temporal's metrics",
}


@dataclass(frozen=True)
class Ports:
    """One port for each address the stack offers, at a fixed distance from the base."""

    api: int
    gateway: int
    postgres: int
    temporal: int
    temporal_ui: int
    temporal_http: int
    temporal_metrics: int

    @classmethod
    def starting_at(cls, base: int) -> Self:
        return cls(*(base + offset for offset in range(len(fields(cls)))))

    def refuse_busy(self, purposes: set[str]) -> None:
        """Raise StackError naming each port of *purposes* that something else listens on."""
        busy = [
            f"port {port} for {PURPOSES[purpose]}"
            for purpose in PURPOSES
            if purpose in purposes and _is_busy(port := getattr(self, purpose))
        ]
        if busy:
            raise StackError(
                f"Already in use: {', '.join(busy)}. Stop what listens there, or choose other ports with --port-base."
            )


def _is_busy(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
