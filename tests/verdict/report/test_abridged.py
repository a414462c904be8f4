"""A long story is shortened, and what proves the breach stays in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.verdict.report.abridged import ALIKE_MAX, NEIGHBOURS, ROWS_MAX, Gap, abridged
from dummyllm.verdict.report.row import Row


def poll(at_ms: int, **more: Any) -> Row:
    return Row(at_ms=at_ms, **{"seq": at_ms, "request": "poll", "answer": "200 running", "delivered": "yes", **more})


def different(at_ms: int, **more: Any) -> Row:
    return poll(at_ms, answer=f"{at_ms}", **more)


@pytest.mark.parametrize(("count", "shown"), [(ALIKE_MAX, ALIKE_MAX), (ALIKE_MAX + 1, 3)])
def test_a_few_rows_alike_stay_and_more_are_drawn_together(count: int, shown: int) -> None:
    """The first, how many followed, the last."""
    assert len(abridged([poll(number) for number in range(count)])) == shown


def test_the_gap_says_how_many_rows_it_stands_for() -> None:
    """And within what time they came."""
    first, gap, last = abridged([poll(10 * number) for number in range(12)])

    assert (first, gap, last) == (poll(0), Gap("10 more alike, within 90 ms"), poll(110))


@pytest.mark.parametrize("change", [{"answer": "200 ok"}, {"is_proof": True}, {"remarks": ("x",)}, {"job": "job_2"}])
def test_a_row_that_differs_is_never_drawn_together_with_others(change: dict[str, Any]) -> None:
    """What stands out is what one looks for."""
    rows = [poll(number) for number in range(20)]
    rows[10] = poll(10, **change)

    assert rows[10] in abridged(rows)
    assert len(abridged(rows)) == 7


def test_proofs_that_are_drawn_together_stay_proofs() -> None:
    """A storm of reads is proven by all of them."""
    _, gap, _ = abridged([poll(number, is_proof=True) for number in range(20)])

    assert gap == Gap("18 more alike, within 17 ms", is_proof=True)


@pytest.mark.parametrize(("count", "is_cut"), [(ROWS_MAX, False), (ROWS_MAX + 1, True)])
def test_a_story_that_is_too_long_is_cut(count: int, *, is_cut: bool) -> None:
    """Its beginning, its end, the proofs and their neighbours stay."""
    rows = [different(number, is_proof=number == count // 2) for number in range(count)]
    shown = abridged(rows)
    kept = {place for place in range(count) if min(place, count - 1 - place, abs(place - count // 2)) <= NEIGHBOURS}

    assert shown == rows or is_cut
    if is_cut:
        assert [row for row in shown if isinstance(row, Row)] == [rows[place] for place in sorted(kept)]
        assert [row.text for row in shown if isinstance(row, Gap)] == ["15 rows left out", "15 rows left out"]


def test_of_very_many_proofs_the_first_and_the_last_are_shown() -> None:
    """And the gap between them says that there are more."""
    shown = abridged([different(number, is_proof=True) for number in range(1_000)])

    assert len(shown) <= ROWS_MAX
    assert [row.is_proof for row in shown if isinstance(row, Gap)] == [True]


EVENTS = st.builds(
    lambda at_ms, answer, is_proof, event: Row(at_ms=at_ms, event=event)
    if event
    else poll(at_ms, answer=str(answer), is_proof=is_proof),
    st.integers(0, 9_999), st.integers(0, 3), st.booleans(), st.sampled_from(["", "", "", "ends: ok"]),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=200))
def test_no_story_is_longer_than_a_screen_and_none_is_out_of_order(rows: list[Row]) -> None:
    """Whatever happened."""
    shown = abridged(rows)
    told = [row for row in shown if isinstance(row, Row)]
    rest = iter(rows)

    assert len(shown) <= ROWS_MAX + 20
    assert all(any(row is other for other in rest) for row in told)
    assert any(row.is_proof for row in shown) is any(row.is_proof for row in rows)
