"""`checkout demo`: starts the stack as its own process, makes the purchases, and leaves it up until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from audit.main import audit, sources
from demo import purchases
from demo.problems import Differs
from demo.screen import Screen
from settings import settings

LOOK_AGAIN: Final = 0.02
INTERRUPTED: Final = 130
CLI: Final = Path(__file__).parents[1] / "cli.py"
ENDS_WITH_PARENT: Final = ("setpriv", "--pdeathsig", "TERM")


def main(*, once: bool, port_base: int) -> None:
    """Run the demo on ports from *port_base*; with *once*, end by itself. Leaves with an exit code other than 0 if
    anything differs from what it should be.
    """
    with TemporaryDirectory(prefix="checkout-demo-") as folder:
        code = asyncio.run(_Demo(Path(folder) / "ready.json", once).run(port_base))
    raise SystemExit(code)


class _Demo:
    """One run of the demo."""

    def __init__(self, ready_file: Path, once: bool) -> None:  # noqa: FBT001 - as the command line has it
        self._ready_file = ready_file
        self._once = once
        self._console = Console(highlight=False)
        self._screen = Screen(self._console)

    async def run(self, port_base: int) -> int:
        """The exit code: 0 when every purchase is right, 1 when not, 130 when stopped before, or the stack's own."""
        stopped = _on_signals()
        stack = await self._start(port_base)
        lines = asyncio.create_task(self._pass_on(stack))
        work = asyncio.create_task(self._work())
        ends = {lines, asyncio.create_task(stopped.wait())}
        try:
            await asyncio.wait({work, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
                return stack.returncode or INTERRUPTED
            right = work.result()
            if not self._once:
                self._console.print("\nThe stack stays up: open the links above. [bold]Ctrl-C[/] stops it.")
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return 0 if right else 1
        finally:
            await _stop(stack)
            await lines

    async def _work(self) -> bool:
        """Wait for the stack, make the purchases; whether all of them are right."""
        await self._until_ready()
        try:
            with self._screen.following():
                results = await purchases.run(self._ready_file, self._screen.told)
        except Differs as differs:
            self._console.print(f"The catalogue can't be put in place: {differs}", style="red", markup=False)
            return False
        self._screen.summary(results)
        report = await audit(sources(settings(), self._ready_file))
        self._screen.audited(report)
        return not report.violations and not any(result.problems for result in results)

    async def _until_ready(self) -> None:
        while True:
            if self._ready_file.exists():
                return
            await asyncio.sleep(LOOK_AGAIN)

    async def _start(self, port_base: int) -> Process:
        bound = ENDS_WITH_PARENT if shutil.which(ENDS_WITH_PARENT[0]) else ()
        command = (sys.executable, str(CLI), "up", "--port-base", str(port_base), "--ready-file", str(self._ready_file))
        coloured = {"FORCE_COLOR": "1"} if self._console.is_terminal else {}
        return await asyncio.create_subprocess_exec(
            *bound, *command, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, env=os.environ | coloured
        )

    async def _pass_on(self, stack: Process) -> None:
        """Show what the stack says, to its end."""
        if stack.stdout is None:
            return
        async for line in stack.stdout:
            self._screen.line(line.decode(errors="replace").rstrip("\n"))
        await stack.wait()


def _on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _stop(stack: Process) -> None:
    if stack.returncode is None:
        stack.terminate()
        await stack.wait()
