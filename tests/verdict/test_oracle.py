"""oracle: what a correct runner reports of each piece of work."""

from __future__ import annotations

import pytest

from dummyllm.core.timeline import State
from dummyllm.verdict.attempts import Same
from dummyllm.verdict.oracle import Foretold, oracle_of
from tests.verdict.told import EPOCH_MS, Told, job_id


def foretold(told: Told, **more: object) -> Foretold:
    """Return what is foretold of the only work of *told*."""
    (one,) = oracle_of(told.run(**more))
    return one


def outcome(told: Told, **more: object) -> tuple[str, str | None]:
    """Return the outcome and the job that decides it."""
    one = foretold(told, **more)
    return one.outcome.value, one.job


@pytest.mark.parametrize("state", ["ok", "fail", "timeout"])
def test_what_was_told_is_reported(state: str) -> None:
    """A job that ended, and whose end was delivered."""
    told = Told()
    told.submit(job=1, outcome=state)
    told.later(300).read(1, state)

    assert outcome(told) == (state, job_id(1))


@pytest.mark.parametrize("state", ["ok", "fail", "timeout"])
def test_a_correct_runner_would_have_asked(state: str) -> None:
    """What this one did wrong does not change what a correct one reports."""
    told = Told()
    told.submit(job=1, outcome=state)
    told.later(300).submit("b", status=503)

    assert [one.outcome.value for one in oracle_of(told.run())] == [state, "fail"]


def test_the_first_job_that_was_known_to_end_ok_counts() -> None:
    """Whatever was done again after it; a failure before it was made good."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).read(1, "fail")
    told.later(300).submit(job=2)
    told.submit(job=3)
    told.later(300).read(3, "ok")
    told.later(300).read(2, "ok")
    told.submit(job=4, outcome="fail")

    assert outcome(told) == ("ok", job_id(3))


def test_of_several_failures_the_last_attempt_counts() -> None:
    """First a fail, then a timeout."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).submit(job=2, outcome="timeout")
    told.later(300).read(2, "timeout")

    assert outcome(told) == ("timeout", job_id(2))


@pytest.mark.parametrize(
    ("members", "expected"), [({"status": 422}, "fail"), ({"status": 0, "delivered": "no"}, "unknown")]
)
def test_work_that_never_became_a_job_failed_if_its_runner_was_told(members: dict[str, object], expected: str) -> None:
    """A connection that broke may have lost an acknowledgement, for all it knows."""
    told = Told()
    told.submit(**members)

    assert outcome(told) == (expected, None)


@pytest.mark.parametrize("job", [1, None])
def test_after_a_submit_without_an_answer_a_refusal_tells_nothing(job: int | None) -> None:
    """The first submit may have made a job, for all its client knows, whatever became of its repetition."""
    told = Told()
    told.submit(job=job, key="k", status=201 if job else 0, delivered="no")
    told.later(300).submit(status=503, key="k")

    assert outcome(told) == ("unknown", job_id(1) if job else None)


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_after_a_lost_acknowledgement_nobody_knows(delivered: str) -> None:
    """However the job ended."""
    told = Told()
    told.submit(job=1, delivered=delivered)

    assert outcome(told) == ("unknown", job_id(1))


def test_an_acknowledgement_that_came_with_the_key_again_counts() -> None:
    """Then the job is known."""
    told = Told()
    told.submit(job=1, key="k", delivered="no")
    told.later(300).submit(job=1, key="k", is_replay=True)

    assert outcome(told) == ("ok", job_id(1))


@pytest.mark.parametrize(("at_ms", "expected"), [(7949, "cancelled"), (7950, "timeout")])
def test_a_job_that_was_cancelled_at_its_deadline_timed_out(at_ms: int, expected: str) -> None:
    """Before that somebody did not want it any more."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(at_ms).cancel(1)

    assert outcome(told) == (expected, job_id(1))


@pytest.mark.parametrize(("at_ms", "expected"), [(6949, "cancelled"), (6950, "unknown"), (7950, "timeout")])
@pytest.mark.parametrize("before", [{"status": 0}, {"job": 2, "faults": ("run.vanish(after_ms=100)",)}])
def test_a_deadline_may_count_from_the_first_submit(before: dict[str, object], at_ms: int, expected: str) -> None:
    """That one got no answer, and was repeated a second later: nobody but the client knows when its time is up.

    A job that has vanished in between gives up its key.
    """
    told = Told()
    told.submit(key="k", delivered="no", **before)
    told.later(1000).submit(job=1, key="k", ends_after_ms=None)
    told.later(at_ms).cancel(1)

    assert outcome(told) == (expected, job_id(1))


def test_a_deadline_does_not_count_from_an_earlier_job() -> None:
    """Each job has its own."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(1000).read(1, "fail")
    told.submit(job=2, ends_after_ms=None)
    told.later(7500).cancel(2)

    assert outcome(told) == ("cancelled", job_id(2))


def test_a_deadline_may_pass_on_the_jobs_clock() -> None:
    """A test moved it."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1, ends_after_ms=None)
    told.later(5).cancel(1, at_ms=EPOCH_MS + 8000)

    assert outcome(told) == ("timeout", job_id(1))


@pytest.mark.parametrize(("at_ms", "expected"), [(7999, "unknown"), (8000, "timeout")])
def test_a_job_that_never_ended_timed_out_when_its_deadline_passed(at_ms: int, expected: str) -> None:
    """If the run was over before, nobody knows."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(at_ms).read(1)

    assert outcome(told) == (expected, job_id(1))


