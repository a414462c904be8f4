"""The axis that timelines share: where times lie on it, which are marked, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.cli.axis import Axis, Moments, axis_for, duration, in_words, never_ends
from dummyllm.core.timeline import FINAL_STATES, State

WEEK_MS = 7 * 86_400_000
TIMES = st.integers(0, WEEK_MS)
STEP_BEGINS = {"1", "2", "5"}


def axis_to(longest_ms: int) -> Axis:
    return axis_for([((longest_ms, "ok"),)], left_px=100, width_px=600)


@pytest.mark.parametrize(
    ("longest_ms", "marks"),
    [
        (1, "0, 1 ms"),
        (3, "0, 1 ms, 2 ms, 3 ms"),
        (6, "0, 1 ms, 2 ms, 3 ms, 4 ms, 5 ms, 6 ms"),
        (7, "0, 2 ms, 4 ms, 6 ms, 8 ms"),
        (250, "0, 50 ms, 100 ms, 150 ms, 200 ms, 250 ms"),
        (300, "0, 50 ms, 100 ms, 150 ms, 200 ms, 250 ms, 300 ms"),
        (301, "0, 100 ms, 200 ms, 300 ms, 400 ms"),
        (1337, "0, 500 ms, 1 s, 1.5 s"),
        (8400, "0, 2 s, 4 s, 6 s, 8 s, 10 s"),
        (WEEK_MS, "0, 200000 s, 400000 s, 600000 s, 800000 s"),
    ],
)
def test_the_steps_are_round_numbers(longest_ms: int, marks: str) -> None:
    """At most six steps of 1, 2 or 5 times a power of ten."""
    assert ", ".join(duration(at_ms) for at_ms in axis_to(longest_ms).ticks_ms) == marks


@given(st.lists(st.lists(st.tuples(TIMES, st.just("ok")), max_size=3), max_size=3))
def test_the_axis_is_the_shortest_on_which_all_timelines_fit(timelines: list[Moments]) -> None:
    """No step is left over, and no finer step would do."""
    axis = axis_for(timelines, left_px=0, width_px=600)
    longest_ms = max([at_ms for moments in timelines for at_ms, _ in moments], default=0) or 1000

    assert longest_ms <= axis.until_ms < longest_ms + axis.step_ms
    assert axis.ticks_ms[0] == 0
    assert axis.ticks_ms[-1] == axis.until_ms
    assert len(axis.ticks_ms) <= 7
    assert str(axis.step_ms).rstrip("0") in STEP_BEGINS
    assert axis.step_ms == 1 or axis.step_ms * 6 < 2.5 * longest_ms


@pytest.mark.parametrize("timelines", [[], [()], [((0, "queued"), (0, "ok"))]])
def test_where_nothing_takes_any_time_the_axis_is_a_second_long(timelines: list[Moments]) -> None:
    """No job, or a latency of 0."""
    assert axis_for(timelines, left_px=0, width_px=600).until_ms == 1000


@given(TIMES.filter(bool), st.data())
def test_a_time_lies_where_its_share_of_the_axis_is(longest_ms: int, data: st.DataObject) -> None:
    """From the left end for 0 to the right end for the last mark, in proportion between."""
    axis = axis_to(longest_ms)
    at_ms = data.draw(st.integers(0, axis.until_ms))

    assert (axis.x_at(0), axis.x_at(axis.until_ms), axis.right_px) == (100, 700, 700)
    assert (axis.x_at(at_ms) - 100) / 600 == pytest.approx(at_ms / axis.until_ms)


@pytest.mark.parametrize(
    ("moments", "stretches"),
    [
        (((0, "queued"), (0, "running"), (250, "ok")), [("running", 100, 250)]),
        (((0, "queued"), (200, "running"), (600, "fail")), [("queued", 100, 220), ("running", 220, 460)]),
        (((0, "queued"), (0, "running")), [("running", 100, 700)]),
        (((0, "queued"), (500, "running")), [("queued", 100, 400), ("running", 400, 700)]),
        (((0, "queued"), (0, "running"), (0, "ok")), []),
        ((), []),
    ],
)
def test_a_state_lasts_until_the_next_one_begins(moments: Moments, stretches: list[tuple[str, float, float]]) -> None:
    """A state that takes no time is no stretch, and one that never ends goes to the end of the axis."""
    axis = Axis(step_ms=1000, until_ms=1000, left_px=100, width_px=600)

    assert list(axis.stretches(moments)) == stretches


@pytest.mark.parametrize("state", [*State, "paused"])
def test_only_a_final_state_ends_a_timeline(state: str) -> None:
    """Queued, running and states that nobody knows go on for ever if nothing comes after them."""
    assert never_ends(((0, "queued"), (1, state))) is (state not in FINAL_STATES)
    assert not never_ends(((0, state), (1, "ok")))


def test_no_timeline_does_not_never_end() -> None:
    """Where there is no job, nothing goes on."""
    assert never_ends(()) is False


@pytest.mark.parametrize(
    ("time_ms", "words"),
    [
        (0, "0"),
        (1, "1 ms"),
        (250, "250 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (1001, "1.001 s"),
        (1050, "1.05 s"),
        (1500, "1.5 s"),
        (10_000, "10 s"),
        (WEEK_MS, "604800 s"),
    ],
)
def test_a_duration_is_written_in_ms_or_s(time_ms: int, words: str) -> None:
    """Milliseconds below a second, then seconds, without zeros at the end."""
    assert duration(time_ms) == words


@given(TIMES)
def test_a_duration_is_exact(time_ms: int) -> None:
    """What is written is that many milliseconds, not about that many."""
    number, _, unit = duration(time_ms).partition(" ")

    assert round(float(number) * {"": 0, "ms": 1, "s": 1000}[unit]) == time_ms


def test_a_timeline_in_words_is_one_line() -> None:
    """Every state with the time at which it begins, in order."""
    assert in_words(((0, "queued"), (0, "running"), (250, "ok"))) == "queued 0 → running 0 → ok 250 ms"
    assert in_words(()) == ""
