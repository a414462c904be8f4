"""The one thread of a process in which the servers of its tests run.

To start a uvicorn server with a loop and a thread of its own takes a tenth of a second, and to stop it twice as long:
it looks only now and then whether it is to end. So there is one loop, it never ends before the process does, and a
server is no more than a socket on it. The thread starts with the first server.

A forked child has no threads but the one that forked, so it gets a loop of its own when it asks for one. What it
inherited is its parent's: it closes its copies of the sockets, since a connection is only closed when nobody has it
open, and touches nothing else.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Callable, Coroutine
from threading import Lock, Thread
from typing import Any, ClassVar, Protocol, TypeVar

Result = TypeVar("Result")


class Guest(Protocol):
    """What runs in the loop until it is stopped."""

    async def stop(self) -> None:
        """End what runs."""
        ...

    def let_go(self) -> None:
        """Close this process's copies of the sockets."""
        ...


class LoopThread:
    """A loop in a thread; whatever is done to a server is done there, between two requests."""

    _shared: ClassVar[LoopThread | None] = None
    _lock: ClassVar[Lock] = Lock()
    _inherited: ClassVar[list[LoopThread]] = []  # kept: a loop that is collected before it was closed complains

    def __init__(self) -> None:
        self.guests: set[Guest] = set()
        self._process = os.getpid()
        self._loop = asyncio.SelectorEventLoop()  # not the policy's: that one is the test's own business
        self._thread = Thread(target=self._loop.run_forever, name="dummyllm", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    @classmethod
    def shared(cls) -> LoopThread:
        """Return the one thread of this process; the first call starts it."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    @property
    def is_here(self) -> bool:
        """Whether the thread runs in this process, and not in the one that this one was forked from."""
        return self._process == os.getpid()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run *coroutine* in the loop, and return what it returns; meanwhile the caller stands still."""
        if not self.is_here:
            coroutine.close()
            raise RuntimeError("this server runs in the process that this one was forked from; start one here")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def ask(self, question: Callable[[], Result]) -> Result:
        """Call *question* between two requests, and return its answer."""

        async def asked() -> Result:
            return question()

        return self.run(asked())

    @classmethod
    def leave_to_parent(cls) -> None:
        """Begin anew in a child that was just forked."""
        cls._lock = Lock()
        if cls._shared is not None:
            for guest in cls._shared.guests:
                guest.let_go()
            cls._inherited.append(cls._shared)
            cls._shared = None

    def _end(self) -> None:
        """Stop whoever was left running, and the loop: the process comes to its end."""
        if not self.is_here:
            return
        for guest in list(self.guests):
            self.run(guest.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LoopThread.leave_to_parent)
