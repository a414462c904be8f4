"""poll-cadence: asking is not done in a loop without a wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.poll_cadence import INVARIANT
from tests.verdict.told import EPOCH_MS, Told, job_id


def polled(gaps: Sequence[int], **more: object) -> Told:
    """Return a run in which a job that never ends was read with these gaps between."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(5).read(1, **more)
    for gap_ms in gaps:
        told.later(gap_ms).read(1, **more)
    return told


def judged(gaps: Sequence[int], **more: object) -> Evidence:
    """Return what is found of that run."""
    return INVARIANT.judge(polled(gaps, **more).run())


@pytest.mark.parametrize(("gap_ms", "warnings"), [(9, 1), (10, 0)])
def test_twenty_reads_without_a_wait_are_warned_of(gap_ms: int, warnings: int) -> None:
    """Both sides of 10 ms; the evidence is those reads. It never fails."""
    found = judged([gap_ms] * 19)

    assert [(finding.entries, finding.job) for finding in found.warnings] == [
        (tuple(range(1, 21)), job_id(1))
    ] * warnings
    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize(("reads", "premises"), [(19, 0), (20, 1)])
def test_it_takes_twenty_reads(reads: int, premises: int) -> None:
    """Fewer are no premise."""
    assert judged([1] * (reads - 1)).premises == premises


@pytest.mark.parametrize(("short", "warnings"), [(9, 0), (10, 1)])
def test_the_median_of_the_gaps_counts(short: int, warnings: int) -> None:
    """Ten of nineteen."""
    assert len(judged([1] * short + [1000] * (19 - short)).warnings) == warnings


def test_any_twenty_in_a_row_count() -> None:
    """A storm that comes late is one too, and one that ended was one."""
    for gaps, first in (([1000] * 40 + [1] * 19, 32), ([1] * 19 + [1000] * 40, 1)):
        assert [finding.entries for finding in judged(gaps).warnings] == [tuple(range(first, first + 20))]


@pytest.mark.parametrize(("agent", "who"), [("curl/8", "curl/8"), (None, "a client without a User-Agent")])
def test_the_message_says_who_read_how_often(agent: str | None, who: str) -> None:
    """And in what time."""
    (finding,) = judged([2] * 25, user_agent=agent).warnings

    assert finding.message == f"{who} read {job_id(1)} 20 times in 38 ms"


def test_short_gaps_far_between_are_no_storm() -> None:
    """Twenty of them in all, but never ten among nineteen."""
    found = judged([1, 1000, 1000] * 20)

    assert (found.premises, found.warnings) == (1, [])


def test_failed_reads_count_here() -> None:
    """To try again at once is part of the storm."""
    assert len(judged([1] * 19, status=503, delivered="no").warnings) == 1


def test_a_read_that_waits_ends_the_row() -> None:
    """`Prefer: wait` is what to do instead."""
    assert judged([1] * 19, wait_s=30).premises == 0

    told = polled([1] * 9)
    told.later(1).read(1, wait_s=1)
    for _ in range(10):
        told.later(1).read(1)
    assert INVARIANT.judge(told.run()).premises == 0


def test_every_user_agent_has_a_row_of_its_own() -> None:
    """A dashboard beside the runner makes no storm."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    for number in range(38):
        told.later(5).read(1, user_agent=("runner", "dashboard")[number % 2])
    assert INVARIANT.judge(told.run()).premises == 0

    told.later(5).read(1, user_agent="runner")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.warnings) == (1, []), "every 10 ms is slow enough"


def test_reads_after_the_end_are_not_counted() -> None:
    """There quiet-after-terminal is at home."""
    told = Told()
    told.submit(job=1, ends_after_ms=19)
    for _ in range(40):
        told.later(1).read(1)

    assert INVARIANT.judge(told.run()).premises == 0


def test_cancels_are_never_judged() -> None:
    """Only reads are counted."""
    told = polled([1] * 18)
    told.later(1).cancel(1, "running")

    assert INVARIANT.judge(told.run()).premises == 0


def test_other_jobs_are_other_rows() -> None:
    """Twenty jobs, each read once."""
    told = Told()
    for number in range(20):
        told.submit(f"{number}", job=number, ends_after_ms=None)
    for number in range(20):
        told.later(1).read(number)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Whoever reads it then is not the one to be judged."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, delivered="no")
    for _ in range(20):
        told.later(1).read(1)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("clock", "pace", "premises"), [("scale(20)", 20, 1), ("polls", 0, 1), ("manual", 0, 0)])
def test_by_a_clock_that_is_moved_by_hand_nothing_is_judged(clock: str, pace: int, premises: int) -> None:
    """A test may have stopped the runner's clock too."""
    told = Told(clock=clock, pace=pace)
    told.submit(job=1, ends_after_ms=None, at_ms=EPOCH_MS)
    for _ in range(20):
        told.later(1).read(1, at_ms=EPOCH_MS)

    assert INVARIANT.judge(told.run()).premises == premises
