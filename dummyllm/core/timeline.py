"""Knows the states of a job and the order in which it goes through them."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """What a client is told a job is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    OK = "ok"
    FAIL = "fail"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    __hash__ = str.__hash__  # as for modes: an enum's own hash is Python code


FINAL_STATES = frozenset({State.OK, State.FAIL, State.TIMEOUT, State.CANCELLED})


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A state and the millisecond since the start at which it begins."""

    at_ms: int
    state: State


Timeline = tuple[Moment, ...]
"""All moments of a job in order, the first at 0; of two at the same millisecond the later one is what a read shows."""


def moment_at(timeline: Timeline, elapsed_ms: int) -> Moment:
    """Return the moment of *timeline* that holds *elapsed_ms* after the start."""
    for moment in reversed(timeline):
        if moment.at_ms <= elapsed_ms:
            return moment
    return timeline[0]


def end_of(timeline: Timeline) -> int | None:
    """Return the millisecond at which *timeline* ends, or None if it never does."""
    last = timeline[-1]
    return last.at_ms if last.state in FINAL_STATES else None
