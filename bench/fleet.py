"""A fleet of scheduled sessions that all fall due at one instant: `python -m bench.fleet READY.json [SESSIONS]`.

Opens and confirms SESSIONS (2,000) sessions on a running stack, due on the next day of whichever time zone begins one
soonest after they are made; says what the worker's memory is while they sleep, and how late each was charged by the
gateway's ledger. It may wait up to an hour for that day. One machine, one run; the stack's organisation is left in the
other time zone: use a stack that can be thrown away.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from bench.first_look import body, customer
from checkout.due import start_of

AT_ONCE: Final = 12
"""Clients that open sessions at the same time."""
A_SECOND: Final = 10
"""Sessions that are made in a second, at the least."""
PATIENCE: Final = 600


def next_day(after: datetime) -> tuple[str, date, datetime]:
    """The zone whose next day begins soonest after that instant: its name, the day, and the instant."""
    days = []
    for zone in sorted(available_timezones()):
        day = after.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        days.append((start_of(day, zone), zone, day))
    instant, zone, day = min(days)
    return zone, day, instant


def due_on(day: date, who: str) -> dict[str, Any]:
    """A session of 500.00 USD that is due on *day*."""
    content = body(who, str(day))
    content["contract"]["phases"][0]["payment_terms"] = {"type": "due_date", "date": str(day)}
    return content


def memory(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def scheduled(http: httpx.AsyncClient, turn: asyncio.Semaphore, content: dict[str, Any]) -> None:
    async with turn:
        session = (await http.post("/checkout_session", json=content)).raise_for_status().json()["id"]
        path, key = f"/checkout_session/{session}/confirm", {"Idempotency-Key": session}
        for pause in (0.5,) * PATIENCE:
            answer = await http.post(path, json={"confirmation": "charge_when_due"}, headers=key)
            if answer.status_code not in {202, 409, 503}:
                break
            await asyncio.sleep(pause)
        answer.raise_for_status()


async def charged(ready: dict[str, Any], since: datetime, sessions: int) -> list[float]:
    """How long after *since* each charge was made, in seconds, by the gateway's ledger."""
    async with httpx.AsyncClient(base_url=ready["gateway"], timeout=60) as gateway:
        async with asyncio.timeout(PATIENCE):
            while True:
                rows = (await gateway.get("/ledger", params={"since": since.isoformat()})).raise_for_status().json()
                captured = [row for row in rows if row["effect"] == "captured"]
                if len(captured) >= sessions:
                    break
                await asyncio.sleep(1)
    if len({row["key"] for row in captured}) != sessions or len(captured) != sessions:
        raise SystemExit(f"{len(captured)} captures for {sessions} sessions")
    return sorted((datetime.fromisoformat(row["at"]) - since).total_seconds() for row in captured)


def in_zone(ready: dict[str, Any], zone: str) -> None:
    """Put the stack's organisation into a time zone, without notices."""
    with psycopg.connect(ready["database"], autocommit=True) as connection:
        change = "UPDATE organisations SET time_zone = %s, notice_days = 0 WHERE id = %s"
        connection.execute(change, (zone, ready["organisation"]))


async def main(path: str, sessions: int) -> None:
    """Make the fleet, wait, and print what was seen."""
    ready = json.loads(Path(path).read_text())  # noqa: ASYNC240 - a script reads its one file
    worker = ready["pids"]["worker"]
    zone, day, instant = next_day(datetime.now(UTC) + timedelta(seconds=60 + sessions / A_SECOND))
    in_zone(ready, zone)
    before, began, console = memory(worker), time.perf_counter(), Console()
    async with httpx.AsyncClient(base_url=ready["api"], headers={"x-api-key": ready["api_key"]}, timeout=60) as http:
        who, turn = await customer(http), asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(scheduled(http, turn, due_on(day, who)) for _ in range(sessions)))
    took = time.perf_counter() - began
    if datetime.now(UTC) > instant:
        raise SystemExit("the day began before all sessions were made: try fewer")
    asleep = memory(worker)
    console.print(f"{sessions} sessions in {took:.0f} s, all due {instant:%H:%M} UTC ({zone}); waiting")
    await asyncio.sleep((instant - datetime.now(UTC)).total_seconds())
    late = await charged(ready, instant, sessions)
    report(console, late, {"before": before, "asleep": asleep, "after": memory(worker)})


def report(console: Console, late: list[float], worker: dict[str, int]) -> None:
    table = Table("charged after the due instant", "seconds")
    for name, seconds in (
        ("first", late[0]),
        ("median", statistics.median(late)),
        ("99th percentile", late[int(len(late) * 0.99) - 1]),
        ("last", late[-1]),
    ):
        table.add_row(name, f"{seconds:.1f}")
    console.print(table)
    console.print("worker's memory, MiB: " + ", ".join(f"{name} {size / 2**20:.0f}" for name, size in worker.items()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000))
