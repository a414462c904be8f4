"""quiet-after-terminal: whoever knows the end of a job has nothing more to ask."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.quiet_after_terminal import INVARIANT
from tests.verdict.told import Told, job_id


def read_after_its_end(times: int, **more: Any) -> Told:
    """Tell of a job whose end was read, and then read so many *times* more."""
    told = Told()
    told.submit(job=1)
    told.later(250).read(1, "ok", user_agent="runner")
    for _ in range(times):
        told.later(100).read(1, "ok", **{"user_agent": "runner", **more})
    return told


def test_the_sixth_read_after_the_end_was_told_is_noise() -> None:
    """Five are welcome: test code and dashboards read too. The evidence is the end and six reads after it."""
    found = INVARIANT.judge(read_after_its_end(6).run())

    assert [finding.entries for finding in found.warnings] == [(1, 2, 3, 4, 5, 6, 7)]
    assert found.warnings[0].job == job_id(1)
    assert "by 'runner'" in found.warnings[0].message
    assert (found.premises, found.breaches) == (1, [])


def test_five_reads_after_the_end_are_welcome() -> None:
    """The other side of the edge, and a premise all the same."""
    found = INVARIANT.judge(read_after_its_end(5).run())

    assert (found.premises, found.warnings) == (1, [])


def test_more_than_are_welcome_are_counted_but_not_listed() -> None:
    """The smallest set of entries that proves it."""
    found = INVARIANT.judge(read_after_its_end(20).run())

    assert "read 20 times" in found.warnings[0].message
    assert len(found.warnings[0].entries) == 7


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_an_end_that_may_not_have_arrived_silences_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(job=1)
    told.later(250)
    for _ in range(7):
        told.read(1, "ok", delivered=delivered)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Its client cannot know the id: somebody else reads."""
    told = Told()
    told.submit(job=1, delivered="no")
    told.later(250)
    for _ in range(7):
        told.read(1, "ok")

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("more", [{"status": 503}, {"delivered": "no"}])
def test_a_read_that_failed_counts_for_nothing(more: dict[str, Any]) -> None:
    """The sixth one brought no answer."""
    told = read_after_its_end(5)
    told.read(1, "ok", user_agent="runner", **more)

    assert INVARIANT.judge(told.run()).warnings == []


@pytest.mark.parametrize(("after_ms", "warnings"), [(99, 0), (100, 1)])
def test_reads_before_the_answer_had_left_were_on_their_way(after_ms: int, warnings: int) -> None:
    """Nobody can be silenced by an answer that is not there yet."""
    told = Told()
    told.submit(job=1)
    told.later(250).read(1, "ok", took_ms=100)
    told.later(after_ms)
    for _ in range(6):
        told.read(1, "ok")

    assert len(INVARIANT.judge(told.run()).warnings) == warnings


def test_each_user_agent_is_counted_by_itself_from_when_it_was_told() -> None:
    """A dashboard that knows the end does not count against the runner, which has yet to hear of it."""
    told = read_after_its_end(3)
    for _ in range(6):
        told.later(10).read(1, "ok", user_agent="dashboard")
    found = INVARIANT.judge(told.run())

    assert found.warnings == []


@pytest.mark.parametrize(("reads", "warnings"), [(6, 0), (7, 1)])
def test_one_more_read_is_welcome_after_a_cancel_that_told_the_end(reads: int, warnings: int) -> None:
    """To look at what a cancel came to is careful, not noisy."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).cancel(1, "cancelled")
    for _ in range(reads):
        told.later(10).read(1, "cancelled")

    assert len(INVARIANT.judge(told.run()).warnings) == warnings


def test_cancels_are_never_counted() -> None:
    """A cancel of a job that has ended is safe, however often it comes."""
    told = read_after_its_end(5)
    for _ in range(5):
        told.later(10).cancel(1, "ok", user_agent="runner")

    assert INVARIANT.judge(told.run()).warnings == []


def test_the_number_that_is_welcome_is_a_setting() -> None:
    """`quiet_reads_max`, named after the rule."""
    told = read_after_its_end(5)
    told.limits = type(told.limits)(quiet_reads_max=4)

    assert len(INVARIANT.judge(told.run()).warnings) == 1


def test_a_job_whose_state_goes_backwards_is_not_judged() -> None:
    """Whoever sees it run again does right to read on."""
    told = Told()
    told.submit(job=1, faults=("poll.backwards(reads=2)",))
    told.later(250)
    for _ in range(9):
        told.read(1, "ok")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_user_agent_that_may_not_have_been_told_is_not_counted() -> None:
    """The dashboard surely knows the end; the runner's answers may all have been lost."""
    told = Told()
    told.submit(job=1)
    told.later(250).read(1, "ok", user_agent="dashboard")
    for _ in range(9):
        told.later(10).read(1, "ok", user_agent="runner", delivered="unknown")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, [])
