"""`checkout requests`: what an organisation's keys asked, whole and harmless at a terminal."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from uuid import uuid4

from rich.console import Console

from ops.answers import Request
from ops.door import Door
from ops.requests import table
from tests.conftest import ROOT, Stack
from tests.ops.conftest import Desk
from tests.ops.test_looking import EVIL, obeyed

PATIENCE = 20


async def asked(desk: Desk) -> str:
    """An id that is nobody's, after it was asked for, and a customer was made under a key, both in the log."""
    customer = str(uuid4())
    await desk.shop.http.get(f"/customers/{customer}", headers={"user-agent": "northwind/1.2"})
    await desk.shop.http.post(
        "/customers", json={"customer_name": "Acme"}, headers={"user-agent": "northwind/1.2", "Idempotency-Key": "k-1"}
    )
    async with asyncio.timeout(PATIENCE):
        while (await desk.shop.http.get("/request_log", params={"idempotency_key": "k-1"})).json()["total"] == 0:
            await asyncio.sleep(0.05)
    return customer


async def test_it_lists_what_was_asked_and_how_it_was_answered(desk: Desk) -> None:
    customer = await asked(desk)
    ran = await desk.ops("requests", "--status", "404")

    assert ran.code == 0
    assert f"/customers/{customer}" in ran.out
    assert "GET 404 in " in ran.out
    assert "northwind/1.2" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


async def test_it_prints_for_programs_what_the_filters_let_through_newest_first(desk: Desk) -> None:
    customer = await asked(desk)
    both = json.loads((await desk.ops("requests", "--json", "--limit", "100")).out)
    keyed = json.loads((await desk.ops("requests", "--json", "--method", "POST", "--idempotency", "k-1")).out)

    paths = [each["path"] for each in both if each["path"] != "/request_log"]
    assert paths == ["/customers", f"/customers/{customer}"]
    assert [(each["path"], each["status"], each["idempotency_key"]) for each in keyed] == [("/customers", 201, "k-1")]
    assert (await desk.ops("requests", "--status", "418")).out.strip() == "There are no such requests."


async def test_it_goes_on_past_the_first_page_up_to_its_limit(desk: Desk) -> None:
    await asked(desk)
    async with Door(desk.connection, page=1) as door:
        paths = [request.path async for request in door.requests({"method__in": "GET,POST"})]

    assert "/customers" in paths
    assert len(paths) >= 3
    assert len(json.loads((await desk.ops("requests", "--json", "--limit", "1")).out)) == 1


def test_it_stands_beside_the_other_commands_and_reads_the_ready_file(stack: Stack) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHECKOUT_")}
    ready = stack.home.parent / "ready.json"
    ran = subprocess.run(
        [sys.executable, "cli.py", "requests", "--ready-file", str(ready), "--json", "--limit", "1"],
        cwd=ROOT,
        env=inherited,
        capture_output=True,
        check=True,
    )

    assert len(json.loads(ran.stdout)) <= 1


def test_what_a_caller_calls_itself_is_harmless_to_a_terminal() -> None:
    request = Request.model_validate(
        {
            "created_at": datetime.now(UTC),
            "method": "GET",
            "path": "/customers",
            "status": 200,
            "duration_ms": 3,
            "user_agent": EVIL,
            "idempotency_key": EVIL,
        }
    )
    printed = io.StringIO()
    Console(file=printed, width=120, force_terminal=False, markup=False, emoji=False).print(table([request]))

    assert obeyed(printed.getvalue()) == set()
    assert "[bold red]mallory[/] :boom:" in printed.getvalue()
