"""attempt-budget: work that fails is tried again a bounded number of times."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.invariants.attempt_budget import INVARIANT
from dummyllm.verdict.limits import Limits
from tests.verdict.told import Told, job_id


def failing(jobs: int, *, most: int | None = None, same: Same = Same.PAYLOAD, **more: object) -> Told:
    """Return a run in which the same work became so many jobs, one after the other, each of which failed."""
    told = Told(same=same, limits=Limits(attempts_max=most))
    for number in range(jobs):
        told.later(300).submit(job=number, outcome="fail", **more)
    return told


@pytest.mark.parametrize(("jobs", "breaches"), [(3, 0), (4, 1)])
def test_more_jobs_than_the_maximum_convict(jobs: int, breaches: int) -> None:
    """Both sides of DUMMYLLM_VERDICT_ATTEMPTS_MAX=3; the evidence is one job too many."""
    found = INVARIANT.judge(failing(jobs, most=3).run())

    assert [(finding.entries, finding.job) for finding in found.breaches] == [((0, 1, 2, 3), job_id(3))] * breaches
    assert (found.premises, found.warnings) == (1, [])


@pytest.mark.parametrize(("jobs", "warnings"), [(10, 0), (11, 1)])
def test_without_a_maximum_more_than_ten_are_warned_of(jobs: int, warnings: int) -> None:
    """And never fail."""
    found = INVARIANT.judge(failing(jobs).run())

    assert (len(found.warnings), found.breaches) == (warnings, [])


def test_work_that_never_failed_is_not_judged() -> None:
    """Then nobody retried: the same was asked several times."""
    told = Told(limits=Limits(attempts_max=1))
    told.submit(job=1)
    told.later(300).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("refusal", [{"status": 503}, {"status": 0, "delivered": "no"}], ids=str)
def test_a_refused_or_lost_submit_is_a_failure_but_no_job(refusal: dict[str, object]) -> None:
    """It is evidence where no job went wrong."""
    told = Told(limits=Limits(attempts_max=1))
    told.submit(**refusal)
    told.later(300).submit(job=1)
    assert INVARIANT.judge(told.run()).breaches == []

    told.later(300).submit(job=2)
    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(0, 1, 2)]


def test_jobs_that_were_never_acknowledged_are_not_counted() -> None:
    """After a lost acknowledgement the runner cannot know of them."""
    found = INVARIANT.judge(failing(9, most=3, delivered="no").run())

    assert (found.premises, found.breaches) == (1, [])


def test_suspended_jobs_are_not_counted() -> None:
    """They are no attempt that the runner answers for."""
    run = failing(4, most=3).run()
    run.stories[job_id(2)].suspended = frozenset({INVARIANT.id})
    found = INVARIANT.judge(run)

    assert (found.premises, found.breaches) == (1, [])


def test_retries_of_an_sdk_are_told_apart() -> None:
    """They count, and the message says how many they are."""
    (by_sdk,) = INVARIANT.judge(failing(4, most=3, retries=1).run()).breaches
    (by_hand,) = INVARIANT.judge(failing(4, most=3).run()).breaches

    told = "one piece of work became 4 jobs in 4 attempts"
    assert by_sdk.message == f"{told}, 4 of them by the runner's SDK; 3 are enough"
    assert by_hand.message == f"{told}; 3 are enough"


def test_the_evidence_is_the_smallest() -> None:
    """One job too many, however many there are; and if none of these went wrong, the first submit that did."""
    told = Told(limits=Limits(attempts_max=1))
    told.submit(status=503)
    told.submit(status=503)
    for number in range(4):
        told.later(300).submit(job=number, ends_after_ms=None)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(0, 2, 3)]


def test_equal_payloads_alone_only_warn() -> None:
    """Under `auto` a group that is held together by its payload alone never fails."""
    found = INVARIANT.judge(failing(4, most=3, same=Same.AUTO).run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)