def test_work_is_open_while_the_run_goes_on() -> None:
    """Its job is under way, and nobody has cancelled it."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    assert outcome(told, is_final=False) == ("open", None)

    told.cancel(1, "running")
    assert outcome(told, is_final=False) != ("open", None)


@pytest.mark.parametrize("state", ["ok", "fail"])
@pytest.mark.parametrize(("ends_after_ms", "in_time"), [(8000, True), (8001, False)])
def test_a_job_that_ended_too_late_timed_out_unless_its_end_was_told(
    state: str, ends_after_ms: int, *, in_time: bool
) -> None:
    """A correct runner would have cancelled it at its deadline."""
    told = Told()
    told.submit(job=1, outcome=state, ends_after_ms=ends_after_ms)
    told.later(9000).submit("b", job=2)
    assert next(oracle_of(told.run())).outcome.value == (state if in_time else "timeout")

    told.read(1, state)
    assert next(oracle_of(told.run())).outcome.value == state


@pytest.mark.parametrize(("at_ms", "expected"), [(7000, "ok"), (8500, "unknown")])
def test_a_success_after_the_deadline_and_a_cancel_may_be_kept_or_dropped(at_ms: int, expected: str) -> None:
    """One that came in spite of a cancel, but in time, is kept."""
    told = Told()
    told.submit(job=1, ends_after_ms=at_ms)
    told.later(at_ms - 1).cancel(1, "running")
    told.later(100).read(1, "ok")

    assert outcome(told) == (expected, job_id(1))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("result.empty", "unknown"), ("result.cut(percent=50)", "unknown"), ("result.unicode", "ok")],
)
def test_a_text_that_a_fault_cut_is_for_the_runner_to_judge(fault: str, expected: str) -> None:
    """An awkward one is a good one."""
    told = Told()
    told.submit(job=1, faults=(fault,))
    told.later(300).read(1, "ok")

    assert outcome(told) == (expected, job_id(1))


@pytest.mark.parametrize(
    "members",
    [
        {"state": "running", "fault": "poll.stale(reads=50)"},
        {"state": "ok", "shown": "paused"},
        {"state": "ok", "delivered": "no", "fault": "poll.reset"},
        {"state": None, "status": 503, "fault": "poll.status(503)"},
    ],
)
@pytest.mark.parametrize("state", ["ok", "fail"])
def test_of_an_end_that_reads_do_not_show_nobody_knows(state: str, members: dict[str, object]) -> None:
    """Whoever asks and asks may hear nothing until the deadline."""
    told = Told()
    told.submit(job=1, outcome=state)
    told.later(300).read(1, **members)

    assert outcome(told)[0] == "unknown"


@pytest.mark.parametrize(("is_read", "expected"), [(True, "ok"), (False, "unknown")])
def test_the_answer_to_a_cancel_has_no_text(expected: str, *, is_read: bool) -> None:
    """A job that ended well in spite of it is worth a read, and that may fail."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, status=503, fault="poll.status(503)")
    told.cancel(1, "ok")
    if is_read:
        told.read(1, "ok")

    assert outcome(told) == (expected, job_id(1))


@pytest.mark.parametrize("fault", ["poll.missing(reads=9)", "poll.status(404)"])
def test_a_job_that_is_not_found_now_need_not_be_gone(fault: str) -> None:
    """Whoever did not ask long enough cannot know."""
    told = Told()
    told.submit(job=1)
    told.later(300).read(1, status=404, fault=fault)

    assert outcome(told) == ("unknown", job_id(1))


def test_a_job_that_is_gone_failed() -> None:
    """If that was the last answer."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, faults=("run.vanish(after_ms=100)",))
    told.later(300).read(1, status=404)

    assert outcome(told) == ("fail", job_id(1))


@pytest.mark.parametrize(("is_asked", "expected"), [(True, "fail"), (False, "unknown")])
def test_a_job_that_vanished_ended_well_for_nobody(expected: str, *, is_asked: bool) -> None:
    """Nobody was told, and nobody can be told any more: a runner that finds it gone has a failure to report."""
    told = Told()
    told.submit(job=1, faults=("run.vanish(after_ms=100)",))
    if is_asked:
        told.later(300).read(1, status=404, fault="run.vanish(after_ms=100)")
    told.later(300).submit("b", status=503)

    assert next(oracle_of(told.run())).outcome.value == expected


def test_a_job_whose_end_was_told_before_it_vanished_ended_as_it_did() -> None:
    """What was read was read."""
    told = Told()
    told.submit(job=1, faults=("run.vanish(after_ms=1000)",))
    told.later(300).read(1, "ok")
    told.later(900).read(1, status=404, fault="run.vanish(after_ms=1000)")

    assert outcome(told) == ("ok", job_id(1))


def test_of_ambiguous_work_nobody_knows() -> None:
    """It may be that of two customers."""
    told = Told(same=Same.AUTO)
    told.submit(job=1)
    told.submit(job=2)
    told.later(300).read(1, "ok")

    assert outcome(told) == ("unknown", None)


def test_a_harness_finds_its_work_by_what_it_sent() -> None:
    """Fingerprint, trace_id and key of the first submit, and every job that came of it."""
    told = Told()
    told.submit("a", status=503, trace_id="t", key="k")
    told.later(300).submit("a", job=1, state=State.QUEUED)
    told.later(300).submit("a", job=2)
    one = foretold(told)

    assert (one.logical_job, one.tie, one.fingerprint) == ("L1", "payload", f"{'a':>032}")
    assert (one.trace_id, one.key, one.jobs) == ("t", "k", (job_id(1), job_id(2)))
    assert one.why
