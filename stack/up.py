"""`checkout up`: PostgreSQL, Temporal, the sandbox provider, a worker and the API, in one foreground process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console

from settings import Settings
from stack import screen, services
from stack.blueprint import Blueprint
from stack.lock import sole_use
from stack.ports import Ports
from stack.preparation import prepare_database, prepare_temporal
from stack.ready import Pids, Ready
from stack.secrets import Secrets
from stack.supervisor import Supervisor

STOP_ORDER: Final = ("api", "worker", "gateway", "temporal", "postgres")
LOG_LIMIT: Final = 16 * 1024 * 1024


def up(settings: Settings, port_base: int, ready_file: Path | None) -> None:
    """Run the stack until a signal ends it. Raise StackError, saying what to do, if it cannot be started."""
    started = monotonic()
    home = settings.home.expanduser().resolve()
    os.umask(0o077)
    (home / "logs").mkdir(parents=True, exist_ok=True)
    with sole_use(home):
        blueprint = Blueprint(settings, home, Ports.starting_at(port_base), Secrets.of(home))
        blueprint.ports.refuse_busy(blueprint.purposes)
        _set_aside_long_logs(home / "logs")
        asyncio.run(_Run(blueprint, ready_file, started).until_stopped())


@dataclass
class _Run:
    """One run of the stack: up, then watched, then down."""

    blueprint: Blueprint
    ready_file: Path | None
    started: float
    console: Console = field(default_factory=lambda: Console(highlight=False))

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.blueprint.home / "logs", self._say, self._write_ready_file)
        self.all_up = False

    async def until_stopped(self) -> None:
        stop = _stop_on_signals()
        self._forget_ready_file()
        try:
            await _unless(stop, self._start())
            await stop.wait()
        finally:
            self._say("\nStopping …")
            self._forget_ready_file()
            await self.supervisor.stop(STOP_ORDER)
            self._say("Everything is stopped.")

    async def _start(self) -> None:
        self._say("Starting PostgreSQL, Temporal, the sandbox provider, a worker and the API …")
        blueprint, start = self.blueprint, self.supervisor.start
        gateway = asyncio.create_task(start(services.gateway(blueprint.environment, blueprint.gateway)))
        _, polls = await asyncio.gather(self._start_database(), self._start_temporal())
        await asyncio.gather(
            gateway,
            start(services.worker(blueprint.environment, polls)),
            start(services.api(blueprint.environment, blueprint.api)),
        )
        self.all_up = True
        self._write_ready_file()
        screen.show(self.console, self._ready(), blueprint.home, monotonic() - self.started)

    async def _start_database(self) -> None:
        if self.blueprint.postgres:
            await self.supervisor.start(self.blueprint.postgres.part)
            await self.blueprint.postgres.provide_database()
        await prepare_database(self.blueprint)

    async def _start_temporal(self) -> services.Polls:
        if self.blueprint.temporal:
            await self.supervisor.start(self.blueprint.temporal.part)
        return await prepare_temporal(self.blueprint)

    def _say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, soft_wrap=True)

    def _ready(self) -> Ready:
        blueprint, pid = self.blueprint, self.supervisor.pid
        return Ready(
            api=blueprint.api,
            api_key=blueprint.secrets.api_key,
            operator_key=blueprint.secrets.operator_key,
            organisation=blueprint.secrets.organisation,
            business_entity=blueprint.secrets.business_entity,
            database=blueprint.database,
            temporal=blueprint.temporal_address,
            temporal_ui=blueprint.temporal_ui or None,
            gateway=blueprint.gateway,
            pids=Pids(
                postgres=pid("postgres") if blueprint.postgres else None,
                temporal=pid("temporal") if blueprint.temporal else None,
                gateway=pid("gateway"),
                worker=pid("worker"),
                api=pid("api"),
            ),
        )

    def _write_ready_file(self) -> None:
        if self.ready_file and self.all_up:
            self._ready().write(self.ready_file)

    def _forget_ready_file(self) -> None:
        if self.ready_file:
            self.ready_file.unlink(missing_ok=True)


def _stop_on_signals() -> asyncio.Event:
    """An event that the first signal sets. Another Ctrl-C ends the process, and with it every child, at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, stop.set)
    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do *work*, or give it up when *stop* is set first."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    done, unfinished = await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in unfinished:
        task.cancel()
    if doing in done:
        doing.result()


def _set_aside_long_logs(logs: Path) -> None:
    for log in logs.glob("*.log"):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
