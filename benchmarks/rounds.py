"""Comparisons made inside one run: A B A B …, so that a noisy neighbour meets both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Rounds = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The second side in units of the first: the median of all rounds, their extremes, and each side's own median."""

    value: float
    low: float
    high: float
    first: float
    second: float


def alternate(times: int, first: Callable[[], float], second: Callable[[], float]) -> Rounds:
    """Return what both sides gave in each of so many rounds; every other round begins with the second side."""
    rounds = []
    for number in range(times):
        if number % 2:
            later = second()
            rounds.append((first(), later))
        else:
            rounds.append((first(), second()))
    return rounds


def ratio_of(rounds: Rounds) -> Ratio:
    # Of each round, not of the sides' medians: a machine that slows down by half within a minute does so for both sides
    # of a round, and may leave the two medians on either side of the change.
    ratios = [second / first for first, second in rounds]
    firsts, seconds = zip(*rounds, strict=True)
    return Ratio(value=median(ratios), low=min(ratios), high=max(ratios), first=median(firsts), second=median(seconds))
