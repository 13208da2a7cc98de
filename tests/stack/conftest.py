"""A stack of this folder's own, to be killed in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_base

ROOT = Path(__file__).parents[2]
PATIENCE = 45


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for *condition*, and fail saying *what* was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for: {what}")
        time.sleep(0.02)


class Up:
    """`checkout up` on one home and port base, started and ended as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.base = free_base()
        self.ready_file = folder / "ready.json"
        self.output = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def ready(self) -> dict[str, Any]:
        return dict(json.loads(self.ready_file.read_text()))

    @property
    def said(self) -> str:
        return self.output.read_text()

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        command = self._command(self.base, self.ready_file)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, env=self._environment(self.home), stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
            )
        until(lambda: self.ready_file.exists() or self._ended(), "a ready stack")
        assert not self._ended(), self.said

    def end(self, number: signal.Signals) -> int:
        """Send the supervisor a signal; answers its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def another(self, *, home: Path | None = None, base: int | None = None) -> subprocess.CompletedProcess[str]:
        """One more `checkout up`, on another home or other ports, that is expected to end by itself."""
        return subprocess.run(
            self._command(base or self.base, self.home / "another.json"),
            env=self._environment(home or self.home),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=ROOT,
        )

    def survivors(self) -> list[str]:
        """Command lines of living processes that belong to this home."""
        return [line.replace("\0", " ") for process in Path("/proc").glob("[0-9]*") if (line := self._belongs(process))]

    def _belongs(self, process: Path) -> str:
        """The command line of *process* if it is of this home. A zombie has no folder and no environment."""
        try:
            folder = str((process / "cwd").readlink())
            told = (process / "environ").read_text(errors="replace") + (process / "cmdline").read_text(errors="replace")
        except OSError:
            return ""
        ours = process.name != str(os.getpid()) and str(self.home) in folder + told
        return (process / "cmdline").read_text(errors="replace") if ours else ""

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _command(self, base: int, ready_file: Path) -> list[str]:
        return [sys.executable, "cli.py", "up", "--port-base", str(base), "--ready-file", str(ready_file)]

    def _environment(self, home: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHECKOUT_", "TEMPORAL_"))}
        return {**kept, "CHECKOUT_HOME": str(home)}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running stack. A test that ends it starts it again."""
    stack = Up(tmp_path_factory.mktemp("up"))
    stack.start()
    yield stack
    if stack.process and stack.process.poll() is None:
        stack.end(signal.SIGTERM)


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool], str], None]:
    return until
