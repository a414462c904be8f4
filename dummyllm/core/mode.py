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

from dummyllm.core.draw import LANES, Luck, site_of, unit

_STEPS = 2.0**52
_ONE_OF_2_64 = 2.0**-64
_NEARLY_ONE = 1 - 1e-6  # what is left out exceeds by far what rounding could do

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
    SCRIPT = "script"

    __hash__ = str.__hash__  # an enum's own hash is Python code, and modes are looked up for every job


# How a job itself can fare. The other two say how that is decided: by lot, or step by step.
WEIGHABLE_MODES = tuple(mode for mode in Mode if mode not in (Mode.RANDOM, Mode.SCRIPT))

Option = TypeVar("Option", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Race(Generic[Option]):
    """A weighted choice, ready to be run many times: where it draws, and each runner with its weight and its lane."""

    name: str
    site: bytes
    runners: tuple[tuple[Option, int, int], ...]

    @classmethod
    def of(cls, name: str, weights: Mapping[Option, int]) -> Race[Option]:
        """Return the race called *name*; options of weight 0 do not start. At least one must.

        An option's lane is its place among all members of its enum, so no weight moves another option's draw.
        """
        runners = tuple((option, w, list(type(option)).index(option)) for option, w in weights.items() if w > 0)
        assert runners, f"the race {name!r} has no runner with a weight above 0"
        assert all(lane < LANES for _, _, lane in runners), f"the race {name!r} has more than {LANES} options"
        return cls(name, site_of(name), runners)


def winner(race: Race[Option], luck: Luck) -> Option:
    """Return the option that *luck* lets win the *race*."""
    runners = race.runners
    first, best = runners[0][0], inf
    lanes = luck.lanes(race.site)
    for option, weight, lane in runners:
        number = lanes[lane]
        # −ln(u) is never less than 1 − u: who is too slow even so need not run. This loop is the hottest of all.
        if _NEARLY_ONE - number * _ONE_OF_2_64 < best * weight:
            time = -log(((number >> 12) + 0.5) / _STEPS) / weight  # this is -log(unit(number)) / weight, written out
            if time < best:
                first, best = option, time
    return first


def times(race: Race[Option], luck: Luck) -> Iterable[tuple[Option, int, float, float]]:
    """Yield option, weight, draw and time of every runner, for those who want to see why one won."""
    lanes = luck.lanes(race.site)
    for option, weight, lane in race.runners:
        u = unit(lanes[lane])
        yield option, weight, u, -log(u) / weight
