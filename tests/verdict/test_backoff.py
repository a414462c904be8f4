"""backoff: whoever fails again and again comes back more slowly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.backoff import INVARIANT
from tests.verdict.told import Told


def refused(gaps: Sequence[int], **more: object) -> Told:
    """Return a run in which a submit was refused again and again, with these gaps between."""
    told = Told()
    told.submit(**{"status": 503, **more})
    for gap_ms in gaps:
        told.later(gap_ms).submit(**{"status": 503, **more})
    return told


def judged(gaps: Sequence[int], **more: object) -> Evidence:
    """Return what is found of that run."""
    return INVARIANT.judge(refused(gaps, **more).run())


@pytest.mark.parametrize(("longest_ms", "breaches"), [(99, 1), (100, 0)])
def test_six_failures_without_a_real_gap_convict(longest_ms: int, breaches: int) -> None:
    """Both sides of 100 ms for the longest gap; the evidence is the row."""
    found = judged([5, 5, longest_ms, 5, 5])

    assert [finding.entries for finding in found.breaches] == [(0, 1, 2, 3, 4, 5)] * breaches
    assert (found.premises, found.warnings) == (1, [])


@pytest.mark.parametrize(("failures", "premises"), [(5, 0), (6, 1)])
def test_a_row_has_six_failures(failures: int, premises: int) -> None:
    """Fewer are no premise, even with a submit after them that went well."""
    told = refused([5] * (failures - 1))
    told.later(5).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (premises, premises)


def test_the_gap_after_the_last_failure_counts() -> None:
    """Whoever then waits has backed off."""
    told = refused([5] * 5)
    told.later(3000).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_gaps_need_not_grow() -> None:
    """With full jitter half of them shrink."""
    found = judged([900, 40, 1700, 3, 2500])

    assert (found.premises, found.breaches, found.warnings) == (1, [], [])


@pytest.mark.parametrize(("last_ms", "warnings"), [(1019, 1), (1020, 0)])
def test_constant_intervals_are_warned_of(last_ms: int, warnings: int) -> None:
    """If they differ by less than 2 %."""
    found = judged([1000, 1000, 1000, 1000, last_ms])

    assert (len(found.warnings), found.breaches) == (warnings, [])


def test_a_gap_counts_from_when_the_failure_was_told() -> None:
    """A slow refusal is no wait of the runner's."""
    assert len(judged([250] * 5, took_ms=200).breaches) == 1


def test_a_hint_ends_the_row() -> None:
    """Whoever was told when to come back need not back off."""
    told = refused([5, 5])
    told.later(5).submit(status=503, retry_after_s=1)
    for _ in range(3):
        told.later(5).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == 0


def test_an_answer_that_may_not_have_arrived_ends_the_row() -> None:
    """Only `yes` is a premise."""
    told = refused([5, 5])
    told.later(5).submit(status=503, delivered="unknown")
    for _ in range(3):
        told.later(5).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_success_ends_the_row() -> None:
    """And a new one begins after it."""
    told = refused([5] * 4)
    told.later(5).submit(job=1)
    for _ in range(5):
        told.later(5).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_submit_that_came_before_the_news_is_no_answer_to_it() -> None:
    """Then the row ends there."""
    told = refused([5, 5])
    told.later(5).submit(status=503, took_ms=50)
    for _ in range(3):
        told.later(5).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("outcome", "premises"), [("fail", 1), ("timeout", 1), ("ok", 0)])
def test_a_job_that_failed_is_a_failure(outcome: str, premises: int) -> None:
    """From the answer that told of it to the next submit."""
    told = Told()
    for number in range(6):
        told.later(20).submit(job=number, outcome=outcome)
        told.later(300).read(number, outcome)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (premises, premises)


def test_a_job_that_its_client_cancelled_is_none() -> None:
    """After a cancel to try again at once is right."""
    told = Told()
    for number in range(6):
        told.later(20).submit(job=number, ends_after_ms=None)
        told.later(300).cancel(number)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_replay_is_not_a_failure_once_more() -> None:
    """The job failed once, however often its key came."""
    told = Told()
    told.submit(job=1, outcome="fail", key="k")
    told.later(300).read(1, "fail")
    for _ in range(8):
        told.later(5).submit(job=1, key="k", is_replay=True)

    assert INVARIANT.judge(told.run()).premises == 0


def test_jobs_that_were_never_acknowledged_are_exempt() -> None:
    """However they ended."""
    told = Told()
    for number in range(6):
        told.later(20).submit(job=number, outcome="fail", delivered="no")
        told.later(300).read(number, "fail")

    assert INVARIANT.judge(told.run()).premises == 0


def test_other_work_is_another_row() -> None:
    """Six that fail once are no loop."""
    told = Told()
    for number in range(6):
        told.later(5).submit(f"{number}", status=503)

    assert INVARIANT.judge(told.run()).premises == 0


def test_retries_of_an_sdk_are_told_apart() -> None:
    """They are attempts of the same call, and the message counts them."""
    assert judged([5, 6, 7, 8, 9], retries=1).breaches[0].message == (
        "6 failures in a row without a hint, and the longest gap was 9 ms, 5 of the retries by the runner's SDK: "
        "that is no backoff"
    )


def test_the_message_says_how_constant_the_gaps_were() -> None:
    """From the shortest to the longest."""
    assert judged([1000, 1001, 1002, 1003, 1004]).warnings[0].message == (
        "6 failures in a row without a hint, and every gap was between 1000 and 1004 ms: that is no backoff"
    )


@pytest.mark.parametrize(("clock", "pace", "premises"), [("scale(20)", 20, 1), ("polls", 0, 1), ("manual", 0, 0)])
def test_by_a_clock_that_is_moved_by_hand_nothing_is_judged(clock: str, pace: int, premises: int) -> None:
    """A test may have stopped the runner's clock too."""
    told = Told(clock=clock, pace=pace)
    for _ in range(6):
        told.later(5).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == premises


def test_equal_payloads_alone_only_warn() -> None:
    """Six customers in a second."""
    told = refused([5] * 5)
    told.same = Same.AUTO
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)
