"""trace-stable: all attempts of one piece of work can be found under one id."""

from __future__ import annotations

import pytest

from dummyllm.verdict.invariants.trace_stable import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_attempts_with_different_traces_are_warned_of() -> None:
    """The evidence is the first attempt and the first one that differs."""
    told = Told()
    first = told.submit(status=503, trace_id="t1")
    told.later(100).submit(status=503, trace_id="t1")
    other = told.later(100).submit(job=1, trace_id="t2")
    told.later(100).submit(job=2, trace_id="t3")
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.warnings] == [(first.seq, other.seq)]
    assert "3 different trace_ids" in found.warnings[0].message
    assert (found.premises, found.breaches) == (1, [])


def test_attempts_with_one_trace_do_right() -> None:
    """A test passed."""
    told = Told()
    told.submit(status=503, trace_id="t1")
    told.later(100).submit(job=1, trace_id="t1")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, [])


@pytest.mark.parametrize("traces", [("t1", None), (None, "t1"), (None, None), ("t1",)])
def test_an_attempt_without_a_trace_says_nothing(traces: tuple[str | None, ...]) -> None:
    """Null trace_ids are not compared, and one alone has nothing to be compared with."""
    told = Told()
    for trace in traces:
        told.later(100).submit(status=503, trace_id=trace)

    assert INVARIANT.judge(told.run()).premises == 0


def test_attempts_with_one_key_are_one_piece_of_work() -> None:
    """Grouped by key."""
    told = Told(same=Same.KEY)
    told.submit(status=503, key="k", trace_id="t1")
    told.later(100).submit(job=1, key="k", trace_id="t2")

    assert len(INVARIANT.judge(told.run()).warnings) == 1


def test_two_pieces_of_work_have_two_traces() -> None:
    """Only attempts of the same work are compared."""
    told = Told()
    told.submit("a", job=1, trace_id="t1")
    told.submit("b", job=2, trace_id="t2")

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("trace", "warnings"), [(TRACE, 0), (TRACE[::-1], 1)])
def test_of_a_traceparent_only_the_trace_counts(trace: str, warnings: int) -> None:
    """A span id for each attempt is legal."""
    told = Told()
    told.submit(status=503, trace_id=f"00-{TRACE}-b7ad6b7169203331-01")
    told.later(100).submit(job=1, trace_id=f"00-{trace}-00f067aa0ba902b7-01")

    assert len(INVARIANT.judge(told.run()).warnings) == warnings


def test_attempts_that_may_be_several_pieces_of_work_are_not_compared() -> None:
    """Two customers ask the same at once, each with a trace of their own."""
    told = Told(same=Same.AUTO)
    told.submit(job=1, trace_id="t1")
    told.later(10).submit(job=2, trace_id="t2")

    assert INVARIANT.judge(told.run()).premises == 0


def test_attempts_that_follow_failures_are_compared_by_their_payload() -> None:
    """Under `auto` nothing else could show it: a new trace_id makes them look unrelated."""
    told = Told(same=Same.AUTO)
    told.submit(status=503, trace_id="t1")
    told.later(100).submit(job=1, trace_id="t2")
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.warnings)) == (1, 1)


def test_suspended_work_is_not_judged() -> None:
    """No fault asks for it today; one of tomorrow may."""
    told = Told()
    told.submit(status=503, trace_id="t1")
    told.later(100).submit(job=1, trace_id="t2")

    run = told.run()
    run.works[0].suspended = frozenset({INVARIANT.id})
    assert INVARIANT.judge(run).premises == 0

    run = told.run()
    run.works[0].stories[0].suspended = frozenset({INVARIANT.id})
    assert INVARIANT.judge(run).premises == 0
