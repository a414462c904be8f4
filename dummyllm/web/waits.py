"""Knows every exchange that waits for its client, so that a deadline or one Ctrl-C can end them all.

One timer serves all of them: a deadline of its own for each request would cost more than the request. While nobody
waits there is no timer either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from math import inf
from time import monotonic
from typing import TypeVar

from starlette.types import Receive

from dummyllm.web.connection import gone
from dummyllm.web.refusal import Refusal

SWEEPS_PER_TIMEOUT = 10

Result = TypeVar("Result")


class Waits:
    """Ends waits that are longer than *timeout_ms*, to a tenth of it; and all of them when the server stops."""

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1000
        self._timeout_ms = timeout_ms
        self._due_s: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.is_stopping = False

    @property
    def count(self) -> int:
        """How many exchanges wait at this instant."""
        return len(self._due_s)

    async def bounded(self, awaitable: Awaitable[Result]) -> Result:
        """Await *awaitable*; raise `Refusal` if it takes too long, or if the server stops meanwhile."""
        return await self._until(awaitable, monotonic() + self._timeout_s)

    async def held(self, awaitable: Awaitable[Result]) -> Result:
        """Await *awaitable*, however long it takes; raise `Refusal` if the server stops meanwhile."""
        return await self._until(awaitable, inf)

    async def _until(self, awaitable: Awaitable[Result], due_s: float) -> Result:
        task = asyncio.current_task()
        assert task is not None, "a wait outside any task"
        self._due_s[task] = due_s
        if self._timer is None:
            self._arm(task.get_loop())
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            self._ended.discard(task)
            task.uncancel()
            raise self._why(is_whole=due_s == inf) from None
        finally:
            self._due_s.pop(task, None)

    def _why(self, *, is_whole: bool) -> Refusal:
        if self.is_stopping:
            return shutting_down(is_whole=is_whole)
        message = f"the body did not arrive within {self._timeout_ms} ms (DUMMYLLM_RECEIVE_TIMEOUT_MS)"
        return Refusal("BODY_TOO_SLOW", message, closes=True)

    def stop(self) -> None:
        """End every wait: the server is shutting down."""
        self.is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in list(self._due_s):
            self._cut(task)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._timeout_s / SWEEPS_PER_TIMEOUT, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now_s = monotonic()
        for task in [task for task, due_s in self._due_s.items() if due_s <= now_s]:
            self._cut(task)
        if self._due_s:
            self._arm(loop)

    def _cut(self, task: asyncio.Task[object]) -> None:
        del self._due_s[task]
        self._ended.add(task)
        task.cancel()


@asynccontextmanager
async def departure(receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """Yield what is done as soon as the client has left, while the block lasts."""
    left = asyncio.ensure_future(gone(receive))
    try:
        yield left
    finally:
        left.cancel()
        with suppress(asyncio.CancelledError):
            await left


def shutting_down(*, is_whole: bool = False) -> Refusal:
    """Return what a client is told while the server is on its way out; *is_whole* says that its request is here."""
    headers = [(b"retry-after", b"1"), *([(b"connection", b"close")] if is_whole else [])]
    return Refusal("SHUTTING_DOWN", "the server is shutting down; try again", headers=headers, closes=not is_whole)
