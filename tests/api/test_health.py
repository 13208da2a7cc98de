"""Health, for whoever starts and watches the process."""

from __future__ import annotations

import httpx


async def test_a_ready_process_says_so_without_a_key(nobody: httpx.AsyncClient) -> None:
    live = await nobody.get("/health/live")
    ready = await nobody.get("/health/ready")

    assert live.status_code == 200
    assert ready.status_code == 200
    assert ready.json()["parts"] == {
        "database": {"ok": True, "reason": None},
        "temporal": {"ok": True, "reason": None},
    }
