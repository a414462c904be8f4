"""stale-state-ignored: an answer from yesterday is no reason to start again."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.stale_state_ignored import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id

STALE = {"fault": "poll.stale(reads=2)"}
BACKWARDS = {"fault": "poll.backwards"}


def read_late(told: Told | None = None, *, outcome: str = "ok", **more: Any) -> Told:
    """Tell of a job that has ended, and of a read that shows it running."""
    told = told or Told()
    told.submit(job=1, outcome=outcome)
    told.later(300).read(1, "running", **{**STALE, **more})
    return told


def test_a_submit_after_a_stale_answer_convicts() -> None:
    """The evidence is the answer that lagged behind and the submit."""
    told = read_late()
    again = told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(1, again.seq)]
    assert found.breaches[0].job == job_id(1)
    assert found.premises == 1


def test_a_submit_that_was_refused_convicts_as_well() -> None:
    """What the runner meant to do is plain."""
    told = read_late()
    told.later(10).submit(status=503)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_whoever_reads_on_does_right() -> None:
    """The next true answer closes the window: what comes then is for other rules."""
    told = read_late()
    told.later(10).read(1, "ok")
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_every_stale_answer_is_a_test_and_one_breach_is_enough() -> None:
    """Two reads lagged behind; the second one is what the runner acted on."""
    told = read_late()
    second = told.later(10).read(1, "running", **STALE)
    again = told.later(10).submit(job=2)
    told.later(10).submit(job=3)
    found = INVARIANT.judge(told.run())

    assert found.premises == 2
    assert [finding.entries for finding in found.breaches] == [(second.seq, again.seq)]


@pytest.mark.parametrize(("at_ms", "breaches"), [(7949, 1), (7950, 0)])
def test_at_its_deadline_a_runner_is_free(at_ms: int, breaches: int) -> None:
    """Both sides of the edge: 8 s less the slack."""
    told = read_late()
    told.later(at_ms - 300).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_stale_answer_after_the_deadline_is_no_test() -> None:
    """There was no time left."""
    told = Told()
    told.submit(job=1, timeout_ms=300)
    told.later(300).read(1, "running", **STALE)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_stale_answer_that_may_not_have_arrived_misled_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = read_late(delivered=delivered)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("more", [{"status": 503}, {"delivered": "no"}])
def test_where_a_read_failed_in_between_that_may_have_been_the_reason(more: dict[str, Any]) -> None:
    """Another rule judges what is done about failed reads."""
    told = read_late()
    told.later(10).read(1, "running", **more)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_submit_that_was_on_its_way_when_the_stale_answer_left_proves_nothing() -> None:
    """Both sides of the edge: an answer that took 20 ms."""
    told = read_late(took_ms=20)
    told.later(19).submit(job=2)
    assert INVARIANT.judge(told.run()).breaches == []

    told = read_late(took_ms=20)
    told.later(20).submit(job=2)
    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_whoever_tried_to_cancel_has_let_go() -> None:
    """The attempt counts, whatever came of it."""
    told = read_late()
    told.later(10).cancel(1, status=500)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_cancel_before_the_stale_answer_lets_go_as_well() -> None:
    """Then the job is nobody's any more, and there is nothing to judge."""
    told = Told()
    told.submit(job=1)
    told.later(100).cancel(1, "running")
    told.later(200).read(1, "running", **STALE)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("outcome", "breaches"), [("ok", 1), ("fail", 0), ("timeout", 0)])
def test_whoever_knows_of_a_failure_may_try_again_whatever_is_shown_later(outcome: str, breaches: int) -> None:
    """A state that goes backwards does not take back what was told; a success that was told needs no second one."""
    told = Told()
    told.submit(job=1, outcome=outcome)
    told.later(300).read(1, outcome)
    told.later(10).read(1, "running", **BACKWARDS)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_failure_that_may_have_been_told_excuses_too() -> None:
    """`unknown` is no premise for a conviction."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).read(1, "fail", delivered="unknown")
    told.later(10).read(1, "running", **BACKWARDS)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_failure_that_was_surely_not_told_excuses_nobody() -> None:
    """The runner knew nothing but that its job was under way."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).read(1, "fail", delivered="no")
    told.later(10).read(1, "running", **BACKWARDS)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_garbage_that_was_told_as_success_may_be_tried_again() -> None:
    """The text was cut: to retry it is right."""
    told = Told()
    told.submit(job=1, faults=("result.cut(percent=50)", "poll.backwards"))
    told.later(300).read(1, "ok")
    told.later(10).read(1, "running", **BACKWARDS)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_submit_with_the_key_of_the_job_asks_for_the_same_job() -> None:
    """It makes no second one."""
    told = Told()
    told.submit(job=1, key="k")
    told.later(300).read(1, "running", **STALE)
    told.later(10).submit(job=1, is_replay=True, key="k")

    assert INVARIANT.judge(told.run()).breaches == []


@pytest.mark.parametrize("more", [{}, {"fault": "poll.slow"}, {"fault": "poll.unknown_state", "shown": "paused"}])
def test_a_true_answer_that_shows_the_job_under_way_is_no_test(more: dict[str, Any]) -> None:
    """Without one of the two faults nothing lagged behind."""
    told = Told()
    told.submit(job=1)
    told.later(100).read(1, "running", **more)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_fault_that_was_not_served_misled_nobody() -> None:
    """The server answered as ever."""
    told = read_late(served=False)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Its runner cannot have read it."""
    told = Told()
    told.submit(job=1, delivered="unknown")
    told.later(300).read(1, "running", **STALE)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_other_work_is_none_of_its_business() -> None:
    """Only submits of the same work react to it."""
    told = read_late()
    told.later(10).submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_equal_payloads_alone_only_warn() -> None:
    """Under `auto` a group that is held together by its payload alone never fails."""
    told = read_late(Told(same=Same.AUTO))
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_suspended_job_is_not_judged() -> None:
    """A read that is refused for good tells the runner that the job is out of reach."""
    told = read_late()
    told.later(10).read(1, None, status=404, fault="poll.status(404)")
    told.later(10).read(1, "running", **STALE)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("at_ms", "premises"), [(299, 0), (300, 1)])
def test_what_was_read_before_the_acknowledgement_was_read_by_somebody_else(at_ms: int, premises: int) -> None:
    """Both sides of the edge: the answer to the submit took 300 ms."""
    told = Told()
    told.submit(job=1, took_ms=300)
    told.later(at_ms).read(1, "running", **STALE)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == premises


def test_the_message_says_how_soon_the_submit_came() -> None:
    """From when the answer had left."""
    told = read_late(took_ms=20)
    told.later(70).submit(job=2)

    assert "50 ms later, with time left, the runner submitted" in INVARIANT.judge(told.run()).breaches[0].message
