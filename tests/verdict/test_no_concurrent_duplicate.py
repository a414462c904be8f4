"""no-concurrent-duplicate: no second job for work that is known to be under way."""

from __future__ import annotations

import pytest

from dummyllm.verdict.invariants.no_concurrent_duplicate import INVARIANT
from dummyllm.verdict.same import Same
from tests.verdict.told import Told, job_id


def test_a_second_job_while_the_first_is_under_way_convicts() -> None:
    """The evidence is the acknowledgement of the first and the submit of the second."""
    told = Told()
    first = told.submit(job=1, took_ms=5)
    told.later(249)
    second = told.submit(job=2)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(first.seq, second.seq)]
    assert found.breaches[0].job == job_id(2)
    assert found.premises == 1


def test_the_message_says_how_long_the_first_was_known() -> None:
    """Since its acknowledgement had left."""
    told = Told()
    told.submit(job=1, took_ms=5)
    told.later(105).submit(job=2, retries=1)

    assert INVARIANT.judge(told.run()).breaches[0].message == (
        f"{job_id(2)} was submitted by the runner's SDK while {job_id(1)}, acknowledged 100 ms before, was still under "
        "way: the same work runs twice"
    )


def test_a_second_job_after_the_first_has_ended_is_a_retry() -> None:
    """Both sides of the edge: in the very millisecond of the end it has ended."""
    told = Told()
    told.submit(job=1, ends_after_ms=250)
    told.later(250).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_an_acknowledgement_that_may_not_have_arrived_binds_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(job=1, delivered=delivered)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("gap_ms", "premises"), [(99, 0), (100, 1)])
def test_a_submit_that_was_on_its_way_when_the_acknowledgement_left_proves_nothing(gap_ms: int, premises: int) -> None:
    """The second must come after the acknowledgement of the first was delivered."""
    told = Told()
    told.submit(job=1, took_ms=100)
    told.later(gap_ms).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == premises


def test_every_job_too_many_is_one_finding() -> None:
    """However many are under way beside it; and an early end or a cancel of one frees it from that one only."""
    told = Told()
    told.submit(job=1, ends_after_ms=100)
    told.later(10).submit(job=2, ends_after_ms=None)
    told.later(10).submit(job=3, ends_after_ms=None)
    told.later(10).cancel(3)
    told.later(200).submit(job=4)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(0, 1), (0, 2), (1, 4)]
    assert found.premises == 3


def test_whoever_tried_to_cancel_has_let_go() -> None:
    """The attempt counts, whatever came of it, and however long the job will run."""
    told = Told()
    told.submit(job=1, ends_after_ms=5000)
    told.later(10).cancel(1, "running")
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize("status", [404, 410])
def test_whoever_was_told_that_the_job_is_gone_may_go_on(status: int) -> None:
    """A delivered 404 or 410 ends the obligation."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.later(10).read(1, None, status=status)
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_other_work_is_none_of_its_business() -> None:
    """Only submits of the same work are compared."""
    told = Told()
    told.submit("a", job=1)
    told.later(10).submit("b", job=2)

    assert INVARIANT.judge(told.run()).premises == 0


def test_equal_payloads_alone_only_warn() -> None:
    """Under `auto` a group that is held together by its payload alone never fails."""
    told = Told(same=Same.AUTO)
    told.submit(job=1)
    told.later(10).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_a_suspended_job_is_not_judged() -> None:
    """A job that vanished is out of reach: whoever submits again does right."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, faults=("run.vanish",))
    told.later(10).submit(job=2)

    assert INVARIANT.judge(told.run()).premises == 0
