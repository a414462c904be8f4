"""cancel-follow-through: a cancel that has not taken effect is followed to its end."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.invariants.cancel_follow_through import INVARIANT
from tests.verdict.told import Told, job_id


def softly_cancelled(**more: object) -> Told:
    """Return a run in which a job was cancelled at 100 ms, and the answer showed it still running."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, **more)
    told.later(100).cancel(1, "running")
    return told


def test_the_work_submitted_again_before_the_end_was_told_convicts() -> None:
    """The evidence is the cancel and the submit."""
    told = softly_cancelled()
    again = told.later(50).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert [(finding.entries, finding.job) for finding in found.breaches] == [((1, again.seq), job_id(2))]
    assert (found.premises, found.warnings) == (1, [])


@pytest.mark.parametrize("state", ["queued", "running"])
@pytest.mark.parametrize(("status", "premises"), [(200, 1), (409, 0)])
def test_the_answer_must_show_the_job_under_way(state: str, status: int, premises: int) -> None:
    """A cancel that was refused shows nothing."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.cancel(1, state, status=status, hidden=state)
    told.later(50).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == premises


@pytest.mark.parametrize("state", ["cancelled", "ok", "fail", "timeout"])
def test_a_cancel_that_took_effect_needs_no_following(state: str) -> None:
    """Its answer is the end."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.cancel(1, state)
    told.later(50).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_an_answer_that_may_not_have_arrived_binds_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.cancel(1, "running", delivered=delivered)
    told.later(50).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("gap_ms", "breaches"), [(19, 1), (20, 0)])
def test_after_the_end_was_told_the_work_may_come_again(gap_ms: int, breaches: int) -> None:
    """Both sides of the answer that told it, which took 20 ms."""
    told = softly_cancelled()
    told.read(1, "cancelled", took_ms=20)
    told.later(gap_ms).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_second_cancel_may_tell_the_end() -> None:
    """By any path."""
    told = softly_cancelled()
    told.later(10).cancel(1, "cancelled")
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches, found.warnings) == (1, [], [])


def test_an_end_that_may_not_have_arrived_frees_nobody() -> None:
    """The runner could not know that it had ended."""
    told = softly_cancelled()
    told.later(10).read(1, "cancelled", delivered="no")
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


@pytest.mark.parametrize(("gap_ms", "breaches"), [(29_999, 1), (30_000, 0)])
def test_thirty_seconds_are_long_enough_to_follow(gap_ms: int, breaches: int) -> None:
    """A bounded wait."""
    told = softly_cancelled()
    told.later(10).read(1)
    told.later(gap_ms - 10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_job_that_is_gone_need_not_be_followed() -> None:
    """A delivered 404 is the end of it."""
    told = softly_cancelled()
    told.later(10).read(1, status=404)
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches, found.warnings) == (1, [], [])


def test_a_submit_that_came_before_the_answer_proves_nothing() -> None:
    """It was on its way."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.cancel(1, "running", took_ms=50)
    told.later(49).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_submit_that_was_refused_runs_nothing() -> None:
    """No second job beside the first."""
    told = softly_cancelled()
    told.later(10).submit(status=503)
    told.later(10).read(1)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_nobody_asked_about_again_is_warned_of() -> None:
    """And never fails."""
    found = INVARIANT.judge(softly_cancelled().run())

    assert (len(found.warnings), found.breaches, found.premises) == (1, [], 1)


def test_before_the_run_is_over_that_is_pending() -> None:
    """Somebody may still ask."""
    found = INVARIANT.judge(softly_cancelled().run(is_final=False))

    assert (len(found.pending), found.warnings) == (1, [])


def test_one_read_is_enough_of_a_following() -> None:
    """Even if the end never came."""
    told = softly_cancelled()
    told.later(10).read(1)

    assert INVARIANT.judge(told.run()).warnings == []


def test_a_read_that_was_held_since_before_the_cancel_follows_it_too() -> None:
    """If it told of the end."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).cancel(1, "running")
    told.now_ms = 50
    told.read(1, "cancelled", wait_s=60, took_ms=900)

    assert INVARIANT.judge(told.run()).warnings == []


def test_the_message_says_what_was_not_waited_for() -> None:
    """And for how long."""
    told = softly_cancelled()
    told.later(50).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches[0].message == (
        f"the cancel of {job_id(1)} was answered with running; 50 ms later, before its end was told, the runner "
        "submitted the work again"
    )


def test_other_work_may_be_submitted_meanwhile() -> None:
    """Only the same work is bound."""
    told = softly_cancelled()
    told.later(10).submit("b", job=2)
    told.later(10).read(1)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Whoever cancelled it then is not the one to be judged."""
    told = softly_cancelled(delivered="no")
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_suspended_job_is_not_judged() -> None:
    """It vanished: nobody can follow it."""
    told = softly_cancelled(faults=("run.vanish(after_ms=100)",))
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_equal_payloads_alone_only_warn() -> None:
    """Another customer may have asked the same."""
    told = softly_cancelled()
    told.same = Same.AUTO
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)
