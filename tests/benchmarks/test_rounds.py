from __future__ import annotations

import pytest

from benchmarks.rounds import alternate, ratio_of


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
