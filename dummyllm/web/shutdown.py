"""Lets one Ctrl-C end the server in two seconds, whoever is still connected.

uvicorn waits for every open request to finish by itself, and looks at its own flag only. So when the app starts we
chain its signal handlers: the first signal also ends every wait of ours at once, and gives answers that a client does
not read a second to leave. The handler that was there before then goes on as it would have.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

GRACE_S = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_first_signal(stop: Callable[[], object]) -> Iterator[None]:
    """Inside this block the first SIGINT or SIGTERM calls *stop* and then whatever handled it before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may touch handlers; whoever runs us in another one stops us by the lifespan
        return
    before = {int(number): signal.getsignal(number) for number in SIGNALS}
    ours: dict[int, Any] = {}
    for number, handler in before.items():
        if callable(handler):
            ours[number] = _chained(stop, handler)
            signal.signal(number, ours[number])
    try:
        yield
    finally:
        for number, handler in ours.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, before[number])


def _chained(stop: Callable[[], object], handler: Callable[[int, FrameType | None], Any]) -> Callable[..., None]:
    def handle(number: int, frame: FrameType | None) -> None:
        _limit_grace(handler)
        stop()
        handler(number, frame)

    return handle


def _limit_grace(handler: Callable[..., Any]) -> None:
    """Give the uvicorn server behind *handler*, if it is one, a limit to its patience, unless it was given one."""
    config = getattr(getattr(handler, "__self__", None), "config", None)
    if config is not None and getattr(config, "timeout_graceful_shutdown", 0) is None:
        config.timeout_graceful_shutdown = GRACE_S
