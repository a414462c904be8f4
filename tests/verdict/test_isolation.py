"""isolation: one job that hangs holds up no other."""

from __future__ import annotations

import pytest

from dummyllm.verdict.invariants.isolation import INVARIANT
from dummyllm.verdict.limits import Limits
from tests.verdict.told import Told, job_id


def held_up(
    *,
    others: int = 3,
    stays_ms: int = 6000,
    every_ms: int = 500,
    ends_after_ms: int | None = None,
    told: Told | None = None,
) -> Told:
    """Tell of a job that hangs and is read all the while, and of others that end and are not looked at."""
    told = told or Told()
    told.submit("hangs", job=0, ends_after_ms=ends_after_ms)
    for number in range(1, others + 1):
        told.submit(f"p{number}", job=number)
    for _ in range(stays_ms // every_ms):
        told.later(every_ms).read(0)
    return told


def then_read(told: Told, *numbers: int) -> Told:
    """Tell that these jobs are read afterwards."""
    for number in numbers:
        told.later(10).read(number, "ok")
    return told


def test_jobs_that_are_looked_at_only_when_the_hanging_one_is_done_with_were_held_up() -> None:
    """The evidence is the job that hung, the last request about it, and the first reads of three others."""
    told = held_up()
    last = told.lines[-1]
    then_read(told, 1, 2, 3)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.warnings] == [(0, last.seq, last.seq + 1, last.seq + 2, last.seq + 3)]
    assert found.warnings[0].job == job_id(0)
    assert (found.premises, found.breaches) == (1, [])


def test_a_cancel_is_a_request_about_it_too() -> None:
    """The runner cancels at its deadline, and only then turns to the others."""
    told = held_up()
    last = told.later(100).cancel(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).warnings[0].entries[1] == last.seq


def test_one_job_that_was_looked_at_in_between_shows_that_others_go_on() -> None:
    """**Every** one must have waited."""
    told = held_up(others=4)
    told.read(4, "ok")
    told.later(100).read(0)
    then_read(told, 1, 2, 3)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, [])


@pytest.mark.parametrize("more", [{"status": 503}, {"delivered": "no"}])
def test_a_look_that_failed_is_a_look(more: dict[str, object]) -> None:
    """The runner was there."""
    told = held_up(others=4)
    told.read(4, "ok", **more)
    told.later(100).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).warnings == []


def test_an_end_that_the_answer_to_a_submit_told_is_a_look() -> None:
    """`Prefer: wait` with the submit: nobody need read the job."""
    told = held_up(stays_ms=1000)
    told.submit("waits", job=4, wait_s=5, state="ok", took_ms=250)
    for _ in range(10):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)
    told.read(4, "ok")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, [])


def test_a_look_that_showed_no_end_is_a_look() -> None:
    """The runner was there, and had to come back."""
    told = held_up(others=4, stays_ms=0)
    told.later(100).read(4, "running")
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3, 4)

    assert INVARIANT.judge(told.run()).warnings == []


def test_a_look_counts_from_when_it_was_asked_for() -> None:
    """`Prefer: wait`: its answer was held for longer than anybody stayed with the job that hung."""
    told = held_up(others=4, stays_ms=0)
    told.later(100).read(4, "ok", wait_s=20, took_ms=9000)
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).warnings == []


def test_a_submit_that_did_not_wait_is_no_look() -> None:
    """Its answer says that the job is queued, as that of every submit does."""
    told = held_up(stays_ms=1000)
    told.submit("late", job=4)
    for _ in range(10):
        told.later(500).read(0)
    then_read(told, 1, 2, 3, 4)

    assert len(INVARIANT.judge(told.run()).warnings) == 1


def test_the_answer_to_a_submit_is_a_look_when_it_has_left() -> None:
    """It waited for longer than anybody stayed with the job that hung."""
    told = Told(limits=Limits(isolation_jobs_min=1))
    told.submit("waits", job=4, wait_s=20, state="ok", took_ms=9000, ends_after_ms=250)
    held_up(others=0, told=told)
    found = INVARIANT.judge(told.run())

    assert found.premises == 0  # nor was it there to be read: its client did not know it yet


def test_a_job_that_nobody_ever_looked_at_proves_nothing() -> None:
    """It was not first read afterwards."""
    told = then_read(held_up(others=4), 1, 2, 3)

    assert INVARIANT.judge(told.run()).warnings == []


@pytest.mark.parametrize(("others", "premises"), [(2, 0), (3, 1)])
def test_three_others_must_have_ended_meanwhile(others: int, premises: int) -> None:
    """Both sides of the edge."""
    told = then_read(held_up(others=others), *range(1, others + 1))
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.warnings)) == (premises, premises)


