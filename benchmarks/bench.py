"""What is measured, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured: a round is *seconds* of load on each side.

    Rounds for a tail are longer. A load opens all its connections at once, libuv accepts one of them in a turn of its
    loop, and their first answers take up to thirty times as long as those after them: in a second those are the tail.
    """

    rounds: int
    seconds: int
    tail_rounds: int
    tail_seconds: int
    starts: int
    jobs_weighed: int
    jobs_held: int
    verdicts: int
    entries_judged: int


FULL = Scale(
    rounds=15,
    seconds=1,
    tail_rounds=5,
    tail_seconds=10,
    starts=11,
    jobs_weighed=100_000,
    jobs_held=300_000,
    verdicts=3,
    entries_judged=1_000_000,
)
QUICK = Scale(
    rounds=3,
    seconds=1,
    tail_rounds=1,
    tail_seconds=3,
    starts=3,
    jobs_weighed=10_000,
    jobs_held=10_000,
    verdicts=1,
    entries_judged=20_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The *app* under test, and how much to measure of it."""

    app: str
    scale: Scale
