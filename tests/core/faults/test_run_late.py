"""`run.late`: a job that ends well, just after nobody waits for it any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dummyllm.core.fate import STARTED
from dummyllm.core.faults.run_late import late
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Moment, State, Timeline

FAILED: Timeline = (*STARTED, Moment(200, State.FAIL))


def timeline(factor: float, timeout_ms: int, was: Timeline = FAILED) -> Timeline:
    """Return the course of a job with this *timeout_ms* that *was* to go another way."""
    return late(factor).change(was, JobRequest("llm.chat", timeout_ms=timeout_ms))


@pytest.mark.parametrize(
    ("factor", "timeout_ms", "ends_at_ms"),
    [
        (1.05, 8_000, 8_400),
        (1.05, 100, 105),
        (1.05, 99, 103),  # 103.95
        (1.05, 1, 1),
        (1.05, 86_400_000, 90_720_000),
        (0.95, 8_000, 7_600),
        (1, 8_000, 8_000),
        (0.0001, 9_999, 0),
        (0.0001, 10_000, 1),
        (1.1, 10, 11),  # in floats 11.000000000000002
        (1.15, 100, 115),  # in floats 114.99999999999999
        (1_000, 86_400_000, 86_400_000_000),
        (0, 8_000, 0),
        (1.05, 0, 0),
    ],
)
def test_the_end_is_so_many_times_the_deadline(factor: float, timeout_ms: int, ends_at_ms: int) -> None:
    """Ends ok at factor × timeout_ms from the start of the run, in whole milliseconds, rounded down."""
    assert timeline(factor, timeout_ms) == (*STARTED, Moment(ends_at_ms, State.OK))


@pytest.mark.parametrize("was", [STARTED, FAILED, (*STARTED, Moment(90_000, State.OK))])
def test_whatever_mode_it_had_it_ends_ok(was: Timeline) -> None:
    """A hang ends, a failure ends well, a success ends later or sooner."""
    assert timeline(1.05, 8_000, was) == (*STARTED, Moment(8_400, State.OK))


def test_a_moment_that_would_come_after_the_end_is_gone() -> None:
    """All moments of a timeline are in order."""
    was = (Moment(0, State.QUEUED), Moment(500, State.RUNNING), Moment(600, State.OK))

    assert timeline(1, 499, was) == (Moment(0, State.QUEUED), Moment(499, State.OK))
    assert timeline(1, 500, was) == (Moment(0, State.QUEUED), Moment(500, State.RUNNING), Moment(500, State.OK))


@given(st.integers(0, 10_000_000), st.integers(0, 86_400_000))
def test_no_millisecond_is_lost_to_floats(share: int, timeout_ms: int) -> None:
    """Exact integer arithmetic on ten-thousandths."""
    end = timeline(share / 10_000, timeout_ms)[-1]

    assert end == Moment(share * timeout_ms // 10_000, State.OK)
