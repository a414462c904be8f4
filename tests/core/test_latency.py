"""Latency shapes: factors of the base, drawn by the inverse of their distribution.

The seed is fixed, so the tests of 20,000 draws pass always or never. What the distributions ought to be is computed
here, from their textbook definitions and a printed table of the normal distribution.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dummyllm.core.draw import Luck, site_of, unit
from dummyllm.core.latency import (
    BOUND,
    FACTOR_MAX,
    FIXED,
    LATENCY_MS_MAX,
    Fixed,
    Lognormal,
    Shape,
    Uniform,
    latency_ms,
    parse_shape,
)
from dummyllm.core.request import Identity

DAY_MS = 86_400_000
DRAWS = 20_000
P_MIN = 0.001
Z99 = 2.326348  # as printed in tables

NUMBERS_MAX = BOUND * 10_000
FACTORS = st.integers(0, NUMBERS_MAX).map(lambda parts: parts / 10_000)
UNIFORMS = st.tuples(FACTORS, FACTORS).map(lambda two: Uniform(min(two), max(two)))
LOGNORMALS = st.integers(10_001, NUMBERS_MAX).map(lambda parts: Lognormal(parts / 10_000))
SHAPES = st.just(FIXED) | UNIFORMS | LOGNORMALS
# Large integers come mostly small here, so alone the first would hardly ever be a draw above one in a thousand.
STEPS = st.integers(0, 2**52 - 1) | st.integers(0, 2**52 - 1).map(lambda step: 2**52 - 1 - step)
STEPS |= st.integers(0, 1000).map(lambda part: part * (2**52 - 1) // 1000)
DRAWN = STEPS.map(lambda step: unit(step << 12))
BASES = st.integers(0, DAY_MS)


# ---- laws


@settings(deadline=None)
@given(SHAPES, STEPS, STEPS | st.integers(1, 3))
def test_a_greater_draw_never_waits_less(shape: Shape, step: int, more: int) -> None:
    """A job's factor is the inverse of the distribution at one draw: it only grows with the draw."""
    higher = min(step + more, 2**52 - 1)

    assert shape.factor_at(unit(step << 12)) <= shape.factor_at(unit(higher << 12))


@settings(deadline=None)
@given(SHAPES, DRAWN, DRAWN, BASES, BASES)
def test_changing_the_base_keeps_every_jobs_rank(shape: Shape, u: float, v: float, base: int, other: int) -> None:
    """Who waited longer under one base never waits less under another."""
    if latency_ms(base, shape, u) < latency_ms(base, shape, v):
        assert latency_ms(other, shape, u) <= latency_ms(other, shape, v)


@settings(deadline=None)
@given(SHAPES, SHAPES, DRAWN, DRAWN)
def test_changing_the_shape_keeps_every_jobs_rank(shape: Shape, other: Shape, u: float, v: float) -> None:
    """The numbers of a shape, or its name, move latencies, never one job past another."""
    if shape.factor_at(u) < shape.factor_at(v):
        assert other.factor_at(u) <= other.factor_at(v)


@settings(deadline=None)
@given(UNIFORMS, DRAWN)
def test_a_uniform_factor_lies_from_low_to_high(shape: Uniform, u: float) -> None:
    """Every factor from low to high, and no other."""
    assert shape.low <= shape.factor_at(u) <= shape.high


