"""Keeps the parts of the stack running: starts them, starts them again when they die, stops them in order.

Children die with this process, even when it is killed with SIGKILL: each is started through `setpriv --pdeathsig`,
which sets the parent-death signal and then becomes the child. That signal follows the thread that started the child,
so everything here happens in the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from time import monotonic
from typing import Final

from stack.errors import StackError

LOOK_AGAIN: Final = 0.03
START_LIMIT: Final = 45.0
STEADY: Final = 10.0
BACK_OFF: Final = (0.0, 0.25, 0.5, 1.0)
LONGEST_BACK_OFF: Final = 2.0
DIES_WITH_PARENT: Final = ("setpriv", "--pdeathsig", "KILL")


async def _nothing() -> None:
    """The preparation of a part that needs none."""


@dataclass(frozen=True)
class Part:
    """One child process: how to start it, how to know that it is well, how to stop it (*patience* in seconds)."""

    name: str
    title: str
    command: Sequence[str]
    healthy: Callable[[int], Awaitable[bool]]
    environment: Mapping[str, str]
    prepare: Callable[[], Awaitable[None]] = _nothing
    stop: signal.Signals = signal.SIGTERM
    patience: float = 10


@dataclass
class _Child:
    part: Part
    process: asyncio.subprocess.Process
    watch: asyncio.Task[None] | None = None


@dataclass
class Supervisor:
    """Runs parts and writes their output to *logs*. *say* gets a sentence, *changed* is called after each restart."""

    logs: Path
    say: Callable[[str], None]
    changed: Callable[[], None]
    _children: dict[str, _Child] = field(default_factory=dict)

    def pid(self, name: str) -> int:
        return self._children[name].process.pid

    async def start(self, part: Part) -> None:
        """Start *part*, wait until it is healthy and watch over it from then on. Raise StackError if it fails."""
        child = self._children[part.name] = _Child(part, await self._spawn(part))
        try:
            async with asyncio.timeout(START_LIMIT):
                well = await _until_healthy(child)
        except TimeoutError:
            well = False
        if not well:
            raise StackError(f"{part.title} did not start.\n{self._last_words(part)}")
        child.watch = asyncio.create_task(self._watch(child))

    async def stop(self, order: Sequence[str]) -> None:
        """Stop the parts named in *order*, one after the other, each within its patience."""
        children = [self._children[name] for name in order if name in self._children]
        for child in children:
            if child.watch:
                child.watch.cancel()
        for child in children:
            await _stop(child)

    def log(self, part: Part) -> Path:
        return self.logs / f"{part.name}.log"

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        await part.prepare()
        bound = DIES_WITH_PARENT if shutil.which(DIES_WITH_PARENT[0]) else ()
        with self.log(part).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *bound,
                *part.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(part.environment),
                start_new_session=True,
            )

    async def _watch(self, child: _Child) -> None:
        """Start *child* again whenever it ends: at once at first, then with a growing pause."""
        pauses = _pauses()
        while True:
            well_since = monotonic()
            how = _how_it_ended(await child.process.wait())
            if monotonic() - well_since > STEADY:
                pauses = _pauses()
            self.say(f"{child.part.title} {how}: starting it again.")
            await self._start_again(child, pauses)
            self.say(f"{child.part.title} is back (process {child.process.pid}).")
            self.changed()

    async def _start_again(self, child: _Child, pauses: Iterator[float]) -> None:
        for pause in pauses:
            await asyncio.sleep(pause)
            try:
                child.process = await self._spawn(child.part)
            except (OSError, StackError) as error:
                self.say(f"{child.part.title} cannot be started: {error}")
                continue
            if await _until_healthy(child):
                return
            self.say(f"{child.part.title} did not come up, trying again: see {self.log(child.part)}.")

    def _last_words(self, part: Part) -> str:
        lines = self.log(part).read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"The end of {self.log(part)}:", *lines])


def _pauses() -> Iterator[float]:
    return chain(BACK_OFF, repeat(LONGEST_BACK_OFF))


async def _until_healthy(child: _Child) -> bool:
    """Wait until *child* is well (True) or has ended (False)."""
    while child.process.returncode is None:
        if await child.part.healthy(child.process.pid):
            return True
        await asyncio.sleep(LOOK_AGAIN)
    return False


async def _stop(child: _Child) -> None:
    if child.process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.process.send_signal(child.part.stop)
    try:
        async with asyncio.timeout(child.part.patience):
            await child.process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.process.kill()
        await child.process.wait()


def _how_it_ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
