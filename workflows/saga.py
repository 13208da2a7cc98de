"""The saga helper: undo is registered above its step, runs newest first, and never gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from temporalio.exceptions import is_cancelled_exception

from checkout.session import TEMPORAL, Undo

Result = TypeVar("Result")


CANCELLED: Final = Undo(
    reason="The workflow was cancelled in Temporal.",
    detail="The confirmation was undone: its workflow was cancelled in Temporal.",
    close=True,
    actor=TEMPORAL,
)


class Undone(Exception):
    """Why a saga turns back. Anything else that is raised inside one is a bug and undoes nothing."""

    def __init__(self, undo: Undo) -> None:
        super().__init__(undo.reason)
        self.undo = undo


def undo_of(why: BaseException) -> Undo:
    """Why a saga is undone that was left by *why*: Undone, or a cancellation."""
    return why.undo if isinstance(why, Undone) else CANCELLED


class Saga:
    """`async with Saga() as saga:` - registered undos run when the block is left by Undone or by cancellation.

    A bug fails the workflow task instead, which is tried again with mended code: money is not given back because
    of a typo.
    """

    def __init__(self, turn_back: Callable[[Undo], None]) -> None:
        """*turn_back* is told why, once, before the first undo."""
        self._turn_back = turn_back
        self._undos: list[Callable[[], Awaitable[object]]] = []

    def on_failure(self, undo: Callable[[], Awaitable[object]]) -> None:
        """Register *undo*, once; it must be safe when its step never happened."""
        if undo not in self._undos:
            self._undos.append(undo)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None or not (isinstance(error, Undone) or is_cancelled_exception(error)):
            return
        await shielded(self._undo(undo_of(error)))

    async def _undo(self, why: Undo) -> None:
        self._turn_back(why)
        for undo in reversed(self._undos):
            await undo()


async def shielded(work: Coroutine[Any, Any, Result]) -> Result:
    """Finish *work* although this task is cancelled meanwhile; then the cancellation goes on."""
    task = asyncio.get_running_loop().create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
