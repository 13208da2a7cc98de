"""Each part is killed while the demo's purchases are made; all of them still end right."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from uuid import UUID

import pytest

from audit.main import audit, sources
from demo import purchases
from demo.purchases import Result
from settings import settings
from tests.stack.conftest import Up

PARTS = ("worker", "gateway", "postgres", "api", "temporal")
MOMENTS = (0.3, 1.0)
"""Seconds into the purchases at which a part is killed: among the openings and confirmations, and among the payments."""


async def killed_at(up: Up, part: str, moment: float) -> None:
    """Kill the part's process after *moment* seconds, as abruptly as it gets."""
    await asyncio.sleep(moment)
    with contextlib.suppress(ProcessLookupError):
        os.kill(up.ready["pids"][part], signal.SIGKILL)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("part", PARTS)
async def test_every_purchase_ends_right_although_a_part_is_killed(up: Up, part: str) -> None:
    before = up.ready["pids"][part]
    assassins = [asyncio.create_task(killed_at(up, part, moment)) for moment in MOMENTS]

    results: list[Result] = await purchases.run(up.ready_file)
    await asyncio.gather(*assassins)

    assert {result.purchase.name: result.problems for result in results if result.problems} == {}
    async with asyncio.timeout(20):
        while json.loads(up.ready_file.read_text())["pids"][part] == before:
            await asyncio.sleep(0.05)
    report = await audit(sources(settings(), up.ready_file), organisation=UUID(up.ready["organisation"]))
    assert report.violations == ()
