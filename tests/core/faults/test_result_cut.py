"""`result.cut`: success with the first part of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.core.faults.result_cut import cut


@pytest.mark.parametrize(
    ("percent", "text", "left"),
    [
        (50, "abcdef", "abc"),
        (50, "abcde", "ab"),
        (50, "a", ""),
        (50, "", ""),
        (0, "abc", ""),
        (100, "abc", "abc"),
        (99.9999, "a" * 1_000_000, "a" * 999_999),
        (99.9999, "a" * 999_999, "a" * 999_998),
        (29, "a" * 100, "a" * 29),  # in floats 28.999999999999996
        (0.0001, "a" * 999_999, ""),
        (0.0001, "a" * 1_000_000, "a"),
        (50, "\U0001f680\U0001f680", "\U0001f680"),
    ],
)
def test_the_first_percent_of_the_characters_is_kept(percent: float, text: str, left: str) -> None:
    """Rounded down; a character is never cut in two."""
    assert cut(percent).change(text) == left


@given(st.text(), st.integers(0, 1_000_000))
def test_what_is_left_is_a_beginning(text: str, share: int) -> None:
    """Of any text and at any percentage, in whole characters."""
    left = cut(share / 10_000).change(text)

    assert text.startswith(left)
    assert len(left) == len(text) * share // 1_000_000
