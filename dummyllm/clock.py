"""Tells the time in whole epoch milliseconds."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time; nothing else in the program knows it."""

    def now_ms(self) -> int:
        """Return the present as epoch milliseconds; never less than it returned before."""
        ...


class WallClock:
    """The epoch read once at the start, plus the monotonic time since: setting the system's clock moves no job."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the present as epoch milliseconds."""
        return (self._offset_ns + time.monotonic_ns()) // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved by hand."""

    __slots__ = ("_now_ms",)

    def __init__(self, now_ms: int = 946_684_800_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the instant the clock was last moved to; at first 2000-01-01T00:00:00Z."""
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        """Move the clock forward by *by_ms* milliseconds."""
        assert by_ms >= 0, f"time does not run backwards: {by_ms} ms"
        self._now_ms += by_ms
