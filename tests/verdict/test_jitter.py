"""jitter: those that fail together do not come back together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.jitter import INVARIANT
from tests.verdict.told import Told

EVEN = [500 + 60 * number for number in range(20)]
"""Gaps with much jitter: none of the retries within 50 ms of another."""


def outage(gaps: Sequence[int], *, apart_ms: int = 0, **more: object) -> Told:
    """Return a run in which as many works as there are *gaps* were refused, and came back after those."""
    told = Told()
    failed_ms = [apart_ms * number for number in range(len(gaps))]
    events = [(at_ms, number, {"status": 503, **more}) for number, at_ms in enumerate(failed_ms)]
    events += [(failed_ms[number] + gap_ms, number, {"job": number}) for number, gap_ms in enumerate(gaps)]
    for at_ms, number, members in sorted(events, key=lambda event: event[0]):
        told.now_ms = at_ms
        told.submit(f"{number}", **members)
    return told


def judged(gaps: Sequence[int], **more: object) -> Evidence:
    """Return what is found of that run."""
    return INVARIANT.judge(outage(gaps, **more).run())


def test_equal_waits_are_warned_of() -> None:
    """Twenty that failed over half a second and all waited one second; and never fail."""
    found = judged([1000] * 20, apart_ms=25)

    assert (found.premises, len(found.warnings), found.breaches) == (1, 1, [])
    assert len(found.warnings[0].entries) == 40


@pytest.mark.parametrize(("more_ms", "warnings"), [(19, 1), (20, 0)])
def test_the_spread_of_the_gaps_is_two_percent(more_ms: int, warnings: int) -> None:
    """IQR / median: five of twenty shorter, five longer, by as much in all; retries more than 50 ms apart in time."""
    low, high = 1000 - more_ms // 2, 1000 + (more_ms + 1) // 2
    found = judged([low] * 6 + [1000] * 8 + [high] * 6, apart_ms=49)

    assert len(found.warnings) == warnings


@pytest.mark.parametrize(("pieces", "premises"), [(19, 0), (20, 1)])
def test_it_takes_twenty_pieces_of_work(pieces: int, premises: int) -> None:
    """Fewer are no premise."""
    found = judged([1000] * pieces)

    assert (found.premises, len(found.warnings)) == (premises, premises)


@pytest.mark.parametrize(("last_ms", "premises"), [(999, 1), (1000, 0)])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_they_must_have_failed_inside_one_second(last_ms: int, premises: int, before: int) -> None:
    """Both sides of its end; it may begin with any of them, after others that failed alone."""
    told = Told()
    for number in range(before):
        told.submit(f"alone {number}", status=503)
    for number in range(20):
        told.now_ms = 5000 if number < 19 else 5000 + last_ms
        told.submit(f"{number}", status=503)
    for number in range(20 + before):
        told.later(100).submit(f"alone {number - 20}" if number >= 20 else f"{number}", job=number)

    assert INVARIANT.judge(told.run()).premises == premises


@pytest.mark.parametrize(("last_ms", "warnings"), [(1050, 1), (1051, 0)])
def test_twenty_retries_within_50_ms_are_warned_of(last_ms: int, warnings: int) -> None:
    """However different their waits were: here those that failed later waited less."""
    told = Told()
    for number in range(20):
        told.now_ms = number * 40
        told.submit(f"{number}", status=503)
    for number in range(20):
        told.now_ms = 1000 if number < 19 else last_ms
        told.submit(f"{number}", job=number)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.warnings)) == (1, warnings)


def test_nineteen_retries_within_50_ms_are_no_crowd() -> None:
    """The first came 51 ms before the others."""
    told = Told()
    for number in range(20):
        told.now_ms = number * 40
        told.submit(f"{number}", status=503)
    for number in range(20):
        told.now_ms = 951 if number == 0 else 1002
        told.submit(f"{number}", job=number)

    assert INVARIANT.judge(told.run()).warnings == []


def test_what_failed_again_and_was_left_at_that_has_no_second_gap() -> None:
    """Twenty pieces of work, two attempts each."""
    told = Told()
    for at_ms in (0, 5000):
        told.now_ms = at_ms
        for number in range(20):
            told.submit(f"{number}", status=503)

    assert INVARIANT.judge(told.run()).premises == 1


def test_random_waits_are_well() -> None:
    """The premise was met, and they came back one by one."""
    found = judged(EVEN)

    assert (found.premises, found.warnings) == (1, [])


def test_those_that_failed_otherwise_are_another_crowd() -> None:
    """Ten with 503 and ten with 500 are not alike."""
    told = Told()
    for number in range(20):
        told.submit(f"{number}", status=503 if number % 2 else 500)
    told.later(1000)
    for number in range(20):
        told.submit(f"{number}", job=number)

    assert INVARIANT.judge(told.run()).premises == 0


def test_jobs_that_failed_are_alike_too() -> None:
    """By the state that they ended in."""
    told = Told()
    for number in range(20):
        told.submit(f"{number}", job=number, outcome="fail")
    told.later(300)
    for number in range(20):
        told.read(number, "fail")
    told.later(1000)
    for number in range(20):
        told.submit(f"{number}", job=100 + number)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.warnings)) == (1, 1)


def test_one_piece_of_work_that_fails_twenty_times_is_no_crowd() -> None:
    """Every piece counts once."""
    told = Told()
    for _ in range(40):
        told.later(10).submit(status=503)

    assert INVARIANT.judge(told.run()).premises == 0


def test_a_second_outage_is_judged_for_itself() -> None:
    """Each second that took twenty down is a premise."""
    told = outage([1000] * 20)
    told.now_ms = 5000
    for number in range(20):
        told.submit(f"b{number}", status=503)
    told.later(1000)
    for number in range(20):
        told.submit(f"b{number}", job=100 + number)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.warnings)) == (2, 2)


def test_those_who_never_came_back_have_no_gap() -> None:
    """Nothing is known of their waits."""
    told = Told()
    for number in range(30):
        told.submit(f"{number}", status=503)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize("members", [{"retry_after_s": 1}, {"delivered": "unknown"}], ids=str)
def test_who_was_given_a_hint_or_no_answer_is_not_judged(members: dict[str, object]) -> None:
    """Whoever comes when they were told to does right."""
    assert judged([1000] * 20, **members).premises == 0


@pytest.mark.parametrize(("clock", "pace", "premises"), [("scale(20)", 20, 1), ("polls", 0, 1), ("manual", 0, 0)])
def test_by_a_clock_that_is_moved_by_hand_nothing_is_judged(clock: str, pace: int, premises: int) -> None:
    """A test may have stopped the runner's clock too."""
    told = outage([1000] * 20)
    told.heading = Told(clock=clock, pace=pace).heading

    assert INVARIANT.judge(told.run()).premises == premises


def test_equal_payloads_alone_are_not_judged() -> None:
    """Nobody knows whose retry it is."""
    told = outage([1000] * 20)
    told.same = Same.AUTO

    assert INVARIANT.judge(told.run()).premises == 0