@settings(deadline=None)
@example(Lognormal(1000.0), 5e-324)
@example(Lognormal(1000.0), 1 - 2**-53)
@given(LOGNORMALS, st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_lognormal_factor_is_above_zero_and_never_overflows(shape: Lognormal, u: float) -> None:
    """Any u inside (0, 1), the least float there is and the greatest among them."""
    assert 0 < shape.factor_at(u) <= FACTOR_MAX == LATENCY_MS_MAX


@settings(deadline=None)
@given(LOGNORMALS)
def test_the_median_of_lognormal_is_the_base(shape: Lognormal) -> None:
    """Median 1: half of all jobs take the base or less."""
    assert shape.factor_at(0.5) == 1.0
    assert latency_ms(250, shape, 0.5) == 250


@settings(deadline=None)
@given(LOGNORMALS)
def test_one_job_in_a_hundred_takes_p99_times_the_base_or_longer(shape: Lognormal) -> None:
    """The 99th percentile is where the setting says, to a part in 10**9; the 1st lies as far on the other side."""
    assert shape.factor_at(0.99) == pytest.approx(shape.p99, rel=1e-9)
    assert shape.factor_at(0.01) == pytest.approx(1 / shape.p99, rel=1e-9)


@given(BASES, DRAWN)
def test_a_fixed_latency_is_the_base(base: int, u: float) -> None:
    """`fixed`: every job takes the base, whatever it drew."""
    assert latency_ms(base, FIXED, u) == base


@settings(deadline=None)
@given(SHAPES, BASES, DRAWN)
def test_a_latency_is_whole_milliseconds_from_zero_to_seven_days(shape: Shape, base: int, u: float) -> None:
    """Never negative, at most seven days, and within half a millisecond of base times factor."""
    latency = latency_ms(base, shape, u)

    assert type(latency) is int
    assert 0 <= latency <= LATENCY_MS_MAX == 7 * DAY_MS
    assert abs(latency - min(base * shape.factor_at(u), LATENCY_MS_MAX)) <= 0.5


@settings(deadline=None)
@given(SHAPES, DRAWN)
def test_no_base_is_no_latency(shape: Shape, u: float) -> None:
    """DUMMYLLM_LATENCY_MS=0 stays 0 in every shape."""
    assert latency_ms(0, shape, u) == 0


# ---- milliseconds


class Constant(Shape):
    """A shape in which every job has the same factor."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    @property
    def spelled(self) -> str:
        return f"constant({self.factor})"

    def factor_at(self, u: float) -> float:
        return self.factor


@pytest.mark.parametrize(
    ("base_ms", "factor", "expected_ms"),
    [
        (1, 0.5, 1),
        (3, 0.5, 2),
        (5, 0.5, 3),
        (100, 0.0149, 1),
        (1, 0.49999999999999994, 0),  # adding a half to this one gives 1.0
        (1, 0.4999, 0),
        (1, 1.5, 2),
        (250, 0.0, 0),
        (250, -1.0, 0),
    ],
)
def test_half_a_millisecond_is_rounded_up(base_ms: int, factor: float, expected_ms: int) -> None:
    """Whole milliseconds, half of one rounded up, never negative."""
    assert latency_ms(base_ms, Constant(factor), 0.5) == expected_ms


@pytest.mark.parametrize(("base_ms", "expected_ms"), [(604_799, 604_799_000), (604_800, 604_800_000)])
def test_seven_days_are_just_reached(base_ms: int, expected_ms: int) -> None:
    """Up to seven days a latency is what base and factor make it."""
    assert latency_ms(base_ms, Constant(1000.0), 0.5) == expected_ms


@pytest.mark.parametrize(("base_ms", "factor"), [(604_801, 1000.0), (DAY_MS, 7.1), (DAY_MS, FACTOR_MAX), (1, 1e300)])
def test_no_latency_is_longer_than_seven_days(base_ms: int, factor: float) -> None:
    """Capped at seven days."""
    assert latency_ms(base_ms, Constant(factor), 0.5) == LATENCY_MS_MAX


# ---- distributions


@pytest.mark.parametrize(
    ("u", "z"),
    [
        (0.0001, -3.719016),
        (0.001, -3.090232),
        (0.025, -1.959964),
        (0.10, -1.281552),
        (0.25, -0.674490),
        (0.75, 0.674490),
        (0.90, 1.281552),
        (0.95, 1.644854),
        (0.999, 3.090232),
        (0.9999, 3.719016),
    ],
)
@pytest.mark.parametrize("p99", [1.5, 8.0, 1000.0])
def test_lognormal_quantiles_are_those_of_the_tables(u: float, z: float, p99: float) -> None:
    """The logarithm of the factor is z(u) in units in which z(0.99) is the logarithm of p99; z as printed in tables."""
    assert Lognormal(p99).factor_at(u) == pytest.approx(math.exp(math.log(p99) * z / Z99), rel=1e-5)


@pytest.mark.parametrize(("u", "factor"), [(0.001, 0.501), (0.25, 0.75), (0.5, 1.0), (0.75, 1.25), (0.999, 1.499)])
def test_uniform_quantiles_lie_on_a_line(u: float, factor: float) -> None:
    """A quarter of all jobs has passed after a quarter of the way."""
    assert Uniform(0.5, 1.5).factor_at(u) == pytest.approx(factor, rel=1e-12)


def lognormal_below(p99: float) -> Callable[[float], float]:
    """Return the distribution function of a lognormal factor, by the error function."""
    return lambda factor: math.erfc(-math.log(factor) / math.log(p99) * Z99 / math.sqrt(2)) / 2


def uniform_below(low: float, high: float) -> Callable[[float], float]:
    """Return the distribution function of a uniform factor."""
    return lambda factor: (factor - low) / (high - low)


def drawn(shape: Shape) -> list[float]:
    """Return the factors of 20,000 jobs of one payload."""
    identity = Identity(b"latency".ljust(16))
    site = site_of("latency")
    return [shape.factor_at(Luck(1337, identity, ordinal).at(site)) for ordinal in range(DRAWS)]


@pytest.mark.parametrize(
    ("shape", "below"),
    [
        (Uniform(0.5, 1.5), uniform_below(0.5, 1.5)),
        (Uniform(0.0, 1000.0), uniform_below(0, 1000)),
        (Lognormal(8.0), lognormal_below(8)),
        (Lognormal(1.01), lognormal_below(1.01)),
        (Lognormal(1000.0), lognormal_below(1000)),
    ],
    ids=lambda of: of.spelled if isinstance(of, Shape) else "",
)
def test_latencies_are_spread_as_their_shape_says(shape: Shape, below: Callable[[float], float]) -> None:
    """20,000 draws could have come from exactly that distribution: Kolmogorov-Smirnov p > 0.001."""
    assert p_of(drawn(shape), below) > P_MIN


@pytest.mark.parametrize(
    ("shape", "below"),
    [(Lognormal(8.0), lognormal_below(7)), (Uniform(0.5, 1.5), uniform_below(0.48, 1.5))],
    ids=["lognormal", "uniform"],
)
def test_shapes_that_are_a_little_wrong_are_noticed(shape: Shape, below: Callable[[float], float]) -> None:
    """The test can fail: p99=8 is not taken for p99=7, nor 0.5 for 0.48."""
    assert p_of(drawn(shape), below) < P_MIN


def test_as_many_jobs_are_late_as_p99_says() -> None:
    """One in a hundred of 20,000: 200, give or take three standard deviations of 14."""
    assert 158 < sum(factor > 8 for factor in drawn(Lognormal(8.0))) < 242


@pytest.mark.parametrize(("statistic", "p"), [(1.224, 0.10), (1.358, 0.05), (1.628, 0.01), (1.949, 0.001)])
def test_the_kolmogorov_distribution_is_that_of_the_tables(statistic: float, p: float) -> None:
    """Critical values as printed in any table of the distribution."""
    assert kolmogorov_above(statistic) == pytest.approx(p, rel=5e-3)


def p_of(factors: list[float], below: Callable[[float], float]) -> float:
    """Return how probable it is that draws from the distribution *below* lie as far from it as these, or farther."""
    count = len(factors)
    shares = [below(factor) for factor in sorted(factors)]
    gap = max(max((place + 1) / count - share, share - place / count) for place, share in enumerate(shares))
    return kolmogorov_above(gap * math.sqrt(count))


def kolmogorov_above(statistic: float) -> float:
    """Return the probability of a scaled gap above *statistic*, for many draws."""
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * statistic) ** 2) for k in range(1, 100))


# ---- text


@given(SHAPES)
def test_reading_what_a_shape_spells_gives_that_shape(shape: Shape) -> None:
    """The shape as a setting has it."""
    assert parse_shape(shape.spelled) == shape


@pytest.mark.parametrize(
    ("text", "shape", "spelled"),
    [
        ("fixed", Fixed(), "fixed"),
        (" Fixed\n", Fixed(), "fixed"),
        ("uniform(0.5,1.5)", Uniform(0.5, 1.5), "uniform(0.5,1.5)"),
        (" UNIFORM ( 0.50 , 1.5000 ) ", Uniform(0.5, 1.5), "uniform(0.5,1.5)"),
        ("uniform(0,1000)", Uniform(0.0, 1000.0), "uniform(0,1000)"),
        ("uniform(2,2)", Uniform(2.0, 2.0), "uniform(2,2)"),
        ("uniform(0.0001,0010)", Uniform(0.0001, 10.0), "uniform(0.0001,10)"),
        ("lognormal(p99=8)", Lognormal(8.0), "lognormal(p99=8)"),
        ("LogNormal (\tP99 = 2.50 )", Lognormal(2.5), "lognormal(p99=2.5)"),
        ("lognormal(p99=1.0001)", Lognormal(1.0001), "lognormal(p99=1.0001)"),
        ("lognormal(p99=1000)", Lognormal(1000.0), "lognormal(p99=1000)"),
    ],
)
def test_blanks_and_capitals_are_forgiven(text: str, shape: Shape, spelled: str) -> None:
    """`fixed`, `uniform(0.5,1.5)`, `lognormal(p99=8)`, up to both ends of what is allowed."""
    assert parse_shape(text) == shape
    assert shape.spelled == spelled


def test_fixed_is_one_value() -> None:
    """Fates with fixed latency are shared, so `fixed` is always the same object."""
    assert parse_shape("fixed") is FIXED


SHAPE = "is not a latency shape; use fixed, uniform(0.5,1.5) or lognormal(p99=8)"
UNIFORM = "is not uniform(low,high); use 0 <= low <= high <= 1000, at most four decimals, as in uniform(0.5,1.5)"
LOGNORMAL = "is not lognormal(p99=F); use 1 < F <= 1000, at most four decimals, as in lognormal(p99=8)"
ALONE = "is not fixed; use the word alone: every job then takes the base latency"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", SHAPE),
        ("8", SHAPE),
        ("(0.5,1.5)", SHAPE),
        ("pareto(2)", SHAPE),
        ("fixd", f"{SHAPE} (did you mean 'fixed'?)"),
        ("unifrom(0.5,1.5)", f"{SHAPE} (did you mean 'uniform'?)"),
        ("normal(p99=8)", f"{SHAPE} (did you mean 'lognormal'?)"),
        ("log-normal(p99=8)", f"{SHAPE} (did you mean 'lognormal'?)"),
        ("fixed(2)", ALONE),
        ("fixed,fixed", ALONE),
        ("uniform", UNIFORM),
        ("uniform()", UNIFORM),
        ("uniform(1)", UNIFORM),
        ("uniform(1.5,0.5)", UNIFORM),
        ("uniform(-1,1)", UNIFORM),
        ("uniform(0,1000.0001)", UNIFORM),
        ("uniform(0.00001,1)", UNIFORM),
        ("uniform(0,1e2)", UNIFORM),
        ("uniform(0,inf)", UNIFORM),
        ("uniform(nan,1)", UNIFORM),
        ("uniform(0,1 0)", UNIFORM),
        ("uniform(٠,١)", UNIFORM),
        ("uniform(low=0,high=1)", UNIFORM),
        ("uniform(0.5,1.5", UNIFORM),
        ("uniform(0.5,1.5))", UNIFORM),
        ("uniform 0.5,1.5", UNIFORM),
        ("lognormal", LOGNORMAL),
        ("lognormal(8)", LOGNORMAL),
        ("lognormal(p95=8)", LOGNORMAL),
        ("lognormal(p99=1)", LOGNORMAL),
        ("lognormal(p99=0.5)", LOGNORMAL),
        ("lognormal(p99=1000.0001)", LOGNORMAL),
        ("lognormal(p99=99999)", LOGNORMAL),
        ("lognormal(p99=8.00001)", LOGNORMAL),
        ("lognormal(p99=8,p50=1)", LOGNORMAL),
    ],
)
def test_a_mistake_says_what_is_allowed(text: str, complaint: str) -> None:
    """The rest of a sentence that begins `DUMMYLLM_LATENCY_SHAPE='text' …`."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole text is compared below
        parse_shape(text)

    assert str(refused.value) == complaint


@given(st.text(max_size=40) | st.from_regex(r"(uniform|lognormal)\([0-9.,=p -]*\)", fullmatch=True))
def test_any_text_is_a_shape_or_a_mistake(text: str) -> None:
    """Nothing but ValueError comes out of the reader, and what it takes is within the bounds."""
    try:
        shape = parse_shape(text)
    except ValueError:
        return
    assert 0 <= latency_ms(DAY_MS, shape, 0.5) <= LATENCY_MS_MAX


def test_nobody_waits_for_statistics_who_does_not_ask_for_it() -> None:
    """Only a lognormal latency brings in the module `statistics`, with fractions, decimal and random behind it."""
    script = """
import sys
from dummyllm.core.latency import latency_ms, parse_shape
latency_ms(250, parse_shape("uniform(0.5,1.5)"), 0.5)
assert "statistics" not in sys.modules
latency_ms(250, parse_shape("lognormal(p99=8)"), 0.5)
assert "statistics" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
