"""A first look at speed and cost: `python -m bench.first_look READY.json` against a running stack.

Prints the median and 95th percentile of open and of a `no_payment` confirm by one client, and the history events of a
session in each mode. One machine, one run: figures to compare with each other, not with anybody else's.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from checkout.ids import workflow_of

SESSIONS = 100
PRICE = {"pricing_type": "flat_fee", "currency": "USD", "unit_amount": "500.00"}


def body(customer: str, start: str) -> dict[str, Any]:
    """A session of one line, 500.00 USD once."""
    line = {"product": {"name": "Onboarding"}, "pricing": {"is_recurring": False, "pricing_data": PRICE}}
    phase = {"name": "Once", "pricings": [line]}
    contract = {"is_plan_based": False, "currency": "USD", "start_date": start, "phases": [phase]}
    return {"contract": contract, "customer_id": customer}


async def customer(http: httpx.AsyncClient) -> str:
    """A customer with a card that pays."""
    details = {"customer_name": "Acme GmbH", "email": f"{uuid4().hex[:12]}@acme.example"}
    made = str((await http.post("/customers", json=details)).json()["id"])
    method = {"gateway": "sandbox", "token": "pm_sandbox_card_ok", "set_as_default": True}
    await http.post(f"/customers/{made}/payment_methods", json=method)
    return made


async def timed(http: httpx.AsyncClient, path: str, content: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Milliseconds of a POST, and its answer."""
    start = time.perf_counter()
    answer = await http.post(path, json=content)
    answer.raise_for_status()
    return (time.perf_counter() - start) * 1000, answer.json()


async def finished(http: httpx.AsyncClient, ready: dict[str, Any], mode: str, who: str) -> str:
    """A session taken to its end in *mode*; its id."""
    start = "2026-01-01" if mode == "charge_when_due" else "2030-01-01"
    _, session = await timed(http, "/checkout_session", body(who, start))
    _, confirmed = await timed(http, f"/checkout_session/{session['id']}/confirm", {"confirmation": mode})
    if confirmed["redirect_url"]:
        async with httpx.AsyncClient(base_url=ready["gateway"]) as browser:
            page = await browser.get(confirmed["redirect_url"])
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            form = {**hidden, "instrument": "card_ok", "action": "pay"}
            await browser.post(confirmed["redirect_url"], data=form)
    async with asyncio.timeout(30):
        while True:
            read = (await http.get(f"/checkout_session/{session['id']}")).json()
            if read["payment_status"] in {"paid", "no_payment_required"}:
                return str(session["id"])
            await asyncio.sleep(0.05)


async def cost(client: Client, ready: dict[str, Any], session: str) -> tuple[int, int]:
    """Events and bytes of a finished session's history."""
    handle = client.get_workflow_handle(workflow_of(UUID(ready["organisation"]), UUID(session)))
    await handle.result()
    description = await handle.describe()
    info = description.raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


async def main(path: str) -> None:
    """Measure, and print two tables."""
    ready = json.loads(Path(path).read_text())  # noqa: ASYNC240 - a script reads its one file
    client = await Client.connect(ready["temporal"])
    async with httpx.AsyncClient(base_url=ready["api"], headers={"x-api-key": ready["api_key"]}, timeout=30) as http:
        who = await customer(http)
        opened, confirmed = [], []
        for _ in range(SESSIONS):
            took, session = await timed(http, "/checkout_session", body(who, "2030-01-01"))
            opened.append(took)
            path = f"/checkout_session/{session['id']}/confirm"
            confirmed.append((await timed(http, path, {"confirmation": "no_payment"}))[0])
        costs = {
            mode: await cost(client, ready, await finished(http, ready, mode, who))
            for mode in ("no_payment", "charge_immediately", "charge_when_due")
        }
    report(opened, confirmed, costs)


def report(opened: list[float], confirmed: list[float], costs: dict[str, tuple[int, int]]) -> None:
    console = Console()
    times = Table("one client", "median ms", "95th percentile ms")
    for name, taken in (("open", opened), ("confirm no_payment", confirmed)):
        times.add_row(name, f"{statistics.median(taken):.0f}", f"{statistics.quantiles(taken, n=20)[-1]:.0f}")
    console.print(times)
    sizes = Table("mode", "history events", "history bytes")
    for mode, (events, size) in costs.items():
        sizes.add_row(mode, str(events), str(size))
    console.print(sizes)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
