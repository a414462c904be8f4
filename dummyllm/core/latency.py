"""Knows the shapes of latency: how far a job's own latency may lie from the base, and how often it does.

A shape is a distribution of factors of the base. A job's factor is the inverse of that distribution at its own draw, a
number u inside (0, 1). So the greater draw always waits longer, and a new base or a new shape keeps every job's rank.
Under `lognormal(p99=F)` the median job takes the base, and one in a hundred takes F times as long or longer. Real
services look like that: most answers come close together, and a few take for ever.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import floor

DAY_MS = 86_400_000
LATENCY_MS_MAX = 7 * DAY_MS

# With a base of 1 ms or more, a greater factor would end in the same seven days; so no power can overflow.
FACTOR_MAX = float(LATENCY_MS_MAX)

# The 99th percentile of the standard normal distribution, as `NormalDist().inv_cdf(0.99)` gives it.
Z99 = 2.3263478740408408


class Shape(ABC):
    """A distribution of factors of the base latency; a frozen value."""

    __slots__ = ()

    @property
    @abstractmethod
    def spelled(self) -> str:
        """The shape as a setting has it; reading that gives an equal shape."""

    @abstractmethod
    def factor_at(self, u: float) -> float:
        """Return the factor below which a share *u* of all jobs stays; *u* is inside (0, 1)."""


def latency_ms(base_ms: int, shape: Shape, u: float) -> int:
    """Return the latency of a job that drew *u*: whole milliseconds, half of one rounded up, at most seven days."""
    exact_ms = base_ms * shape.factor_at(u)
    below_ms = floor(exact_ms)
    rounded_ms = below_ms + 1 if exact_ms - below_ms >= 0.5 else below_ms
    return min(max(rounded_ms, 0), LATENCY_MS_MAX)


@dataclass(frozen=True, slots=True)
class Fixed(Shape):
    """Every job takes the base."""

    @property
    def spelled(self) -> str:
        """`fixed`."""
        return "fixed"

    def factor_at(self, u: float) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True, slots=True)
class Uniform(Shape):
    """Every factor from *low* to *high* is as likely as any other."""

    low: float
    high: float

    @property
    def spelled(self) -> str:
        """`uniform(0.5,1.5)`."""
        return f"uniform({_digits(self.low)},{_digits(self.high)})"

    def factor_at(self, u: float) -> float:
        """Return the factor at the share *u* of the way from low to high."""
        return min(self.low + (self.high - self.low) * u, self.high)


@dataclass(frozen=True, slots=True)
class Lognormal(Shape):
    """The logarithms of the factors are normal about 0: the median is 1 and the 99th percentile is *p99*."""

    p99: float

    @property
    def spelled(self) -> str:
        """`lognormal(p99=8)`."""
        return f"lognormal(p99={_digits(self.p99)})"

    def factor_at(self, u: float) -> float:
        """Return the factor *p99* ** (z(u) / z(0.99)), where z is the inverse of the normal distribution.

        Machines may differ in its sixteenth digit. That moves a millisecond only where the latency lies as close as
        that to the half between two: about once in 10**13 jobs of 250 ms.
        """
        factor: float = self.p99 ** (_normal_quantile()(u) / Z99)
        return min(factor, FACTOR_MAX)


FIXED = Fixed()


@cache
def _normal_quantile() -> Callable[[float], float]:
    # `statistics` brings in fractions, decimal and random: milliseconds of start-up that other shapes need not pay.
    from statistics import NormalDist  # noqa: PLC0415

    return NormalDist().inv_cdf


def _digits(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def parse_shape(text: str) -> Shape:
    """Return the shape that *text* spells; capitals, and blanks around words and numbers, are forgiven.

    Raise ValueError with the rest of a sentence that begins with the text.
    """
    spelled = text.strip().lower()
    word = _WORD.match(spelled)[0]  # type: ignore[index]  # an empty word matches everywhere
    read = _READERS.get(word)
    if read is None:
        match = get_close_matches(word, _READERS, n=1, cutoff=0.5)
        hint = f" (did you mean {match[0]!r}?)" if match else ""
        raise ValueError(f"is not a latency shape; use fixed, uniform(0.5,1.5) or lognormal(p99=8){hint}")
    return read(spelled.removeprefix(word))


BOUND = 1000

_WORD = re.compile(r"[a-z]*")
_NUMBER = r"\s*([0-9]{1,4}(?:\.[0-9]{1,4})?)\s*"
_TWO_NUMBERS = re.compile(rf"\s*\({_NUMBER},{_NUMBER}\)", re.ASCII)
_P99 = re.compile(rf"\s*\(\s*p99\s*={_NUMBER}\)", re.ASCII)


def _fixed(rest: str) -> Shape:
    if not rest:
        return FIXED
    raise ValueError("is not fixed; use the word alone: every job then takes the base latency")


def _uniform(rest: str) -> Shape:
    match = _TWO_NUMBERS.fullmatch(rest)
    if match and float(match[1]) <= float(match[2]) <= BOUND:
        return Uniform(float(match[1]), float(match[2]))
    raise ValueError(
        f"is not uniform(low,high); use 0 <= low <= high <= {BOUND}, at most four decimals, as in uniform(0.5,1.5)"
    )


def _lognormal(rest: str) -> Shape:
    match = _P99.fullmatch(rest)
    if match and 1 < float(match[1]) <= BOUND:
        return Lognormal(float(match[1]))
    raise ValueError(f"is not lognormal(p99=F); use 1 < F <= {BOUND}, at most four decimals, as in lognormal(p99=8)")


_READERS: dict[str, Callable[[str], Shape]] = {"fixed": _fixed, "uniform": _uniform, "lognormal": _lognormal}
