"""What a runner did after an answer, and how long it may take over it."""

from __future__ import annotations

from typing import Any

import pytest

from dummyllm.verdict.limits import Limits
from dummyllm.verdict.reaction import (
    had_time_to_read,
    has_time_left,
    last_before,
    may_have_told_end,
    next_read_due_ms,
    resubmit,
)
from dummyllm.verdict.run import Run, Story
from tests.verdict.told import Told, job_id


def story_of(run: Run, number: int = 1) -> Story:
    """Return the story of the job with this *number*."""
    return run.stories[job_id(number)]


@pytest.mark.parametrize(("at_ms", "is_left"), [(7949, True), (7950, False)])
def test_time_is_left_until_the_slack_before_the_deadline(*, at_ms: int, is_left: bool) -> None:
    """A client counts from when it sent its submit, a little before the server saw it."""
    told = Told()
    told.later(500).submit(job=1, timeout_ms=8000)
    line = told.later(at_ms).read(1)
    run = told.run()

    assert has_time_left(run, story_of(run), line) is is_left


def test_time_is_up_by_the_wall_though_the_jobs_clock_stands_still() -> None:
    """The client's own clock went on."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1, timeout_ms=8000)
    line = told.later(8000).read(1)
    run = told.run()

    assert not has_time_left(run, story_of(run), line)


def test_time_is_up_when_the_jobs_clock_says_so() -> None:
    """A clock that goes ten times as fast reaches the deadline in a tenth of the time."""
    told = Told(pace=10)
    told.submit(job=1, timeout_ms=8000)
    line = told.later(800).read(1)
    run = told.run()

    assert not has_time_left(run, story_of(run), line)


@pytest.mark.parametrize("more", [{"job": 1, "is_replay": True}, {"status": 503, "key": "k1"}])
def test_a_submit_with_the_key_of_the_job_asks_for_the_same_job(more: dict[str, Any]) -> None:
    """Whatever comes of it, it makes no second one."""
    told = Told()
    told.submit(job=1, key="k1")
    answer = told.later(10).read(1)
    told.later(10).submit(**more)
    again = told.later(10).submit(status=503, key="k2")
    run = told.run()

    assert resubmit(run.works[0], story_of(run), answer) is again


def test_a_submit_that_came_before_the_answer_had_left_is_no_reaction_to_it() -> None:
    """Both sides of the edge: an answer that took 20 ms."""
    told = Told()
    told.submit(job=1)
    answer = told.later(100).read(1, took_ms=20)
    told.later(19).submit(job=2)
    run = told.run()
    assert resubmit(run.works[0], story_of(run), answer) is None

    again = told.later(1).submit(job=3)
    run = told.run()
    assert resubmit(run.works[0], story_of(run), answer) is again


def test_the_last_answer_before_a_submit_is_found_by_its_number() -> None:
    """The journal is in order."""
    told = Told()
    told.submit(job=1)
    told.read(1)
    last = told.read(1)
    again = told.submit(job=2)
    told.read(1)
    run = told.run()

    assert last_before(story_of(run).answers, again) is last


@pytest.mark.parametrize(
    ("gap_ms", "more", "due_ms"),
    [
        (100, {}, 100 + 1000 + 50),  # a second at least
        (900, {}, 900 + 1800 + 50),  # twice the longest gap
        (100, {"took_ms": 30}, 130 + 1000 + 50),  # from when the answer had left
        (100, {"retry_after_s": 3}, 100 + 3000 + 50),  # as it was told
        (100, {"wait_s": 5}, 100 + 5000 + 50),  # as it asks the server to hold it
    ],
)
def test_the_next_read_is_due_when_a_patient_runner_would_have_come(
    gap_ms: int, more: dict[str, Any], due_ms: int
) -> None:
    """The longest of all that may keep it, and the slack."""
    told = Told()
    told.later(700).submit(job=1)
    told.later(gap_ms).read(1, **more)
    run = told.run()

    assert next_read_due_ms(run, story_of(run).answers) == 700 + due_ms


def test_a_hint_from_before_may_still_be_running() -> None:
    """It came with the read before the last."""
    told = Told()
    told.submit(job=1)
    told.later(100).read(1, retry_after_s=5)
    told.later(100).read(1)
    run = told.run()

    assert next_read_due_ms(run, story_of(run).answers) == 100 + 5000 + 50


def test_without_a_least_time_only_what_was_seen_counts() -> None:
    """Nobody asked for a wait or was told to, so there is none."""
    told = Told(limits=Limits(terminal_after_ms=0))
    told.submit(job=1)
    told.later(100).read(1)
    run = told.run()

    assert next_read_due_ms(run, story_of(run).answers) == 100 + 200 + 50


@pytest.mark.parametrize(
    ("state", "delivered", "is_told"),
    [("ok", "yes", True), ("ok", "unknown", True), ("ok", "no", False), ("running", "yes", False)],
)
def test_an_end_may_have_been_told_unless_it_surely_was_not(*, state: str, delivered: str, is_told: bool) -> None:
    """What a client may know excuses it."""
    told = Told()
    told.submit(job=1)

    assert may_have_told_end(told.later(250).read(1, state, delivered=delivered)) is is_told


@pytest.mark.parametrize(
    ("timeout_ms", "now_ms", "had_time"),
    [(8000, 1150, True), (8000, 1149, False), (1200, 9000, True), (1199, 9000, False)],
)
def test_there_was_time_to_read_if_neither_the_run_nor_the_deadline_ended_first(
    *, timeout_ms: int, now_ms: int, had_time: bool
) -> None:
    """The read is due at 1150 ms."""
    told = Told()
    told.submit(job=1, timeout_ms=timeout_ms)
    told.later(100).read(1)
    run = told.run(now_ms=now_ms)

    assert had_time_to_read(run, story_of(run), story_of(run).answers) is had_time


def test_a_clock_that_is_moved_by_hand_leaves_no_time_to_anybody() -> None:
    """Whoever moves it may have stopped the runner's own as well."""
    told = Told(clock="manual", pace=0)
    told.submit(job=1)
    told.later(100).read(1)
    run = told.run(now_ms=7000)

    assert not had_time_to_read(run, story_of(run), story_of(run).answers)
