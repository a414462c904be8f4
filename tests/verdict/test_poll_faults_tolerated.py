"""poll-faults-tolerated: a read that failed says nothing about the job."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.invariants.poll_faults_tolerated import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id

REFUSED: dict[str, Any] = {"status": 503, "fault": "poll.status(503)"}
RESET: dict[str, Any] = {"delivered": "no", "fault": "poll.reset"}
MISSING: dict[str, Any] = {"status": 404, "fault": "poll.missing(reads=2)"}


def read_in_vain(times: int = 1, fault: dict[str, Any] | None = None, told: Told | None = None) -> Told:
    """Tell of a job that never ends, and of so many reads that fail, 100 ms apart."""
    told = told or Told()
    told.submit(job=1, ends_after_ms=None)
    for _ in range(times):
        told.later(100).read(1, **(fault or REFUSED))
    return told


@pytest.mark.parametrize("fault", [REFUSED, RESET, MISSING])
def test_a_submit_after_a_read_that_failed_convicts(fault: dict[str, Any]) -> None:
    """The evidence is the read and the submit."""
    told = read_in_vain(fault=fault)
    again = told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(1, again.seq)]
    assert found.breaches[0].job == job_id(1)
    assert found.premises == 1


@pytest.mark.parametrize("fault", [REFUSED, RESET, MISSING])
def test_a_job_that_is_never_read_again_convicts(fault: dict[str, Any]) -> None:
    """The evidence is the submit and the last read that failed."""
    found = INVARIANT.judge(read_in_vain(fault=fault).run(now_ms=5000))

    assert [finding.entries for finding in found.breaches] == [(0, 1)]


def test_whoever_reads_again_does_right() -> None:
    """Every read that failed and was followed is a test passed."""
    told = read_in_vain(2)
    told.later(100).read(1)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (2, [])


@pytest.mark.parametrize(("times", "breaches"), [(3, 1), (4, 0)])
def test_after_more_than_three_in_a_row_a_runner_may_leave(times: int, breaches: int) -> None:
    """Both sides of the edge, for a runner that never comes back."""
    assert len(INVARIANT.judge(read_in_vain(times).run(now_ms=5000)).breaches) == breaches


@pytest.mark.parametrize(("times", "breaches"), [(3, 1), (4, 0)])
def test_after_more_than_three_in_a_row_a_runner_may_start_again(times: int, breaches: int) -> None:
    """Both sides of the edge, for a runner that submits again."""
    told = read_in_vain(times)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_a_good_read_begins_a_new_row() -> None:
    """Two and two in a row are not four."""
    told = read_in_vain(2)
    told.later(100).read(1)
    for _ in range(2):
        told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_reads_that_failed_for_other_reasons_make_a_row_longer_and_are_not_judged() -> None:
    """What broke them is not known to have passed."""
    told = read_in_vain()
    told.later(100).read(1, status=500)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run(now_ms=9000)).breaches == []


def test_a_submit_in_the_middle_of_a_row_is_seen() -> None:
    """It came after one failed read, whatever failed later."""
    told = read_in_vain()
    again = told.later(10).submit(job=2)
    for _ in range(4):
        told.later(100).read(1, **REFUSED)

    found = INVARIANT.judge(told.run())
    assert [finding.entries for finding in found.breaches] == [(1, again.seq)]


@pytest.mark.parametrize(("at_ms", "breaches"), [(5000, 1), (5001, 0)])
def test_a_job_that_is_missing_after_its_first_five_seconds_may_be_believed_gone(at_ms: int, breaches: int) -> None:
    """Both sides of the edge."""
    told = Told()
    told.later(700).submit(job=1, ends_after_ms=None)
    told.later(at_ms).read(1, **MISSING)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


@pytest.mark.parametrize(("at_ms", "breaches"), [(7949, 1), (7950, 0)])
def test_at_its_deadline_a_runner_may_start_again(at_ms: int, breaches: int) -> None:
    """Both sides of the edge: 8 s less the slack."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(7000).read(1, **REFUSED)
    told.later(at_ms - 7000).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


@pytest.mark.parametrize(("now_ms", "breaches"), [(1249, 0), (1250, 1)])
def test_a_runner_must_have_had_time_for_another_read(now_ms: int, breaches: int) -> None:
    """A second and the slack after the last one, at 200 ms; a run that was over sooner tests nothing."""
    found = INVARIANT.judge(read_in_vain(2).run(now_ms=now_ms))

    assert len(found.breaches) == breaches
    assert found.premises == 1 + breaches


def test_a_runner_that_was_told_to_wait_may_wait() -> None:
    """The hint is still running when the run is over."""
    told = read_in_vain(fault={**REFUSED, "retry_after_s": 5})

    assert INVARIANT.judge(told.run(now_ms=5000)).breaches == []
    assert len(INVARIANT.judge(told.run(now_ms=5150)).breaches) == 1


