"""run: what one line proves, and what a story and a work say of themselves."""

from __future__ import annotations

import pytest

from dummyllm.verdict.run import by_whom, done_ms, is_delivered, is_held, is_lost, is_refused, shows_end
from tests.verdict.told import Told, job_id


@pytest.mark.parametrize(
    ("delivered", "is_premise", "lost"), [("yes", True, False), ("unknown", False, False), ("no", False, True)]
)
def test_only_yes_is_delivered_and_only_no_is_lost(delivered: str, *, is_premise: bool, lost: bool) -> None:
    """What may have arrived neither convicts nor excuses."""
    line = Told().submit(job=1, delivered=delivered)

    assert (is_delivered(line), is_lost(line)) == (is_premise, lost)


def test_an_answer_has_left_when_it_took_its_time() -> None:
    """From the arrival of the request on."""
    assert done_ms(Told().later(10).submit(job=1, took_ms=7)) == 17


@pytest.mark.parametrize(
    ("status", "state", "shown", "shows"),
    [
        (200, "ok", None, True),
        (200, "fail", None, True),
        (200, "timeout", None, True),
        (200, "cancelled", None, True),
        (200, "running", None, False),
        (200, "ok", "paused", False),
        (503, "ok", None, False),
    ],
)
def test_an_end_is_shown_by_a_good_answer_with_a_final_state(
    status: int, state: str, shown: str | None, *, shows: bool
) -> None:
    """A failed read shows nothing, and a word that nobody documented is no end."""
    assert shows_end(Told().read(1, state, status=status, shown=shown, hidden=state)) is shows


@pytest.mark.parametrize(
    ("status", "delivered", "refused"), [(503, "yes", True), (503, "unknown", False), (201, "yes", False)]
)
def test_a_refusal_counts_when_it_arrived(status: int, delivered: str, *, refused: bool) -> None:
    """Only then does the client know that there is no job."""
    assert is_refused(Told().submit(status=status, delivered=delivered)) is refused


@pytest.mark.parametrize(
    ("wait_s", "took_ms", "delivered", "held"),
    [
        (30, 0, "unknown", True),
        (0, 0, "unknown", False),
        (None, 0, "unknown", False),
        (30, 9, "unknown", False),
        (30, 0, "no", False),
    ],
)
def test_an_answer_is_held_until_it_has_left(wait_s: int | None, took_ms: int, delivered: str, *, held: bool) -> None:
    """`Prefer: wait`, no answer so far, and the client has not gone."""
    assert is_held(Told().read(1, wait_s=wait_s, took_ms=took_ms, delivered=delivered)) is held


@pytest.mark.parametrize(("retries", "who"), [(0, "the runner"), (1, "the runner's SDK")])
def test_retries_of_an_sdk_are_told_apart(retries: int, who: str) -> None:
    """`x-stainless-retry-count` > 0."""
    assert by_whom(Told().submit(retries=retries)) == who


@pytest.mark.parametrize(("last", "out_of_reach"), [(404, True), (410, True), (503, False), (200, False)])
def test_a_job_is_out_of_reach_if_the_last_answer_said_so(last: int, *, out_of_reach: bool) -> None:
    """What was missing at first and then was there is there."""
    told = Told()
    told.submit(job=1)
    told.read(1, status=404)
    told.read(1, status=last)

    assert told.run().stories[job_id(1)].is_out_of_reach is out_of_reach


def test_a_request_without_an_answer_does_not_bring_a_job_back() -> None:
    """A connection that broke has no status."""
    told = Told()
    told.submit(job=1)
    told.read(1, status=404)
    told.read(1, status=0, delivered="no")

    assert told.run().stories[job_id(1)].is_out_of_reach


def test_requests_of_a_job_are_sorted_by_what_they_ask() -> None:
    """Contacts are all of them, and answers those that may show its state."""
    told = Told()
    submit, read = told.submit(job=1), told.read(1)
    inspect, cancel = told.inspect(1), told.cancel(1)
    story = told.run().stories[job_id(1)]

    assert (story.submits, story.reads, story.cancels, story.others) == ((submit,), (read,), (cancel,), (inspect,))
    assert story.contacts == (submit, read, inspect, cancel)
    assert story.answers == (submit, read, cancel)


def test_failures_are_what_was_refused_lost_or_ended_badly() -> None:
    """An answer that may not have arrived is none, nor is a job that is under way."""
    told = Told()
    told.submit(status=503)
    told.submit(status=503, delivered="unknown")
    told.submit(status=0, delivered="no")
    told.submit(job=1, outcome="ok")
    told.submit(job=2, outcome="fail")
    told.submit(job=3, ends_after_ms=None)
    told.submit(job=4, ends_after_ms=None)
    told.cancel(4)
    (work,) = told.run().works

    assert work.failures == 4


def test_a_work_finds_the_story_of_its_submit() -> None:
    """A refused one has none."""
    told = Told()
    refused, line = told.submit(status=503), told.submit(job=1)
    run = told.run()
    (work,) = run.works

    assert work.story_of(refused) is None
    assert work.story_of(line) is run.stories[job_id(1)]


@pytest.mark.parametrize(
    ("clock", "pace", "is_by_wall", "is_timed"),
    [
        ("wall", 1, True, True),
        ("scale(20)", 20, False, True),
        ("polls", 0, False, True),
        ("manual", 0, False, False),
        ("wall", 0, False, False),
    ],
)
def test_what_can_be_measured_depends_on_the_clock(clock: str, pace: int, *, is_by_wall: bool, is_timed: bool) -> None:
    """Whoever moves the jobs' clock by hand may have stopped the runner's too."""
    run = Told(clock=clock, pace=pace).run()

    assert (run.is_by_wall, run.is_timed) == (is_by_wall, is_timed)
