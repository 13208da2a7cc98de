"""One running stack per home: the lock is the kernel's, so it is gone with its holder however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError


@contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Hold *home* alone. Raise StackError if another process has it."""
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StackError(
                f"Another `checkout up` (process {lock.read().strip()}) is using {home}. "
                "Stop it, or choose another folder with CHECKOUT_HOME."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
