"""unknown-state-tolerated: a word that nobody documented is not the end."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.unknown_state_tolerated import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id

PAUSED: dict[str, Any] = {"shown": "paused", "fault": "poll.unknown_state"}


def puzzled(told: Told | None = None, **more: Any) -> Told:
    """Tell of a job that is shown as `paused` 100 ms after its submit."""
    told = told or Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).read(1, **{**PAUSED, **more})
    return told


def test_a_job_that_is_left_at_a_word_nobody_knows_convicts() -> None:
    """The evidence is the submit and the read that showed the word."""
    found = INVARIANT.judge(puzzled().run(now_ms=5000))

    assert [finding.entries for finding in found.breaches] == [(0, 1)]
    assert found.breaches[0].job == job_id(1)
    assert "'paused'" in found.breaches[0].message
    assert found.premises == 1


def test_whoever_reads_on_does_right() -> None:
    """A test passed, however the next read ends."""
    told = puzzled()
    told.later(100).read(1, status=503)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize("status", [200, 500])
def test_whoever_cancels_does_right(status: int) -> None:
    """An attempt is enough."""
    told = puzzled()
    told.later(100).cancel(1, status=status)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (1, [])


def test_a_job_that_was_cancelled_before_is_nobodys() -> None:
    """There is nothing to judge."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(50).cancel(1, "running")
    told.later(50).read(1, **PAUSED)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


def test_the_last_unknown_word_is_what_counts() -> None:
    """The runner went on after the first, and stopped at the second."""
    told = puzzled()
    last = told.later(100).read(1, **PAUSED)
    found = INVARIANT.judge(told.run(now_ms=5000))

    assert [finding.entries for finding in found.breaches] == [(0, last.seq)]


def test_a_documented_word_is_no_test() -> None:
    """Other rules say what is to be done about a job that is left running."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).read(1, "running")

    assert INVARIANT.judge(told.run(now_ms=5000)).premises == 0


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_word_that_may_not_have_arrived_puzzled_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    assert INVARIANT.judge(puzzled(delivered=delivered).run(now_ms=5000)).premises == 0


@pytest.mark.parametrize(("now_ms", "breaches"), [(1149, 0), (1150, 1)])
def test_a_runner_must_have_had_time_for_another_read(now_ms: int, breaches: int) -> None:
    """A second and the slack after the word; a run that was over sooner tests nothing."""
    found = INVARIANT.judge(puzzled().run(now_ms=now_ms))

    assert (len(found.breaches), found.premises) == (breaches, breaches)


@pytest.mark.parametrize(("at_ms", "breaches"), [(2650, 1), (2651, 0)])
def test_its_deadline_must_have_left_time_for_another_read(at_ms: int, breaches: int) -> None:
    """A word at 2650 ms after a gap as long: the next read is due at 8 s less the slack, and not later."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, timeout_ms=8050)
    told.later(at_ms).read(1, **PAUSED)

    assert len(INVARIANT.judge(told.run(now_ms=20_000)).breaches) == breaches


@pytest.mark.parametrize(("at_ms", "premises"), [(7949, 1), (7950, 0)])
def test_a_word_at_the_deadline_is_no_test(at_ms: int, premises: int) -> None:
    """Both sides of the edge: 8 s less the slack."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(at_ms).read(1, **PAUSED)
    told.later(10).read(1)

    assert INVARIANT.judge(told.run()).premises == premises


def test_whoever_may_know_the_end_by_another_path_owes_no_more_reads() -> None:
    """A read before had told it, perhaps."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, "ok", delivered="unknown")
    told.later(100).read(1, "ok", **PAUSED)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


def test_a_job_that_had_ended_behind_the_word_is_judged_alike() -> None:
    """The word hid the end: nobody was told of it."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, "ok", **PAUSED)

    assert len(INVARIANT.judge(told.run(now_ms=5000)).breaches) == 1


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Somebody else read it."""
    told = Told()
    told.submit(job=1, delivered="no")
    told.later(100).read(1, **PAUSED)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


@pytest.mark.parametrize("now_ms", [100, 9000])
def test_before_the_run_is_over_it_is_pending(now_ms: int) -> None:
    """The runner may still come back."""
    found = INVARIANT.judge(puzzled().run(is_final=False, now_ms=now_ms))

    assert (len(found.pending), found.breaches) == (1, [])


def test_work_that_may_be_several_only_warns() -> None:
    """Equal payloads alone convict nobody."""
    told = puzzled(Told(same=Same.AUTO))
    told.submit(job=2)
    found = INVARIANT.judge(told.run(now_ms=5000))

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_suspended_job_is_not_judged() -> None:
    """A read of it failed, and the run may be over before the next one."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(50).read(1, status=503, fault="poll.status(503)")
    told.later(50).read(1, **PAUSED)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0
