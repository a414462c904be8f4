"""Knows every exchange that waits for its client, so that a deadline or one Ctrl-C can end them all.

One timer serves all of them: a deadline of its own for each request would cost more than the request. While nobody
waits there is no timer either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

from dummyllm.web.refusal import Refusal

SWEEPS_PER_TIMEOUT = 10

Result = TypeVar("Result")


class Waits:
    """Ends waits that are longer than *timeout_ms*, to a tenth of it; and all of them when the server stops."""

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1000
        self._timeout_ms = timeout_ms
        self._since: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.is_stopping = False

    async def bounded(self, awaitable: Awaitable[Result]) -> Result:
        """Await *awaitable*; raise `Refusal` if it takes too long, or if the server stops meanwhile."""
        task = asyncio.current_task()
        assert task is not None, "a wait outside any task"
        self._since[task] = monotonic()
        if self._timer is None:
            self._arm(task.get_loop())
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            self._ended.discard(task)
            task.uncancel()
            raise self._why() from None
        finally:
            self._since.pop(task, None)

    def _why(self) -> Refusal:
        if self.is_stopping:
            return shutting_down()
        message = f"the body did not arrive within {self._timeout_ms} ms (DUMMYLLM_RECEIVE_TIMEOUT_MS)"
        return Refusal("BODY_TOO_SLOW", message, closes=True)

    def stop(self) -> None:
        """End every wait: the server is shutting down."""
        self.is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in list(self._since):
            self._cut(task)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._timeout_s / SWEEPS_PER_TIMEOUT, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        latest = monotonic() - self._timeout_s
        for task in [task for task, since in self._since.items() if since <= latest]:
            self._cut(task)
        if self._since:
            self._arm(loop)

    def _cut(self, task: asyncio.Task[object]) -> None:
        del self._since[task]
        self._ended.add(task)
        task.cancel()


def shutting_down() -> Refusal:
    """Return what a client is told that comes while the server is on its way out."""
    retry = ((b"retry-after", b"1"),)
    return Refusal("SHUTTING_DOWN", "the server is shutting down; try again", headers=retry, closes=True)
