"""cancel-on-give-up: nobody leaves a job running that nobody waits for."""

from __future__ import annotations

import pytest

from dummyllm.core.timeline import State
from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.cancel_on_give_up import INVARIANT
from tests.verdict.told import EPOCH_MS, Told, job_id


def hanging(**more: object) -> Told:
    """Return a run with a job that never ends, and was read after 100 ms."""
    told = Told()
    told.submit(**{"job": 1, "ends_after_ms": None, **more})
    told.later(100).read(1)
    return told


def after(told: Told, idle_ms: int) -> Evidence:
    """Return what is found of *told*, which goes on, when nobody has asked for so long."""
    return INVARIANT.judge(told.run(is_final=False, now_ms=told.now_ms + idle_ms))


def test_a_job_left_running_when_the_run_is_over_convicts() -> None:
    """The evidence is its acceptance and the last request about it."""
    found = INVARIANT.judge(hanging().run())

    assert [(finding.entries, finding.job) for finding in found.breaches] == [((0, 1), job_id(1))]
    assert found.premises == 1


def test_a_job_that_nobody_ever_asked_about_has_one_entry() -> None:
    """Its acceptance is the last request."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(0,)]


@pytest.mark.parametrize(("ends_after_ms", "breaches"), [(100, 0), (101, 1)])
def test_a_job_that_has_ended_needs_no_cancel(ends_after_ms: int, breaches: int) -> None:
    """Both sides of the end of the run, at 100 ms."""
    found = INVARIANT.judge(hanging(ends_after_ms=ends_after_ms).run())

    assert (found.premises, len(found.breaches)) == (breaches, breaches)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_attempt_to_cancel_is_enough(status: int) -> None:
    """Whatever came of it."""
    told = hanging()
    told.later(10).cancel(1, "running", status=status, delivered="no")
    if status == 404:
        told.later(10).read(1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize("status", [404, 410])
def test_a_job_that_is_not_to_be_found_need_not_be_cancelled(status: int) -> None:
    """If that was the last answer."""
    told = hanging()
    told.read(1, status=status)
    assert INVARIANT.judge(told.run()).premises == 0

    told.read(1)
    assert len(INVARIANT.judge(told.run()).breaches) == 1


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_job_that_was_never_acknowledged_is_exempt(delivered: str) -> None:
    """The runner cannot know its id."""
    assert INVARIANT.judge(hanging(delivered=delivered).run()).premises == 0


def test_a_suspended_job_is_not_judged() -> None:
    """It vanished: there is nothing to cancel."""
    assert INVARIANT.judge(hanging(faults=("run.vanish(after_ms=100)",)).run()).premises == 0


@pytest.mark.parametrize(("idle_ms", "breaches"), [(29_999, 0), (30_000, 1)])
def test_before_the_end_a_job_is_given_up_after_30_s(idle_ms: int, breaches: int) -> None:
    """Until then the obligation is pending."""
    found = after(hanging(), idle_ms)

    assert (len(found.breaches), len(found.pending)) == (breaches, 1 - breaches)
    assert found.premises == 1


@pytest.mark.parametrize(("idle_ms", "breaches"), [(59_999, 0), (60_000, 1)])
def test_or_after_its_own_timeout(idle_ms: int, breaches: int) -> None:
    """Whoever meant to wait for a minute may sleep so long."""
    assert len(after(hanging(timeout_ms=60_000), idle_ms).breaches) == breaches


@pytest.mark.parametrize(("idle_ms", "breaches"), [(99_999, 0), (100_000, 1)])
def test_or_after_ten_times_the_median_gap(idle_ms: int, breaches: int) -> None:
    """Whoever reads every ten seconds may be late by much."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    for gap_ms in (10_000, 10_000, 1):
        told.later(gap_ms).read(1)

    assert len(after(told, idle_ms).breaches) == breaches


@pytest.mark.parametrize(("idle_ms", "breaches"), [(79_999, 0), (80_000, 1)])
def test_a_retry_after_that_runs_counts_as_asking(idle_ms: int, breaches: int) -> None:
    """Whoever was told to come back in 50 s stays away for so long."""
    told = hanging()
    told.read(1, status=503, retry_after_s=50)

    assert len(after(told, idle_ms).breaches) == breaches


@pytest.mark.parametrize(("idle_ms", "breaches"), [(79_999, 0), (80_000, 1)])
def test_a_read_that_is_held_counts_as_asking(idle_ms: int, breaches: int) -> None:
    """For as long as it asked to be held."""
    told = hanging()
    told.read(1, wait_s=50, delivered="unknown")

    assert len(after(told, idle_ms).breaches) == breaches


def test_a_read_that_was_held_counts_until_its_answer() -> None:
    """Not from when it came."""
    told = hanging()
    told.read(1, wait_s=50, took_ms=20_000)

    assert (len(after(told, 49_999).breaches), len(after(told, 50_000).breaches)) == (0, 1)


@pytest.mark.parametrize(("ends_after_ms", "breaches"), [(30_099, 0), (30_100, 1)])
def test_a_job_that_ended_after_it_was_given_up_convicts(ends_after_ms: int, breaches: int) -> None:
    """It ran for 30 s while nobody asked; that it ended by itself in the end is no merit of the runner's."""
    told = hanging(ends_after_ms=ends_after_ms)
    told.later(60_000).submit("b", job=2, ends_after_ms=0)
    found = INVARIANT.judge(told.run())

    assert [finding.job for finding in found.breaches] == [job_id(1)] * breaches
    assert found.premises == breaches


def test_whoever_came_back_had_not_given_up() -> None:
    """However late: only the last silence counts."""
    told = hanging(ends_after_ms=40_000)
    told.later(60_000).read(1, "ok")

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("is_final", [True, False])
def test_a_submit_that_still_waits_when_the_run_is_over_convicts(is_final: bool) -> None:  # noqa: FBT001
    """Streams and waits still open at final count too; before that somebody is there."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, wait_s=600, delivered="unknown")
    found = INVARIANT.judge(told.run(is_final=is_final, now_ms=50_000))

    assert (found.premises, len(found.breaches)) == ((1, 1) if is_final else (0, 0))


def test_a_submit_whose_client_has_gone_does_not_wait() -> None:
    """It never heard of its job."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, wait_s=600, delivered="no")

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_read_that_still_waits_when_the_run_is_over_convicts() -> None:
    """Somebody asked, and then left it at that."""
    told = hanging()
    told.read(1, wait_s=600, delivered="unknown")
    (finding,) = INVARIANT.judge(told.run()).breaches

    assert "held" in finding.message


def test_by_a_clock_that_is_moved_by_hand_only_the_end_counts() -> None:
    """Nobody knows how long the runner waited; but when the run is over it is over."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1, ends_after_ms=None)

    assert (len(after(told, 90_000).breaches), len(after(told, 90_000).pending)) == (0, 1)
    assert len(INVARIANT.judge(told.run()).breaches) == 1


def test_by_such_a_clock_a_job_that_ended_by_itself_was_not_given_up() -> None:
    """Somebody looked at it in a debugger for a minute, and then moved the clock."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1)
    told.later(60_000).submit("b", job=2, ends_after_ms=0, at_ms=EPOCH_MS + 250)

    assert INVARIANT.judge(told.run()).premises == 0


def test_one_job_needs_no_group_to_convict() -> None:
    """However weakly the submits of its work hold together."""
    told = hanging()
    told.same = Same.AUTO
    told.submit(job=2, ends_after_ms=0, outcome=State.OK)

    assert [finding.job for finding in INVARIANT.judge(told.run()).breaches] == [job_id(1)]
