"""The three parts that are our own programs: the sandbox provider, the worker and the API, as children."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from stack.health import answers
from stack.supervisor import Part

Polls = Callable[[int], Awaitable[bool]]

CLI: Final = Path(__file__).parents[1] / "cli.py"


def gateway(environment: Mapping[str, str], url: str) -> Part:
    """The sandbox provider at *url*."""
    return Part(
        name="gateway",
        title="The sandbox provider",
        command=_command("gateway"),
        environment=environment,
        healthy=_answering(f"{url}/health"),
    )


def worker(environment: Mapping[str, str], polls: Polls) -> Part:
    """One worker, well when *polls* says that the process with that id asks for work."""
    return Part(
        name="worker",
        title="The worker",
        command=_command("worker"),
        environment=environment,
        healthy=polls,
        patience=35,
    )


def api(environment: Mapping[str, str], url: str) -> Part:
    """The API at *url*, well when it reaches database and Temporal."""
    return Part(
        name="api",
        title="The API",
        command=_command("api"),
        environment=environment,
        healthy=_answering(f"{url}/health/ready"),
        patience=15,
    )


def _command(name: str) -> list[str]:
    return [sys.executable, str(CLI), name]


def _answering(url: str) -> Callable[[int], Awaitable[bool]]:
    async def healthy(_: int) -> bool:
        return await answers(url)

    return healthy