@pytest.mark.parametrize(("stays_ms", "premises"), [(4999, 0), (5000, 1)])
def test_a_job_must_hang_for_five_seconds_while_somebody_stays_with_it(stays_ms: int, premises: int) -> None:
    """Both sides of the edge, up to the last request about it."""
    told = held_up(stays_ms=4500, told=Told().later(700))
    told.later(stays_ms - 4500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == premises


def test_a_job_that_was_submitted_and_forgotten_holds_up_nobody() -> None:
    """Nobody stayed with it."""
    told = held_up(stays_ms=0)
    told.later(9000)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_job_that_ends_within_five_seconds_does_not_hang() -> None:
    """It is read for longer, and that is another rule's business."""
    told = Told()
    told.submit("slow", job=0, ends_after_ms=4900)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number)
    for _ in range(12):
        told.later(500).read(0, "running" if told.now_ms < 4900 else "ok")
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_runner_that_reads_all_jobs_in_turn_holds_up_nobody() -> None:
    """One round in 5 s: the others come right after the one that hangs, and are not late."""
    told = held_up(stays_ms=5000, every_ms=5000)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("ends_after_ms", "premises"), [(5500, 1), (5501, 0)])
def test_what_ended_within_one_gap_before_the_last_request_does_not_count(ends_after_ms: int, premises: int) -> None:
    """The hanging job is read every 500 ms, up to 6 s."""
    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, ends_after_ms=ends_after_ms)
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == premises


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_job_that_was_never_acknowledged_is_exempt(delivered: str) -> None:
    """Nobody can be asked to look at it."""
    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, delivered=delivered)
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_suspended_job_is_no_premise() -> None:
    """Neither as the one that hangs nor as one of the others."""
    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None, faults=("run.vanish(after_ms=60000)",))
    for number in range(1, 4):
        told.submit(f"p{number}", job=number)
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0

    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, faults=("run.vanish(after_ms=60000)",))
    for _ in range(12):
        told.later(500).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_clock_that_is_moved_by_hand_proves_nothing() -> None:
    """Whoever moves it may have stopped the runner's own as well."""
    told = Told(clock="manual", pace=1)
    then_read(held_up(told=told), 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_both_numbers_are_settings() -> None:
    """`isolation_hung_ms` and `isolation_jobs_min`."""
    told = Told(limits=Limits(isolation_hung_ms=1000, isolation_jobs_min=1))
    then_read(held_up(others=1, stays_ms=1000, told=told), 1)

    assert len(INVARIANT.judge(told.run()).warnings) == 1


def test_among_many_the_one_that_was_looked_at_is_found_wherever_it_stands() -> None:
    """The least of a stretch is looked up, not searched; so every place is tried."""
    for looked_at in range(1, 14):
        told = held_up(others=13)
        told.read(looked_at, "ok")
        told.later(100).read(0)
        then_read(told, *range(1, 14))

        assert INVARIANT.judge(told.run()).warnings == [], looked_at


@pytest.mark.parametrize(("after_ms", "warnings"), [(0, 0), (1, 1)])
def test_a_look_in_the_very_instant_of_the_last_request_is_not_after_it(after_ms: int, warnings: int) -> None:
    """Both sides of the edge."""
    told = held_up()
    told.later(after_ms)
    for number in (1, 2, 3):
        told.read(number, "ok")

    assert len(INVARIANT.judge(told.run()).warnings) == warnings


def test_what_counts_is_how_long_somebody_stayed_and_not_how_long_it_ran() -> None:
    """The job ran for 9 s, and was asked about for 4.5 s."""
    told = held_up(stays_ms=4500, ends_after_ms=9000)
    told.later(9000)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


def test_jobs_that_ended_before_it_were_not_held_up_by_it() -> None:
    """Only those that end while it hangs count, and those are told apart from the ones before."""
    told = Told()
    for number in range(10, 14):
        told.submit(f"p{number}", job=number)
    told.later(1000)
    then_read(held_up(others=2, told=told), 1, 2, *range(10, 14))
    assert INVARIANT.judge(told.run()).premises == 0

    told = Told()
    for number in range(10, 14):
        told.submit(f"p{number}", job=number)
    told.later(1000)
    then_read(told, *range(10, 14))
    then_read(held_up(told=told), 1, 2, 3)
    assert "3 other jobs ended" in INVARIANT.judge(told.run()).warnings[0].message


def test_a_job_that_its_client_learnt_of_late_was_not_there_to_be_read() -> None:
    """Its acknowledgement was lost, and came with a second submit after all the waiting."""
    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, delivered="no", key=f"k{number}")
    for _ in range(12):
        told.later(500).read(0)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, is_replay=True, key=f"k{number}")
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("ends_after_ms", "premises"), [(5950, 1), (5951, 0)])
def test_the_slack_is_the_least_that_does_not_count(ends_after_ms: int, premises: int) -> None:
    """Even where the hanging job is read every 10 ms."""
    told = Told()
    told.submit("hangs", job=0, ends_after_ms=None)
    for number in range(1, 4):
        told.submit(f"p{number}", job=number, ends_after_ms=ends_after_ms)
    for _ in range(600):
        told.later(10).read(0)
    then_read(told, 1, 2, 3)

    assert INVARIANT.judge(told.run()).premises == premises


def test_without_others_there_is_nothing_to_judge_whatever_the_setting() -> None:
    """None at all cannot have been held up."""
    told = held_up(others=0, told=Told(limits=Limits(isolation_jobs_min=0)))

    assert INVARIANT.judge(told.run()).premises == 0
