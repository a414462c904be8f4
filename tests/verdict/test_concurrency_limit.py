"""concurrency-limit: no more jobs at once than were agreed."""

from __future__ import annotations

import pytest

from dummyllm.verdict.invariants.concurrency_limit import INVARIANT
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id


def limited(most: int | None = 2, **more: object) -> Told:
    """Tell a run that may have *most* jobs at once."""
    return Told(limits=Limits(concurrency_max=most), **more)


def test_one_job_more_than_the_limit_convicts() -> None:
    """The evidence is as many acknowledgements as it takes: one more than the limit."""
    told = limited(2)
    for number in range(3):
        told.later(10).submit(f"p{number}", job=number)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(0, 1, 2)]
    assert found.breaches[0].job == job_id(2)
    assert found.premises == 2  # as often as a submit reached the limit, or went beyond


def test_as_many_as_the_limit_are_welcome() -> None:
    """The third comes when the first has ended; the limit was reached, so it was put to the test."""
    told = limited(2)
    told.submit("a", job=1)
    told.submit("b", job=2, ends_after_ms=500)
    told.later(250).submit("c", job=3)
    found = INVARIANT.judge(told.run())

    assert found.breaches == []
    assert found.premises == 2


def test_without_the_setting_there_is_nothing_to_judge() -> None:
    """A declared rule needs its setting."""
    told = limited(None)
    for number in range(9):
        told.submit(f"p{number}", job=number)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (0, [])


def test_a_runner_that_never_had_so_much_to_do_was_not_tested() -> None:
    """Two jobs at once, and no third that would have had to wait."""
    told = limited(2)
    told.submit("a", job=1)
    told.submit("b", job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_runner_that_never_reached_the_limit_was_not_tested() -> None:
    """Three jobs, one after the other."""
    told = limited(2)
    for number in range(3):
        told.submit(f"p{number}", job=number)
        told.later(250)

    assert INVARIANT.judge(told.run()).premises == 0


def test_the_largest_excess_is_reported_once() -> None:
    """One too many, and later two too many: the last three of the four prove it."""
    told = limited(2)
    for number in range(3):
        told.submit(f"p{number}", job=number)
    told.later(1000)
    for number in range(3, 7):
        told.submit(f"p{number}", job=number)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(4, 5, 6)]
    assert "4 acknowledged jobs" in found.breaches[0].message


@pytest.mark.parametrize(("at_ms", "breaches"), [(199, 1), (200, 0)])
def test_what_overlaps_by_less_than_the_slack_does_not_overlap(at_ms: int, breaches: int) -> None:
    """The first ends at 250 ms."""
    told = limited(1)
    told.submit("a", job=1)
    told.later(at_ms).submit("b", job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_job_counts_from_its_acknowledgement() -> None:
    """Before that its client does not know that it is there."""
    told = limited(1)
    told.submit("a", job=1, took_ms=240)
    told.submit("b", job=2, ends_after_ms=100)

    assert INVARIANT.judge(told.run()).breaches == []


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_job_that_was_never_surely_acknowledged_does_not_count(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = limited(1)
    told.submit("a", job=1, delivered=delivered)
    told.submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_cancel_attempt_frees_the_place() -> None:
    """Whatever comes of it."""
    told = limited(1)
    told.submit("a", job=1, ends_after_ms=None)
    told.later(100).cancel(1, "running")
    told.later(10).submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_is_gone_frees_the_place() -> None:
    """Its client was told that there is no such job."""
    told = limited(1)
    told.submit("a", job=1, ends_after_ms=None)
    told.later(100).read(1, None, status=404)
    told.later(10).submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_never_ends_keeps_its_place() -> None:
    """To be the end of the run, in its last millisecond too."""
    told = limited(1)
    told.submit("a", job=1, ends_after_ms=None)
    told.later(60_000).submit("b", job=2, ends_after_ms=None)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_a_suspended_job_does_not_count() -> None:
    """Its cancel is ignored: whoever waited a bounded time may need the place."""
    told = limited(1)
    told.submit("a", job=1, faults=("cancel.ignored",))
    told.submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_an_excess_that_needs_jobs_of_doubtful_work_only_warns() -> None:
    """A group that is held together by its payload alone fails no rule."""
    told = limited(2, same=Same.AUTO)
    told.submit("same", job=1)
    told.submit("same", job=2)
    told.submit("other", job=3)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_doubtful_work_within_the_limit_is_not_warned_of() -> None:
    """The limit was reached, and kept."""
    told = limited(2, same=Same.AUTO)
    told.submit("same", job=1)
    told.submit("same", job=2)
    told.later(250).submit("other", job=3)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, [])


def test_of_two_excesses_alike_the_first_is_reported() -> None:
    """It is what the runner did first."""
    told = limited(1)
    for number in range(4):
        told.submit(f"p{number}", job=number)
        told.later(1000 if number == 1 else 0)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(0, 1)]


def test_a_job_that_ends_in_the_very_instant_is_no_evidence() -> None:
    """The second job ends, less the slack, when the last two are acknowledged."""
    told = limited(2)
    told.submit("long", job=0, ends_after_ms=None)
    told.later(100).submit("short", job=1, ends_after_ms=150)
    told.later(100).submit("c", job=2)
    told.submit("d", job=3)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(0, 2, 3)]
