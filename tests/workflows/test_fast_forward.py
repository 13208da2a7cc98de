"""Moving a workflow's clock where the server does not offer it: refused, in words."""

from __future__ import annotations

import asyncio
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from checkout.outcomes import ClockAhead, ClockFixed
from tests.conftest import PATIENCE, free_base
from workflows.fast_forward import NOT_OFFERED, WorkflowClocks


@pytest.fixture
async def plain() -> AsyncIterator[Client]:
    """A Temporal server as it comes, without time skipping."""
    base = free_base()
    address, program = f"127.0.0.1:{base}", str(Path(sysconfig.get_path("scripts"), "temporal"))
    ports = ["--port", str(base), "--http-port", str(base + 1), "--metrics-port", str(base + 2)]
    server = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [program, "server", "start-dev", "--headless", "--log-level", "never", *ports], stdout=subprocess.DEVNULL
    )
    try:
        yield await reached(address)
    finally:
        server.terminate()
        server.wait()


async def reached(address: str) -> Client:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await Client.connect(address)
            except RuntimeError:
                await asyncio.sleep(0.1)


async def test_a_server_without_time_skipping_moves_no_clock_and_says_so(plain: Client) -> None:
    await plain.start_workflow("Anything", id="anything", task_queue="nobody")

    answer = await WorkflowClocks(plain).advance("anything", datetime.now(UTC) + timedelta(days=1))

    assert answer == NOT_OFFERED
    assert isinstance(answer, ClockFixed)
    assert "does not offer" in answer.why


async def test_a_clock_that_is_there_already_is_left_alone(plain: Client) -> None:
    await plain.start_workflow("Anything", id="anything", task_queue="nobody")

    answer = await WorkflowClocks(plain).advance("anything", datetime.now(UTC) - timedelta(days=1))

    assert answer == ClockAhead(ahead=timedelta(0))
