"""no-redundant-execution: what went well is not done again."""

from __future__ import annotations

import pytest

from dummyllm.core.timeline import State
from dummyllm.verdict.attempts import Same
from dummyllm.verdict.invariants.no_redundant_execution import INVARIANT
from tests.verdict.told import Told, job_id


def told_ok(**more: object) -> Told:
    """Return a run in which a job ended ok, and its client was told at 300 ms."""
    told = Told()
    told.submit(job=1, **more)
    told.later(300).read(1, "ok")
    return told


@pytest.mark.parametrize(("gap_ms", "breaches"), [(50, 0), (51, 1)])
def test_a_job_after_a_delivered_ok_convicts(gap_ms: int, breaches: int) -> None:
    """Both sides of the timer slack; the evidence is the answer and the submit."""
    told = told_ok()
    again = told.later(gap_ms).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(1, again.seq)] * breaches
    assert found.premises == 1


def test_the_message_says_how_long_the_runner_had_known() -> None:
    """From the answer that told it."""
    told = told_ok()
    told.later(70).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches[0].message == (
        f"{job_id(2)} was submitted by the runner 70 ms after it was told that {job_id(1)} had ended ok: "
        "the same work is done twice"
    )


def test_a_success_that_was_kept_is_a_pass() -> None:
    """The runner was told of it, and did not run the work again."""
    found = INVARIANT.judge(told_ok().run())

    assert (found.premises, found.breaches) == (1, [])


def test_every_further_job_convicts() -> None:
    """Two more are two findings, both with the first success."""
    told = told_ok()
    told.later(100).submit(job=2)
    told.later(300).read(2, "ok")
    told.later(100).submit(job=3)
    found = INVARIANT.judge(told.run())

    assert [finding.job for finding in found.breaches] == [job_id(2), job_id(3)]
    assert {finding.entries[0] for finding in found.breaches} == {1}


def test_the_first_answer_that_told_of_it_counts() -> None:
    """Another read, just before the submit, is no excuse."""
    told = told_ok()
    told.later(100).read(1, "ok")
    told.later(10).submit(job=2)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(1, 3)]


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_an_ok_that_may_not_have_arrived_binds_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, "ok", delivered=delivered)
    told.later(100).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_an_ok_that_nobody_read_binds_nobody() -> None:
    """The runner does not know of it."""
    told = Told()
    told.submit(job=1)
    told.later(1000).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("outcome", ["fail", "timeout"])
def test_after_a_failure_to_try_again_is_right(outcome: str) -> None:
    """Only a success is kept."""
    told = Told()
    told.submit(job=1, outcome=outcome)
    told.later(300).read(1, outcome)
    told.later(100).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("fault", ["result.empty", "result.cut(percent=50)", "result.unicode", "result.to_come"])
def test_to_retry_garbage_is_right(fault: str) -> None:
    """Exempt if the job carried a `result.*` fault."""
    told = told_ok(faults=(fault,))
    told.later(100).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("reads", "breaches"), [(0, 0), (1, 1)])
def test_an_ok_heard_only_as_a_cancels_answer_binds_nobody(reads: int, breaches: int) -> None:
    """Whoever cancelled has let go of the result; whoever then reads it has it."""
    told = Told()
    told.submit(job=1)
    told.later(300).cancel(1, "ok")
    for _ in range(reads):
        told.later(10).read(1, "ok")
    told.later(100).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (breaches, breaches)


def test_a_submit_that_waited_tells_of_the_success_itself() -> None:
    """`Prefer: wait`."""
    told = Told()
    told.submit(job=1, state=State.OK, wait_s=5, took_ms=250)
    told.later(400).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_a_submit_that_was_refused_executes_nothing() -> None:
    """It is no job."""
    told = told_ok()
    told.later(100).submit(status=503)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """The runner cannot know that the success is of its own."""
    told = told_ok(delivered="no")
    told.later(100).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_other_work_is_none_of_its_business() -> None:
    """Only jobs of the same work are compared."""
    told = told_ok()
    told.later(100).submit("b", job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_equal_payloads_alone_only_warn() -> None:
    """Another customer may have asked the same."""
    told = told_ok()
    told.same = Same.AUTO
    told.later(100).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_suspended_job_is_no_premise() -> None:
    """A late success does not silently flip what was reported."""
    told = told_ok(faults=("run.late(factor=1.05)",))
    told.later(100).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0
