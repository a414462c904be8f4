"""Knows the modes, and how a weighted choice among them falls.

The choice is an exponential race: every option runs for −ln(u) / weight, with a u of its own, and the first one home
wins. The frequencies are exactly the weights, and raising one weight can only move jobs *into* that option. (Walking
cumulative weights has the first property and not the second.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log
from typing import Generic, TypeVar

from dummyllm.core.draw import Luck, site_of

_STEPS = 2.0**52

WEIGHT_MAX = 1_000_000_000


class Mode(StrEnum):
    """How a job fares; the values of `DUMMYLLM_MODE`."""

    OK = "ok"
    ECHO = "echo"
    SLOW = "slow"
    FAIL = "fail"
    HANG = "hang"
    TIMEOUT = "timeout"
    FLAKY = "flaky"
    RANDOM = "random"

    __hash__ = str.__hash__  # an enum's own hash is Python code, and modes are looked up for every job


WEIGHABLE_MODES = tuple(mode for mode in Mode if mode is not Mode.RANDOM)

Option = TypeVar("Option", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Race(Generic[Option]):
    """A weighted choice, ready to be run many times: each runner with its weight and its site."""

    runners: tuple[tuple[Option, int, bytes], ...]

    @classmethod
    def of(cls, name: str, weights: Mapping[Option, int]) -> Race[Option]:
        """Return the race called *name*; options of weight 0 do not start. At least one must."""
        runners = tuple((o, w, site_of(f"{name}:{o.value}")) for o, w in weights.items() if w > 0)
        assert runners, f"the race {name!r} has no runner with a weight above 0"
        return cls(runners)


def winner(race: Race[Option], luck: Luck) -> Option:
    """Return the option that *luck* lets win the *race*."""
    runners = race.runners
    first, best = runners[0][0], inf
    fork, from_bytes = luck.prefix.copy, int.from_bytes
    for option, weight, site in runners:
        # This is -log(luck.at(site)) / weight, written out: it is the hottest loop of the program.
        state = fork()
        state.update(site)
        time = -log(((from_bytes(state.digest(), "big") >> 12) + 0.5) / _STEPS) / weight
        if time < best:
            first, best = option, time
    return first


def times(race: Race[Option], luck: Luck) -> Iterable[tuple[Option, int, float, float]]:
    """Yield option, weight, draw and time of every runner, for those who want to see why one won."""
    for option, weight, site in race.runners:
        u = luck.at(site)
        yield option, weight, u, -log(u) / weight
