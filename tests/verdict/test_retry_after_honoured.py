"""retry-after-honoured: nobody comes back before they were told to."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.invariants.retry_after_honoured import INVARIANT
from tests.verdict.told import Told, job_id


@pytest.mark.parametrize(("gap_ms", "breaches"), [(1949, 1), (1950, 0)])
def test_a_submit_before_the_hint_has_run_out_convicts(gap_ms: int, breaches: int) -> None:
    """Both sides of d − 50 ms, counted from when the answer had left; the evidence is the hint and the submit."""
    told = Told()
    hint = told.submit(status=429, retry_after_s=2, took_ms=7)
    again = told.later(7 + gap_ms).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(hint.seq, again.seq)] * breaches
    assert found.premises == 1


@pytest.mark.parametrize(("gap_ms", "breaches"), [(1949, 1), (1950, 0)])
def test_a_read_before_the_hint_has_run_out_convicts(gap_ms: int, breaches: int) -> None:
    """The hint of a read is for the next read of the job."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    hint = told.read(1, status=503, retry_after_s=2)
    again = told.later(gap_ms).read(1)
    found = INVARIANT.judge(told.run())

    assert [(finding.entries, finding.job) for finding in found.breaches] == [
        ((hint.seq, again.seq), job_id(1))
    ] * breaches
    assert found.premises == 1


def test_whoever_never_comes_back_honours_it_too() -> None:
    """The premise is the hint alone."""
    told = Told()
    told.submit(status=429, retry_after_s=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


@pytest.mark.parametrize(("gap_ms", "breaches"), [(0, 0), (100, 0), (101, 1)])
def test_the_first_request_may_have_been_on_its_way(gap_ms: int, breaches: int) -> None:
    """Within 100 ms of the answer."""
    told = Told()
    told.submit(status=429, retry_after_s=2)
    told.later(gap_ms).submit(job=1)

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


@pytest.mark.parametrize("gap_ms", [10, 500])
def test_the_second_request_was_not_on_its_way(gap_ms: int) -> None:
    """Only one is exempt, however soon the other came."""
    told = Told()
    hint = told.submit(status=429, retry_after_s=2)
    told.later(20).submit(status=429)
    second = told.later(gap_ms).submit(job=1)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(hint.seq, second.seq)]


def test_a_request_before_the_answer_is_not_counted_at_all() -> None:
    """It was sent before the hint was there, and does not use up what is exempt."""
    told = Told()
    told.submit(status=429, retry_after_s=2, took_ms=50)
    told.later(10).submit(status=503)
    told.later(60).submit(job=1)

    assert INVARIANT.judge(told.run()).breaches == []


@pytest.mark.parametrize(("hint_s", "premises"), [(0, 0), (1, 1), (60, 1), (61, 0)])
def test_a_hint_of_up_to_a_minute_is_judged(hint_s: int, premises: int) -> None:
    """SDKs cap at 60 and 120 s; and there is nothing to honour in a 0."""
    told = Told()
    told.submit(status=429, retry_after_s=hint_s)
    told.later(500).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (premises, premises)


@pytest.mark.parametrize("delivered", ["no", "unknown"])
def test_a_hint_that_may_not_have_arrived_binds_nobody(delivered: str) -> None:
    """Only `yes` is a premise."""
    told = Told()
    told.submit(status=429, retry_after_s=2, delivered=delivered)
    told.later(500).submit(job=1)

    assert INVARIANT.judge(told.run()).premises == 0


def test_cancels_are_never_judged() -> None:
    """Whoever gives up may say so at once."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.read(1, status=503, retry_after_s=2)
    told.later(500).cancel(1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_the_hint_of_a_cancel_binds_nobody() -> None:
    """It is for neither submits nor reads."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.cancel(1, status=503, retry_after_s=2)
    told.later(500).read(1)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_hint_for_submits_does_not_bind_reads_nor_the_other_way_round() -> None:
    """Each is for the next of its kind."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.submit(status=429, retry_after_s=2)
    told.later(500).read(1, status=503, retry_after_s=9)
    told.later(1500).submit(job=2)
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (2, [])


def test_the_hint_of_an_acknowledgement_is_for_the_first_read() -> None:
    """The submit went well: there is nothing to submit again."""
    told = Told()
    hint = told.submit(job=1, retry_after_s=2)
    early = told.later(500).read(1)

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(hint.seq, early.seq)]


def test_it_is_not_for_the_next_submit() -> None:
    """Which is no attempt at the same thing again, or else no-concurrent-duplicate has a say."""
    told = Told()
    told.submit(job=1, retry_after_s=2)
    told.later(500).submit(job=2)

    assert INVARIANT.judge(told.run()).breaches == []


def test_the_message_says_what_came_how_early() -> None:
    """In the words of somebody who was there."""
    told = Told()
    told.submit(job=1, ends_after_ms=None)
    told.submit(status=429, retry_after_s=2, took_ms=5)
    told.later(205).submit(status=429)
    told.read(1, status=503, retry_after_s=3)
    told.later(300).read(1)

    assert [finding.message for finding in INVARIANT.judge(told.run()).breaches] == [
        "told to wait 2 s, the runner submitted again after 200 ms",
        "told to wait 3 s, the runner read again after 300 ms",
    ]


def test_a_hint_binds_the_work_and_no_other() -> None:
    """Other work may be submitted meanwhile."""
    told = Told()
    told.submit("a", status=429, retry_after_s=2)
    told.later(500).submit("b", job=1)

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_dashboard_heard_of_no_hint() -> None:
    """Reads by another User-Agent than the one that was told."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, user_agent="runner")
    told.read(1, status=503, retry_after_s=2, user_agent="runner")
    told.later(500).read(1, user_agent="dashboard")

    assert INVARIANT.judge(told.run()).breaches == []


def test_a_job_that_was_never_acknowledged_is_exempt() -> None:
    """Whoever reads it then is not the one to be judged."""
    told = Told()
    told.submit(job=1, ends_after_ms=None, delivered="no")
    told.read(1, status=503, retry_after_s=2)
    told.later(500).read(1)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("clock", "pace", "premises"), [("scale(20)", 20, 1), ("polls", 0, 1), ("manual", 0, 0)])
def test_by_a_clock_that_is_moved_by_hand_nothing_is_judged(clock: str, pace: int, premises: int) -> None:
    """A hint is in the wall's seconds, whatever the jobs go by; but a test may have stopped the runner's clock too."""
    told = Told(clock=clock, pace=pace)
    told.submit(status=429, retry_after_s=2)
    told.later(500).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (premises, premises)


def test_retries_of_an_sdk_are_told_apart() -> None:
    """`x-stainless-retry-count` > 0."""
    told = Told()
    told.submit(status=429, retry_after_s=2)
    told.later(500).submit(job=1, retries=1)

    assert "SDK" in INVARIANT.judge(told.run()).breaches[0].message


def test_equal_payloads_alone_only_warn() -> None:
    """Two customers: one was told to wait, the other was not."""
    told = Told(same=Same.AUTO)
    told.submit(status=429, retry_after_s=2)
    told.later(500).submit(job=1)
    found = INVARIANT.judge(told.run())

    assert (len(found.breaches), len(found.warnings)) == (0, 1)


def test_the_reads_of_one_job_need_no_group_to_convict() -> None:
    """However weakly the submits of its work hold together."""
    told = Told(same=Same.AUTO)
    told.submit(job=1, ends_after_ms=None)
    told.submit(job=2, ends_after_ms=None)
    told.read(1, status=503, retry_after_s=2)
    told.later(500).read(1)

    assert len(INVARIANT.judge(told.run()).breaches) == 1
