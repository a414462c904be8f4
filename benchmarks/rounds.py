"""Comparisons made inside one run: A B A B …, so that a noisy neighbour meets both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Rounds = Sequence[tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The second side in units of the first: the median of all rounds, their extremes, and each side's own median."""

    value: float
    low: float
    high: float
    first: float
    second: float


def alternate(times: int, *sides: Callable[[], float]) -> Rounds:
    """Return what all *sides* gave in each of so many rounds; every other round takes them in reverse."""
    rounds = []
    for number in range(times):
        if number % 2:
            rounds.append(tuple(reversed([side() for side in reversed(sides)])))
        else:
            rounds.append(tuple(side() for side in sides))
    return rounds


def ratio_of(rounds: Rounds) -> Ratio:
    # Of each round, not of the sides' medians: a machine that slows down by half within a minute does so for both sides
    # of a round, and may leave the two medians on either side of the change.
    ratios = [second / first for first, second in rounds]
    firsts, seconds = zip(*rounds, strict=True)
    return Ratio(value=median(ratios), low=min(ratios), high=max(ratios), first=median(firsts), second=median(seconds))


def more_of(rounds: Rounds) -> Ratio:
    """Return by how much the third side of each round exceeds the second, in units of the first.

    Its two sides are those medians: of what the units are, and of the excess in them.
    """
    excesses = [(third - second) / first for first, second, third in rounds]
    unit = median(first for first, _, _ in rounds)
    value = median(excesses)
    return Ratio(value=value, low=min(excesses), high=max(excesses), first=unit, second=value * unit)
