"""terminal-state-read: somebody comes to hear how a job ended."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.terminal_state_read import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id


def submitted(**more: Any) -> Told:
    """Tell of a job that ends 250 ms after its submit."""
    told = Told()
    told.submit(job=1, **more)
    return told


def test_a_job_whose_end_nobody_came_to_hear_convicts() -> None:
    """Fire and forget: the evidence is the submit and the last that was heard."""
    told = submitted()
    last = told.later(100).read(1)
    found = INVARIANT.judge(told.run(now_ms=5000))

    assert [finding.entries for finding in found.breaches] == [(0, last.seq)]
    assert found.breaches[0].job == job_id(1)
    assert "ended 4750 ms before" in found.breaches[0].message
    assert found.premises == 1


def test_a_job_that_was_never_asked_about_is_proven_by_its_submit_alone() -> None:
    """The smallest set of entries."""
    found = INVARIANT.judge(submitted().run(now_ms=5000))

    assert [finding.entries for finding in found.breaches] == [(0,)]


@pytest.mark.parametrize(("now_ms", "breaches"), [(1249, 0), (1250, 1)])
def test_a_job_must_have_ended_a_second_before_the_run(now_ms: int, breaches: int) -> None:
    """Both sides of the edge. A run that was over too soon proves nothing, and tests nothing."""
    found = INVARIANT.judge(submitted().run(now_ms=now_ms))

    assert (len(found.breaches), found.premises) == (breaches, breaches)


@pytest.mark.parametrize(("now_ms", "breaches"), [(649 + 1000, 0), (650 + 1000, 1)])
def test_a_runner_with_a_slow_rhythm_has_time_for_its_next_read(now_ms: int, breaches: int) -> None:
    """The next read after gaps of 100 ms is due a second and the slack after the last one."""
    told = submitted(ends_after_ms=605)
    for _ in range(6):
        told.later(100).read(1)

    assert len(INVARIANT.judge(told.run(now_ms=now_ms)).breaches) == breaches


@pytest.mark.parametrize(("now_ms", "breaches"), [(9049, 0), (9050, 1)])
def test_twice_the_longest_gap_may_pass_before_anybody_is_missed(now_ms: int, breaches: int) -> None:
    """A poll after 3 s, and the next one in 6 s at the latest."""
    told = submitted(ends_after_ms=3500)
    told.later(3000).read(1)

    assert len(INVARIANT.judge(told.run(now_ms=now_ms)).breaches) == breaches


def test_who_was_told_to_wait_may_wait() -> None:
    """A Retry-After that is still running excuses."""
    told = submitted()
    told.later(100).read(1, status=429, retry_after_s=30)

    assert INVARIANT.judge(told.run(now_ms=20_000)).breaches == []


@pytest.mark.parametrize(("delivered", "breaches"), [("yes", 0), ("unknown", 0)])
def test_an_end_that_was_told_or_may_have_been_is_known(delivered: str, breaches: int) -> None:
    """Only an answer that surely did not arrive leaves the end untold."""
    told = submitted()
    told.later(250).read(1, "ok", delivered=delivered)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, len(found.breaches)) == (1, breaches)


def test_the_answer_to_a_submit_that_waited_tells_the_end_too() -> None:
    """Any path will do."""
    told = submitted(wait_s=5, took_ms=250, state="ok")

    assert INVARIANT.judge(told.run(now_ms=9000)).breaches == []


def test_a_runner_that_came_and_got_no_answer_is_not_one_that_left() -> None:
    """A failed read counts for nothing as news, and exonerates as contact."""
    told = submitted()
    told.later(250).read(1, "ok", delivered="no")
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (0, [])


def test_a_failed_read_before_the_end_excuses_nobody() -> None:
    """The runner left before there was anything to hear."""
    told = submitted()
    told.later(249).read(1, "running", delivered="no")

    assert len(INVARIANT.judge(told.run(now_ms=9000)).breaches) == 1


@pytest.mark.parametrize("more", [{"took_ms": 150, "delivered": "no"}, {"delivered": "no"}, {"delivered": "unknown"}])
def test_a_read_that_was_held_when_the_job_ended_is_contact(more: dict[str, Any]) -> None:
    """`Prefer: wait`: whether it was answered in vain, left, or is still open."""
    told = submitted()
    told.later(100).read(1, wait_s=1, **more)

    assert INVARIANT.judge(told.run(now_ms=9000)).breaches == []


def test_a_held_read_that_was_answered_before_the_end_excuses_nobody() -> None:
    """It was told `running`, and nobody came back."""
    told = submitted()
    told.later(100).read(1, wait_s=1, took_ms=149)

    assert len(INVARIANT.judge(told.run(now_ms=9000)).breaches) == 1


def test_whoever_tried_to_cancel_is_not_asked() -> None:
    """An attempt is enough, whatever came of it."""
    told = submitted()
    told.later(100).cancel(1, "running")

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


@pytest.mark.parametrize("status", [404, 410])
def test_a_job_that_is_gone_cannot_be_read(status: int) -> None:
    """The last answer said so."""
    told = submitted()
    told.later(100).read(1, None, status=status)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_job_that_was_never_surely_acknowledged_is_exempt(delivered: str) -> None:
    """The runner may not know its id."""
    assert INVARIANT.judge(submitted(delivered=delivered).run(now_ms=9000)).premises == 0


def test_a_job_that_never_ended_is_the_business_of_another_rule() -> None:
    """There is no end to be read."""
    assert INVARIANT.judge(submitted(ends_after_ms=None).run(now_ms=9000)).premises == 0


def test_an_acknowledgement_that_came_late_leaves_time() -> None:
    """The runner learnt of the job at 4 s, when it had long ended."""
    told = submitted(delivered="no", key="k")
    told.later(4000).submit(job=1, is_replay=True, key="k")

    assert INVARIANT.judge(told.run(now_ms=4900)).breaches == []


@pytest.mark.parametrize(("now_ms", "pending"), [(249, 0), (250, 1), (9000, 1)])
def test_before_the_run_is_over_an_unread_end_is_pending(now_ms: int, pending: int) -> None:
    """Somebody may still come; and before the job has ended there is nothing to come for."""
    found = INVARIANT.judge(submitted().run(is_final=False, now_ms=now_ms))

    assert (found.premises, len(found.pending), found.breaches) == (pending, pending, [])


def test_an_unread_end_of_work_that_may_be_several_only_warns() -> None:
    """Equal payloads alone convict nobody."""
    told = Told(same=Same.AUTO)
    told.submit(job=1)
    told.submit(job=2)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (len(found.breaches), len(found.warnings)) == (0, 2)


@pytest.mark.parametrize("fault", ["poll.stale", "poll.unknown_state", "run.vanish"])
def test_a_suspended_job_is_not_judged(fault: str) -> None:
    """Its end may not have been shown to whoever asked."""
    assert INVARIANT.judge(submitted(faults=(fault,)).run(now_ms=9000)).premises == 0


def test_a_clock_that_is_moved_by_hand_proves_no_absence() -> None:
    """Whoever moves it may have stopped the runner's own as well."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1)
    told.later(10).submit("b", job=2, at_ms=told.lines[0].at_ms + 500)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (0, [])
