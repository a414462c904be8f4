"""Frequencies of 100,000 draws for 20 sets of weights: each could have come from exactly those weights.

The seed is fixed, so these tests pass always or never. The chi-square distribution is computed here and checked against
the critical values printed in every table of it.
"""

from __future__ import annotations

import math
from collections import Counter

import pytest

from dummyllm.core.draw import Luck
from dummyllm.core.fate import FLAKY, Turn
from dummyllm.core.mode import WEIGHABLE_MODES, WEIGHT_MAX, Mode, winner
from dummyllm.core.policy import DEFAULT_WEIGHTS, Policy
from dummyllm.core.request import Identity

DRAWS = 100_000
P_MIN = 0.001
EXPECTED_MIN = 5

# In the order ok, echo, slow, fail, hang, timeout, flaky.
WEIGHT_SETS = (
    tuple(weight for _, weight in DEFAULT_WEIGHTS),
    (1, 1, 1, 1, 1, 1, 1),
    (1, 2, 3, 4, 5, 6, 7),
    (0, 2, 0, 0, 1, 0, 0),
    (1, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 1),
    (0, 0, 0, WEIGHT_MAX, 0, 0, 0),
    (1, 1, 0, 0, 0, 0, 0),
    (0, 0, 1, 0, 0, 99, 0),
    (999, 0, 0, 1, 0, 0, 0),
    (9_999, 0, 1, 0, 0, 0, 0),
    (WEIGHT_MAX, 0, 0, WEIGHT_MAX, 0, 0, WEIGHT_MAX),
    (WEIGHT_MAX, 1, 0, 0, 0, 0, 1),
    (WEIGHT_MAX, WEIGHT_MAX - 1, 0, 0, 0, 0, 0),
    (WEIGHT_MAX, 0, WEIGHT_MAX // 1000, 0, WEIGHT_MAX // 10_000, 0, 0),
    (1, 0, 100, 0, 10_000, 0, 1_000_000),
    (50, 0, 0, 50, 0, 0, 0),
    (90, 0, 0, 5, 5, 0, 0),
    (30, 15, 15, 10, 10, 10, 10),
    (3, 3, 3, 0, 0, 0, 91),
)


@pytest.mark.parametrize("numbers", WEIGHT_SETS, ids=str)
def test_modes_come_as_often_as_their_weights_say(numbers: tuple[int, ...]) -> None:
    """Frequencies are exactly the weights: chi-square p > 0.001, and a weight of 0 never comes."""
    weights = dict(zip(WEIGHABLE_MODES, numbers, strict=True))
    policy = Policy(mode=Mode.RANDOM, weights=tuple(weights.items()))
    identity = Identity(str(numbers).encode().ljust(16)[-16:])
    seen = Counter(winner(policy.race, Luck(policy.seed, identity, ordinal)) for ordinal in range(DRAWS))

    assert not {mode for mode in seen if weights[mode] == 0}
    assert p_of(seen, weights) > P_MIN, seen


def test_a_flaky_job_fails_half_the_time_and_hangs_a_fifth() -> None:
    """Half `SIM_FLAKY`, a fifth hang, the rest ok, by draw."""
    seen = Counter(winner(FLAKY, Luck(1337, Identity(bytes(16)), ordinal)) for ordinal in range(DRAWS))

    assert p_of(seen, {Turn.FAIL: 50, Turn.HANG: 20, Turn.OK: 30}) > P_MIN, seen


def test_there_are_twenty_sets_of_weights() -> None:
    """With zeros, one option, huge weights and tiny ones among them."""
    assert len(set(WEIGHT_SETS)) == 20


def test_weights_that_are_a_little_wrong_are_noticed() -> None:
    """The test can fail: draws made with 30 : 70 are not taken for 31 : 69."""
    policy = Policy(mode=Mode.RANDOM, weights=((Mode.OK, 30), (Mode.FAIL, 70)))
    seen = Counter(winner(policy.race, Luck(1337, Identity(bytes(16)), ordinal)) for ordinal in range(DRAWS))

    assert p_of(seen, {Mode.OK: 30, Mode.FAIL: 70}) > P_MIN
    assert p_of(seen, {Mode.OK: 31, Mode.FAIL: 69}) < P_MIN


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),
    [(3.841, 1, 0.05), (10.828, 1, 0.001), (5.991, 2, 0.05), (12.592, 6, 0.05), (22.458, 6, 0.001), (0.872, 6, 0.99)],
)
def test_the_chi_square_distribution_is_that_of_the_tables(statistic: float, freedom: int, p: float) -> None:
    """Critical values as printed in any table of the distribution."""
    assert chi_square_above(statistic, freedom) == pytest.approx(p, rel=2e-3)


def p_of(seen: Counter[Mode] | Counter[Turn], weights: dict[Mode, int] | dict[Turn, int]) -> float:
    """Return how probable it is that draws by these *weights* differ from them by as much as *seen* does, or more."""
    total = sum(weights.values())
    draws = seen.total()
    cells = sorted((weight * draws / total, seen[option]) for option, weight in weights.items() if weight)  # type: ignore[index]
    # The approximation holds where 5 or more are expected, so the rarest cells are thrown together.
    while len(cells) > 1 and cells[0][0] < EXPECTED_MIN:
        (expected, count), (expected_next, count_next), *rest = cells
        cells = sorted([(expected + expected_next, count + count_next), *rest])
    if len(cells) == 1:
        return 1.0
    statistic = sum((count - expected) ** 2 / expected for expected, count in cells)
    return chi_square_above(statistic, len(cells) - 1)


def chi_square_above(statistic: float, freedom: int) -> float:
    """Return the probability of a chi-square above *statistic*: the regularised upper incomplete gamma function."""
    a, x = freedom / 2, statistic / 2
    if x == 0:
        return 1.0
    # The series of the lower function converges for every x, and quickly for the small ones met here.
    term = total = 1 / a
    for n in range(1, 10_000):
        term *= x / (a + n)
        total += term
        if term < total * 1e-15:
            break
    return 1 - total * math.exp(-x + a * math.log(x) - math.lgamma(a))
