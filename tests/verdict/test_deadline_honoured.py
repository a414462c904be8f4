"""deadline-honoured: nobody goes on asking long after the time that they set themselves."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.deadline_honoured import INVARIANT
from tests.verdict.told import EPOCH_MS, Told, job_id


def hanging(timeout_ms: int = 8000, **more: object) -> Told:
    """Return a run with a job that never ends."""
    told = Told()
    told.submit(**{"job": 1, "ends_after_ms": None, "timeout_ms": timeout_ms, **more})
    return told


def read_at(told: Told, *times_ms: int, **more: object) -> Evidence:
    """Return what is found when the job is read at these times."""
    for at_ms in times_ms:
        told.now_ms = at_ms
        told.read(1, **more)
    return INVARIANT.judge(told.run())


@pytest.mark.parametrize(("at_ms", "breaches"), [(9000, 0), (9001, 1)])
def test_a_read_more_than_a_second_late_convicts(at_ms: int, breaches: int) -> None:
    """Both sides of the grace; the evidence is the acceptance and the read."""
    found = read_at(hanging(), at_ms)

    assert [(finding.entries, finding.job) for finding in found.breaches] == [((0, 1), job_id(1))] * breaches
    assert found.premises == 1


@pytest.mark.parametrize(("at_ms", "breaches"), [(66_000, 0), (66_001, 1)])
def test_the_grace_is_a_tenth_of_a_long_time(at_ms: int, breaches: int) -> None:
    """10 % of a minute."""
    assert len(read_at(hanging(60_000), at_ms).breaches) == breaches


@pytest.mark.parametrize(("at_ms", "breaches"), [(14_000, 0), (14_001, 1)])
def test_the_grace_is_twice_the_longest_earlier_gap(at_ms: int, breaches: int) -> None:
    """Whoever reads every 3 s comes late by as much."""
    found = read_at(hanging(), 3000, 6000, 7000, at_ms)

    assert len(found.breaches) == breaches


def test_the_gap_to_the_late_read_itself_is_no_excuse() -> None:
    """Only earlier ones are."""
    assert len(read_at(hanging(), 1000, 20_000).breaches) == 1


def test_one_late_job_is_one_finding() -> None:
    """The first read that was too late."""
    found = read_at(hanging(), 9500, 9600, 9700)

    assert [finding.entries for finding in found.breaches] == [(0, 1)]


def test_the_reads_count_in_the_order_of_their_arrival() -> None:
    """One that was held is written down when it is answered, and still makes the gap an earlier one."""
    told = hanging()
    told.now_ms = 15_000
    told.read(1)
    assert len(INVARIANT.judge(told.run()).breaches) == 1

    told.now_ms = 7500
    told.read(1, wait_s=10, took_ms=9000)
    assert INVARIANT.judge(told.run()).breaches == []


def test_whoever_cancels_at_the_deadline_honours_it() -> None:
    """The job outlived it, and that was seen to."""
    told = hanging()
    told.later(8001).cancel(1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize("state", ["running", "cancelled"])
def test_reads_after_a_cancel_attempt_are_never_judged(state: str) -> None:
    """Whatever came of it: following a cancel is right."""
    told = hanging()
    told.later(8001).cancel(1, state, delivered="no")

    assert read_at(told, 20_000).breaches == []


def test_the_first_of_several_cancels_counts() -> None:
    """In the very millisecond of the read too."""
    told = hanging()
    told.later(9500).cancel(1, "running")
    told.later(500).cancel(1, "running")

    assert read_at(told, 9500).breaches == []


def test_the_message_says_how_late_it_was() -> None:
    """After the deadline, not after the grace."""
    assert read_at(hanging(), 9500).breaches[0].message == (
        f"{job_id(1)} had 8000 ms and was still asked about 1500 ms after that, and no cancel was tried before"
    )


def test_a_cancel_after_the_late_read_comes_too_late() -> None:
    """The attempt must come before."""
    told = hanging()
    told.later(9500).read(1)
    told.later(1).cancel(1)

    assert len(INVARIANT.judge(told.run()).breaches) == 1


@pytest.mark.parametrize("members", [{"status": 503}, {"delivered": "unknown"}, {"delivered": "no"}], ids=str)
def test_a_failed_read_counts_for_nothing(members: dict[str, object]) -> None:
    """Neither as a late one nor for the gaps."""
    found = read_at(hanging(), 9500, **members)

    assert (found.premises, found.breaches) == (1, [])


def test_a_job_that_has_ended_may_be_read_late() -> None:
    """Only reads of one that is under way are judged."""
    found = read_at(hanging(ends_after_ms=8500), 9500)

    assert (found.premises, found.breaches) == (1, [])


def test_a_job_that_ended_in_time_is_no_premise() -> None:
    """In the very millisecond of the deadline too."""
    assert read_at(hanging(ends_after_ms=8000), 9500).premises == 0
    assert read_at(hanging(ends_after_ms=8001), 9500).premises == 1


def test_a_deadline_that_has_not_passed_is_no_premise() -> None:
    """The run was over before."""
    assert read_at(hanging(), 7999).premises == 0
    assert read_at(hanging(), 8000).premises == 1


def test_no_deadline_is_no_premise() -> None:
    """`timeout_ms` 0."""
    assert read_at(hanging(0), 9500).premises == 0


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Nobody knew of it."""
    assert read_at(hanging(delivered="no"), 9500).premises == 0


def test_a_suspended_job_is_not_judged() -> None:
    """An acknowledgement that came late left no time to act."""
    assert read_at(hanging(fault="submit.slow_ack(ms=100)"), 9500).premises == 0


@pytest.mark.parametrize(("clock", "pace"), [("scale(20)", 20), ("polls", 0), ("manual", 0)])
def test_it_is_judged_by_the_walls_clock_only(clock: str, pace: int) -> None:
    """A runner's deadline is its own time."""
    told = Told(clock=clock, pace=pace)
    told.submit(job=1, ends_after_ms=None)
    told.later(9500).read(1, at_ms=EPOCH_MS + 9500)

    assert INVARIANT.judge(told.run()).premises == 0


def test_one_job_needs_no_group_to_convict() -> None:
    """However weakly the submits of its work hold together."""
    told = hanging()
    told.same = Same.AUTO
    told.submit(job=2)

    assert len(read_at(told, 9500).breaches) == 1
