"""What a cancel comes to: it takes effect, later or never, or its answer does not arrive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.core.cancelling import Cancelling, cancel
from dummyllm.core.job import Job
from dummyllm.core.snapshot import snapshot_at
from dummyllm.core.timeline import State
from tests.core.chaos import fault, one_step

START_MS, END_MS = 1_000, 1_250
ALL = ["cancel.ignored", "cancel.slow", "cancel.slow(ms=5)", "cancel.lost_ack", "cancel.status(503)"]


def cancelled(job: Job, *at_ms: int) -> list[Cancelling]:
    """Return what a cancel at each of these instants comes to, one after another."""
    made = []
    for now_ms in at_ms:
        made.append(cancel(job, now_ms))
        job = made[-1].job
    return made


def states(job: Job, *at_ms: int) -> list[str]:
    return [snapshot_at(job, now_ms).state.value for now_ms in at_ms]


def test_a_cancel_takes_effect_at_once() -> None:
    """Without a fault there is nothing between a cancel and its effect."""
    job = one_step("hang")
    (made,) = cancelled(job, 1_100)

    assert made == Cancelling(replace(job, cancelled_at_ms=1_100, cancels=1))
    assert states(made.job, 1_099, 1_100) == ["running", "cancelled"]


@pytest.mark.parametrize("text", ["ok", *(f"ok+{text}" for text in ALL)])
@pytest.mark.parametrize("late_ms", [0, 1, 10**9])
def test_in_the_millisecond_of_the_end_the_planned_end_beats_the_cancel(text: str, late_ms: int) -> None:
    """Nothing comes of it then, whatever fault would have befallen it; nor later."""
    job = one_step(text)
    (made,) = cancelled(job, END_MS + late_ms)

    assert made == Cancelling(job)
    assert made.job is job


@pytest.mark.parametrize("text", ["hang", *(f"hang+{text}" for text in ("cancel.lost_ack", "cancel.status(503)"))])
def test_a_job_that_is_cancelled_is_not_cancelled_again(text: str) -> None:
    """On a finished job the state it has: since when it is cancelled stays, in the same millisecond and after it."""
    job = cancelled(one_step(text), 1_100, 1_100)[-1].job
    assert job.cancelled_at_ms == 1_100

    for now_ms in (1_100, 1_101, 10**9):
        assert cancel(job, now_ms) == Cancelling(job)


# ---- cancel.ignored


@pytest.mark.parametrize(("mode", "told"), [("ok", ["running", "ok"]), ("hang", ["running", "running"])])
def test_an_ignored_cancel_changes_nothing(mode: str, told: list[str]) -> None:
    """200 with the state it has; the job ends as fated."""
    job = one_step(f"{mode}+cancel.ignored")
    first, second, third = cancelled(job, START_MS, 1_100, END_MS - 1)

    assert [made.fault for made in (first, second, third)] == [fault("cancel.ignored")] * 3
    assert [made.bend for made in (first, second, third)] == [None] * 3
    assert [made.job.cancels for made in (first, second, third)] == [1, 2, 3]
    assert third.job.cancelled_at_ms is None
    assert states(third.job, END_MS - 1, END_MS) == told


# ---- cancel.slow


def test_a_slow_cancel_takes_effect_a_while_later() -> None:
    """200 with state `running`; cancelled after a while."""
    (made,) = cancelled(one_step("hang+cancel.slow(ms=500)"), 2_000)

    assert (made.fault, made.bend, made.job.cancels) == (fault("cancel.slow(ms=500)"), None, 1)
    assert states(made.job, 2_000, 2_499, 2_500) == ["running", "running", "cancelled"]
    assert made.job.ends_at_ms == 2_500


def test_another_cancel_makes_a_slow_one_neither_faster_nor_slower() -> None:
    """It counts from the first one, and every cancel until then is slow."""
    first, second, third = cancelled(one_step("hang+cancel.slow(ms=500)"), 2_000, 2_499, 2_500)

    assert second.job == replace(first.job, cancels=2)
    assert second.fault == fault("cancel.slow(ms=500)")
    assert third == Cancelling(second.job), "by then it is cancelled"


@pytest.mark.parametrize(("ms", "state"), [(149, "cancelled"), (150, "ok"), (151, "ok")])
def test_a_job_may_end_before_a_slow_cancel_takes_effect(ms: int, state: str) -> None:
    """… unless it ended by itself before; and in the same millisecond the planned end wins."""
    (made,) = cancelled(one_step(f"ok+cancel.slow(ms={ms})"), 1_100)

    assert states(made.job, 10_000) == [state]
    assert made.job.ends_at_ms == min(1_100 + ms, END_MS)


# ---- cancel.lost_ack and cancel.status


def test_a_cancel_whose_acknowledgement_is_lost_took_effect() -> None:
    """The cancel took effect, nothing arrives; later ones are answered as ever."""
    first, second = cancelled(one_step("hang+cancel.lost_ack"), 1_100, 1_101)

    assert first.fault == first.bend == fault("cancel.lost_ack")
    assert (first.job.cancelled_at_ms, first.job.cancels) == (1_100, 1)
    assert second == Cancelling(first.job)


def test_a_cancel_that_is_refused_had_no_effect() -> None:
    """Or it did not: the first cancel of the job is answered with this status; later ones are answered as ever."""
    first, second, third = cancelled(one_step("hang+cancel.status(503)"), 1_100, 1_101, 1_102)

    assert first.fault == first.bend == fault("cancel.status(503)")
    assert (first.job.cancelled_at_ms, first.job.cancels) == (None, 1)
    assert states(first.job, 10**9) == ["running"]
    assert (second.fault, second.bend, second.job.cancelled_at_ms) == (None, None, 1_101)
    assert third == Cancelling(second.job)


def test_a_cancel_that_came_too_late_is_not_the_first() -> None:
    """Only a cancel of a job that has not ended can be befallen; one that came to nothing is not counted."""
    job = one_step("ok+cancel.status(503)")

    assert (cancel(job, END_MS - 1).job.cancels, cancel(job, END_MS).job.cancels) == (1, 0)


# ---- jobs that wait


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ok", ["queued", "cancelled"]),
        ("ok+cancel.ignored", ["queued", "queued"]),
        ("ok+cancel.slow(ms=100)", ["queued", "queued"]),
        ("ok+cancel.status(503)", ["queued", "queued"]),
        ("ok+cancel.lost_ack", ["queued", "cancelled"]),
    ],
)
def test_a_job_without_a_slot_can_be_cancelled(text: str, told: list[str]) -> None:
    """It has not begun, and so its fate cannot have ended it."""
    (made,) = cancelled(replace(one_step(text), started_at_ms=None), 9_999)

    assert states(made.job, 9_998, 9_999) == told


def test_a_job_may_get_its_slot_before_a_slow_cancel_takes_effect() -> None:
    """Then it runs until the cancel does, or until its end if that comes first."""
    (made,) = cancelled(replace(one_step("ok+cancel.slow(ms=500)"), started_at_ms=None), 2_000)

    assert states(replace(made.job, started_at_ms=2_100), 2_099, 2_100, 2_349, 2_350, 2_500) == [
        "queued",
        "running",
        "running",
        "ok",
        "ok",
    ]
    assert states(replace(made.job, started_at_ms=2_300), 2_499, 2_500, 2_550) == ["running", "cancelled", "cancelled"]


# ---- laws

EVENTS = st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=12)


@settings(deadline=None)
@given(st.sampled_from(["ok", "hang", "fail", "slow"]), st.sampled_from(["", *ALL]), EVENTS)
def test_states_only_move_forward_whatever_befalls_a_cancel(
    mode: str, text: str, events: list[tuple[int, bool]]
) -> None:
    """`queued → running → {ok, fail, timeout, cancelled}`; no cancel changes what was, or what has ended."""
    job = one_step(f"{mode}+{text}" if text else mode)
    ended: tuple[State, int] | None = None
    for after_ms, is_cancel in sorted(events):
        now_ms = START_MS + after_ms
        was = snapshot_at(job, now_ms - 1)
        if is_cancel:
            job = cancel(job, now_ms).job
        assert snapshot_at(job, now_ms - 1) == was
        snapshot = snapshot_at(job, now_ms)
        assert ended in (None, (snapshot.state, snapshot.since_ms))
        if snapshot.is_final:
            ended = snapshot.state, snapshot.since_ms
            assert job.ends_at_ms == snapshot.since_ms
