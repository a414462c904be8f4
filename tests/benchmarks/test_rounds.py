from __future__ import annotations

import pytest

from benchmarks.rounds import alternate, more_of, ratio_of


def test_sides_take_turns_at_being_first() -> None:
    """A B, B A, A B: whatever drifts during a run weighs on both sides alike."""
    order: list[str] = []

    def side(name: str, value: float) -> float:
        order.append(name)
        return value

    rounds = alternate(3, lambda: side("a", 1.0), lambda: side("b", 2.0))

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert rounds == [(1.0, 2.0)] * 3


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    """A machine that becomes twice as slow in the middle changes both sides of a round, and no ratio."""
    ratio = ratio_of([(10, 12), (10, 12), (20, 24), (20, 24), (20, 30)])

    assert ratio.value == pytest.approx(1.2)
    assert [ratio.low, ratio.high] == pytest.approx([1.2, 1.5])
    assert (ratio.first, ratio.second) == (20, 24)


def test_three_sides_take_turns_as_well() -> None:
    """What comes last in one round comes first in the next."""
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(ord(name))

    rounds = alternate(2, lambda: side("a"), lambda: side("b"), lambda: side("c"))

    assert order == ["a", "b", "c", "c", "b", "a"]
    assert rounds == [(97.0, 98.0, 99.0)] * 2


def test_an_excess_is_the_median_of_what_the_rounds_have() -> None:
    """In units of the first side, whatever the machine did meanwhile."""
    ratio = more_of([(10, 12, 13), (20, 24, 26), (10, 12, 10)])

    assert ratio.value == pytest.approx(0.1)
    assert [ratio.low, ratio.high] == pytest.approx([-0.2, 0.1])
    assert (ratio.first, ratio.second) == pytest.approx((10, 1.0))
