"""The product's worker with trouble in it: as a process, it does to single steps of single sessions what a plan says.

A plan is a file per session and step, in the folder that the process is started with; how often it struck stands in
another file, so that a worker that takes over from a killed one knows it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from checkout.outcomes import Refused
from gateways.port import GatewayRejected, GatewayUnavailable
from gateways.sandbox import SandboxGateway
from settings import Settings, settings
from store.database import Database
from worker import worker
from workflows.connection import connect

Effect = Callable[[], Awaitable[Any]]

ONCE: Final = 1
FOR_A_WHILE: Final = 2
FOR_GOOD: Final = 1_000_000


@dataclass(frozen=True)
class Plans:
    """What goes wrong, in files of *folder*."""

    folder: Path

    def make(self, session: UUID, step: str, fault: str, times: int) -> None:
        """Let *fault* strike the *step* of a session the next *times*."""
        self._plan(session, step).write_text(f"{fault} {times}")

    def heal(self, session: UUID) -> None:
        """Let nothing more go wrong with a session."""
        for plan in self.folder.glob(f"{session} *.plan"):
            plan.unlink()

    def struck(self, session: UUID, step: str) -> Path:
        """A file with a letter for each time that something went wrong with the *step*; missing where nothing did."""
        return self.folder / f"{session} {step}.struck"

    def take(self, session: UUID, step: str) -> str | None:
        """What goes wrong now, used up by it."""
        struck = self.struck(session, step)
        try:
            fault, times = self._plan(session, step).read_text().split()
        except FileNotFoundError:
            return None
        if struck.exists() and struck.stat().st_size >= int(times):
            return None
        with struck.open("a") as file:
            file.write("x")
        return fault

    def _plan(self, session: UUID, step: str) -> Path:
        return self.folder / f"{session} {step}.plan"


async def refuse(_: Effect) -> Refused:
    return Refused(problem="contract-creation-failed", detail="It is refused.")


async def fail(_: Effect) -> None:
    raise GatewayUnavailable("503")


async def reject(_: Effect) -> None:
    raise GatewayRejected("400")


async def lose_the_answer(effect: Effect) -> None:
    await effect()
    raise GatewayUnavailable("the connection was reset")


async def fall_silent(effect: Effect) -> None:
    await effect()
    await asyncio.sleep(30)


async def wait_for_death(_: Effect) -> None:
    await asyncio.Event().wait()


async def take_effect_and_wait_for_death(effect: Effect) -> None:
    await effect()
    await asyncio.Event().wait()


FAULTS: Final[dict[str, Callable[[Effect], Awaitable[Any]]]] = {
    each.__name__: each
    for each in (
        refuse,
        fail,
        reject,
        lose_the_answer,
        fall_silent,
        wait_for_death,
        take_effect_and_wait_for_death,
    )
}


class Trouble(ClientInterceptor, WorkerInterceptor):
    """Stands between Temporal and the activities, and lets go wrong what is planned."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return TroubledActivity(next, self._plans)


class TroubledActivity(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, plans: Plans) -> None:
        super().__init__(following)
        self._plans = plans

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's name
        async def effect() -> Any:
            return await self.next.execute_activity(input)

        session = getattr(input.args[0], "session", None)
        fault = self._plans.take(session, activity.info().activity_type) if session else None
        return await FAULTS[fault](effect) if fault else await effect()


async def run(config: Settings, plans: Plans) -> None:
    """Work until killed, as worker.py does, in trouble."""
    assert config.database_url
    assert config.sandbox_url
    assert config.sandbox_secret
    assert config.webhook_secret
    configured = (await connect()).config()
    configured["interceptors"] = [Trouble(plans)]
    client = Client(**configured)
    gateway = SandboxGateway(
        config.sandbox_url, config.sandbox_secret.get_secret_value(), config.webhook_secret.get_secret_value()
    )
    async with (
        Database(config.database_url.get_secret_value()) as database,
        worker(client, config.task_queue, database, {gateway.name: gateway}),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(settings(), Plans(Path(sys.argv[1]))))
