"""Time that passes only while nobody has anything to do: a run of ten seconds takes as long as its work takes.

Server and runner live in one event loop and talk through real sockets. As long as one of them is at work, the clock
stands still, but for a tenth of a millisecond with each step; when both wait, it goes on to the next timer at once. So
a busy machine makes a run take longer and changes nothing in it: no answer is late, and no limit is missed.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import ssl
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, TypeVar
from unittest.mock import patch

import httpx

STEP_S = 0.0001
PATIENCE_S = 0.001  # of the wall, for what was sent through the kernel to be there

Result = TypeVar("Result")


class _Clock:
    def __init__(self) -> None:
        self.now_s = time.monotonic()

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return int(self.now_s * 1e9)


class _Selector(selectors.DefaultSelector):
    """Waits for sockets, but never for time."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._clock.now_s += STEP_S
        if timeout is None:
            return super().select(None)
        ready = super().select(0 if timeout <= 0 else PATIENCE_S)
        if not ready and timeout > 0:
            self._clock.now_s += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: _Clock) -> None:
        super().__init__(_Selector(clock))
        self._clock = clock

    def time(self) -> float:
        return self._clock.now_s


def run(main: Coroutine[Any, Any, Result], *, seed: int = 1) -> Result:
    """Return what *main* returns. All chance in it comes from *seed*."""
    clock, before = _Clock(), random.getstate()
    random.seed(seed)
    try:
        with _told_by(clock), asyncio.Runner(loop_factory=lambda: _Loop(clock)) as runner:
            return runner.run(main)
    finally:
        random.setstate(before)


@contextmanager
def _told_by(clock: _Clock) -> Iterator[None]:
    """Let *clock* tell the time to everything that asks for it, and let TLS, which nobody speaks here, cost nothing."""
    true = time.monotonic
    ours = [module for name, module in sys.modules.items() if name.startswith(("dummyllm.", "tests.runners."))]
    with ExitStack() as patched:
        for module in (time, *ours):
            if getattr(module, "monotonic", None) is true:
                patched.enter_context(patch.object(module, "monotonic", clock.monotonic))
        patched.enter_context(patch.object(time, "monotonic_ns", clock.monotonic_ns))
        patched.enter_context(patch.object(httpx._transports.default, "create_ssl_context", _no_tls))
        yield


@cache
def _no_tls(*_: object, **__: object) -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
