"""Knows where times lie on an axis that many timelines share, and how a time is written beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from dummyllm.core.timeline import FINAL_STATES

Moments = Sequence[tuple[int, str]]
"""The millisecond at which each state begins, in order; a state that we do not know may be among them."""

STEPS_MAX = 6
EMPTY_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Time from 0 to *until_ms*, drawn from *left_px* on; a whole number of steps of *step_ms* each."""

    step_ms: int
    until_ms: int
    left_px: int
    width_px: int

    @property
    def ticks_ms(self) -> range:
        """The times that are marked: both ends, and every step between."""
        return range(0, self.until_ms + 1, self.step_ms)

    @property
    def right_px(self) -> int:
        """Where the axis ends."""
        return self.left_px + self.width_px

    def x_at(self, at_ms: int) -> float:
        """Return the pixel at which *at_ms* lies."""
        return self.left_px + self.width_px * at_ms / self.until_ms

    def stretches(self, moments: Moments) -> Iterator[tuple[str, float, float]]:
        """Yield every state of *moments* that lasts, with the pixels from which and to which it does."""
        for (from_ms, state), (to_ms, _) in pairwise(moments):
            if from_ms < to_ms:
                yield state, self.x_at(from_ms), self.x_at(to_ms)
        if never_ends(moments):
            yield moments[-1][1], self.x_at(moments[-1][0]), self.right_px


def axis_for(timelines: Sequence[Moments], *, left_px: int, width_px: int) -> Axis:
    """Return the shortest axis on which all *timelines* fit: at most six steps of 1, 2 or 5 times a power of ten.

    Where nothing takes any time, the axis is a second long.
    """
    longest_ms = max((at_ms for moments in timelines for at_ms, _ in moments), default=0) or EMPTY_MS
    step_ms = next(step for step in _round_numbers() if step * STEPS_MAX >= longest_ms)
    until_ms = -(-longest_ms // step_ms) * step_ms
    return Axis(step_ms=step_ms, until_ms=until_ms, left_px=left_px, width_px=width_px)


def _round_numbers() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def never_ends(moments: Moments) -> bool:
    """Say whether the last state of *moments* is one in which a job stays for ever without having ended."""
    return bool(moments) and moments[-1][1] not in FINAL_STATES


def duration(time_ms: int) -> str:
    """Return *time_ms* as a person writes it, and exactly: `250 ms`, `1.5 s`; nothing is `0`."""
    if time_ms == 0:
        return "0"
    if time_ms < 1000:
        return f"{time_ms} ms"
    return f"{time_ms // 1000}.{time_ms % 1000:03}".rstrip("0").rstrip(".") + " s"


def in_words(moments: Moments) -> str:
    """Return all *moments* in one line: `queued 0 → running 0 → ok 250 ms`."""
    return " → ".join(f"{state} {duration(at_ms)}" for at_ms, state in moments)
