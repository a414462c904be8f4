"""Tells the time in whole epoch milliseconds."""

from __future__ import annotations

import time
from typing import Protocol

MANUAL_START_MS = 946_684_800_000  # 2000-01-01T00:00:00Z


class Clock(Protocol):
    """Whatever tells the time; nothing else in the program knows it.

    *pace* is how many of its milliseconds pass in one of the wall's: 0 for a clock that stands still until it is moved.
    """

    @property
    def pace(self) -> int:
        """How many milliseconds of this clock pass in one of the wall's."""
        ...

    def now_ms(self) -> int:
        """Return the present as epoch milliseconds; never less than it returned before."""
        ...


class WallClock:
    """The epoch read once at the start, plus the monotonic time since: setting the system's clock moves no job."""

    __slots__ = ("_offset_ns",)
    pace = 1

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the present as epoch milliseconds."""
        return (self._offset_ns + time.monotonic_ns()) // 1_000_000


class ScaledClock:
    """The wall's time at the start, and from there *pace* times as fast."""

    __slots__ = ("_start_ns", "_zero_ns", "pace")

    def __init__(self, pace: int) -> None:
        self.pace = pace
        self._start_ns = time.time_ns()
        self._zero_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the present of this clock as epoch milliseconds."""
        return (self._start_ns + (time.monotonic_ns() - self._zero_ns) * self.pace) // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved by hand."""

    __slots__ = ("_now_ms", "_start_ms")
    pace = 0

    def __init__(self, now_ms: int = MANUAL_START_MS) -> None:
        self._start_ms = self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the instant the clock was last moved to; at first 2000-01-01T00:00:00Z."""
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        """Move the clock forward by *by_ms* milliseconds."""
        assert by_ms >= 0, f"time does not run backwards: {by_ms} ms"
        self._now_ms += by_ms

    def restart(self) -> None:
        """Go back to the beginning, for a run that knows nothing of this one."""
        self._now_ms = self._start_ms