def test_a_hint_that_goes_beyond_the_deadline_excuses() -> None:
    """There was no time left for another read."""
    told = read_in_vain(fault={**REFUSED, "retry_after_s": 8})

    assert INVARIANT.judge(told.run(now_ms=60_000)).breaches == []


@pytest.mark.parametrize("status", [200, 500])
def test_a_cancel_attempt_ends_the_obligation(status: int) -> None:
    """Whoever gives up says so; what came of it does not matter."""
    told = read_in_vain()
    told.later(10).cancel(1, status=status)
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run(now_ms=9000))

    assert (found.premises, found.breaches) == (1, [])


def test_a_cancel_before_the_read_failed_ends_it_too() -> None:
    """Then nothing is owed, and there is nothing to judge."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(100).cancel(1, "running")
    told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


@pytest.mark.parametrize("delivered", ["yes", "unknown"])
def test_whoever_may_know_the_end_owes_no_more_reads(delivered: str) -> None:
    """The read that failed was one too many anyway."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).read(1, "fail", delivered=delivered)
    told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


def test_an_end_that_was_surely_not_told_changes_nothing() -> None:
    """The connection of the read that would have shown it was reset."""
    told = Told()
    told.submit(job=1, outcome="fail")
    told.later(300).read(1, "fail", **RESET)
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_refusal_that_may_not_have_arrived_is_no_premise(delivered: str) -> None:
    """What the client then saw is not known."""
    told = read_in_vain(fault={**REFUSED, "delivered": delivered})
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_fault_that_was_not_served_is_none() -> None:
    """The server could not break the connection, and answered."""
    told = read_in_vain(fault={"fault": "poll.reset", "served": False})
    told.later(10).submit(job=2)
    assert INVARIANT.judge(told.run()).premises == 0

    told = read_in_vain()
    told.later(100).read(1)
    told.later(100).read(1, fault="poll.reset", served=False, delivered="no")  # its client left by itself
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_submit_that_was_on_its_way_when_the_refusal_left_proves_nothing() -> None:
    """The refusal took 20 ms."""
    told = read_in_vain(fault={**REFUSED, "took_ms": 20})
    told.later(19).submit(job=2)
    told.later(100).read(1)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_submit_with_the_key_of_the_job_is_contact() -> None:
    """It asks for the same job, and starts nothing again."""
    told = Told()
    told.submit(job=1, key="k", ends_after_ms=None)
    told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=1, is_replay=True, key="k")

    assert INVARIANT.judge(told.run(now_ms=9000)).breaches == []


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_job_that_was_never_acknowledged_is_exempt(delivered: str) -> None:
    """Its runner cannot have read it."""
    told = Told()
    told.submit(job=1, delivered=delivered)
    told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run(now_ms=9000)).premises == 0


@pytest.mark.parametrize("now_ms", [100, 9000])
def test_before_the_run_is_over_a_read_that_failed_is_pending(now_ms: int) -> None:
    """The runner may still come back."""
    found = INVARIANT.judge(read_in_vain().run(is_final=False, now_ms=now_ms))

    assert (len(found.pending), found.breaches) == (1, [])


def test_a_read_that_failed_after_the_deadline_is_nothing_to_wait_for() -> None:
    """There was no time left: other rules look after the job now."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(8000).read(1, **REFUSED)

    assert INVARIANT.judge(told.run(is_final=False)).pending == []


def test_one_breach_of_a_job_is_enough() -> None:
    """It happens again, and proves no more."""
    told = read_in_vain()
    told.later(10).submit(job=2)
    told.later(100).read(1, **REFUSED)
    told.later(10).submit(job=3)
    found = INVARIANT.judge(told.run())

    assert len(found.breaches) == 1
    assert (
        "one read of job_000000000000000000000001 failed, the last with poll.status(503)" in found.breaches[0].message
    )


def test_the_message_counts_the_reads_in_a_row() -> None:
    """Two of them, of which the last one is named."""
    told = read_in_vain(2)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches[0].message.startswith("2 reads in a row of job_")


@pytest.mark.parametrize(("at_ms", "premises"), [(299, 0), (300, 1)])
def test_what_was_read_before_the_acknowledgement_was_read_by_somebody_else(at_ms: int, premises: int) -> None:
    """Both sides of the edge: the answer to the submit took 300 ms."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, took_ms=300)
    told.later(at_ms).read(1, **REFUSED)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == premises


def test_a_submit_convicts_before_the_run_is_over() -> None:
    """What was done is done."""
    told = read_in_vain()
    told.later(10).submit(job=2)

    assert len(INVARIANT.judge(told.run(is_final=False)).breaches) == 1


def test_equal_payloads_alone_only_warn() -> None:
    """Under `auto` a group that is held together by its payload alone never fails."""
    told = read_in_vain(told=Told(same=Same.AUTO))
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_suspended_job_is_not_judged() -> None:
    """A status that lasts, such as 403, is not one to put up with."""
    told = read_in_vain(fault={"status": 403, "fault": "poll.status(403)"})
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0
