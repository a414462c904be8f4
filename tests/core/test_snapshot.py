"""Snapshots: where on a job's plan the present falls."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dummyllm.core.cancelling import cancel
from dummyllm.core.failure import CANCELLED, SIM_FAIL
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.snapshot import Snapshot, snapshot_at
from dummyllm.core.timeline import FINAL_STATES, State


def job_of(mode: Mode) -> Job:
    return make_job(Policy(mode=mode), JobRequest("llm.chat"), Identity(bytes(16)), now_ms=1_000, ordinal=0)


@pytest.mark.parametrize(
    ("now_ms", "snapshot"),
    [
        (1_000, Snapshot(State.RUNNING, 1_000)),
        (1_199, Snapshot(State.RUNNING, 1_000)),
        (1_200, Snapshot(State.FAIL, 1_200, SIM_FAIL)),
        (9_999, Snapshot(State.FAIL, 1_200, SIM_FAIL)),
    ],
)
def test_a_snapshot_says_the_state_since_when_and_why(now_ms: int, snapshot: Snapshot) -> None:
    """What a client is told at one instant; a failure is told when it has happened, not before."""
    assert snapshot_at(job_of(Mode.FAIL), now_ms) == snapshot


def test_looking_changes_nothing() -> None:
    """Asking only works out where on the plan the present falls, in whatever order one asks."""
    job = job_of(Mode.OK)
    late, early, late_again = (snapshot_at(job, now_ms) for now_ms in (2_000, 1_000, 2_000))

    assert late == late_again == Snapshot(State.OK, 1_250)
    assert early == Snapshot(State.RUNNING, 1_000)


def test_a_cancelled_job_says_so_from_the_millisecond_of_its_cancel() -> None:
    """Cancelled jobs carry `CANCELLED`."""
    job = cancel(job_of(Mode.HANG), 1_500).job

    assert snapshot_at(job, 1_499) == Snapshot(State.RUNNING, 1_000)
    assert snapshot_at(job, 1_500) == Snapshot(State.CANCELLED, 1_500, CANCELLED)


def test_the_planned_end_of_a_cancelled_job_never_shows() -> None:
    """A cancelled job stays cancelled."""
    job = cancel(job_of(Mode.OK), 1_249).job

    assert {snapshot_at(job, now_ms).state for now_ms in (1_249, 1_250, 1_251, 10**9)} == {State.CANCELLED}


@pytest.mark.parametrize("now_ms", [1_000, 1_250, 10**9])
def test_a_job_without_a_slot_is_queued_since_it_was_accepted(now_ms: int) -> None:
    """Slots make `queued` real."""
    job = replace(job_of(Mode.OK), started_at_ms=None)

    assert snapshot_at(job, now_ms) == Snapshot(State.QUEUED, 1_000)


@pytest.mark.parametrize(
    ("now_ms", "snapshot"),
    [
        (3_999, Snapshot(State.QUEUED, 1_000)),
        (4_000, Snapshot(State.RUNNING, 4_000)),
        (4_199, Snapshot(State.RUNNING, 4_000)),
        (4_200, Snapshot(State.FAIL, 4_200, SIM_FAIL)),
    ],
)
def test_a_job_that_waited_runs_from_its_start(now_ms: int, snapshot: Snapshot) -> None:
    """A fate says what happens from the start of the run."""
    assert snapshot_at(replace(job_of(Mode.FAIL), started_at_ms=4_000), now_ms) == snapshot


def test_a_job_cancelled_while_it_waited_never_runs() -> None:
    """From queued straight to cancelled."""
    job = cancel(replace(job_of(Mode.OK), started_at_ms=None), 1_500).job

    assert snapshot_at(job, 1_499) == Snapshot(State.QUEUED, 1_000)
    assert snapshot_at(job, 1_500) == Snapshot(State.CANCELLED, 1_500, CANCELLED)


@pytest.mark.parametrize(
    ("cancelled_at_ms", "state", "since_ms"),
    [(1_249, State.CANCELLED, 1_249), (1_250, State.OK, 1_250), (1_251, State.OK, 1_250)],
)
def test_a_cancel_that_is_still_to_come_may_be_too_late(cancelled_at_ms: int, state: State, since_ms: int) -> None:
    """`cancel.slow`; in the same millisecond the planned end beats the cancel."""
    job = replace(job_of(Mode.OK), cancelled_at_ms=cancelled_at_ms)
    before, after = snapshot_at(job, min(cancelled_at_ms, 1_250) - 1), snapshot_at(job, 2_000)

    assert before == Snapshot(State.RUNNING, 1_000)
    assert (after.state, after.since_ms) == (state, since_ms)


@pytest.mark.parametrize("state", State)
def test_a_snapshot_is_final_in_a_final_state(state: State) -> None:
    """ok, fail, timeout and cancelled are ends."""
    assert Snapshot(state, 0).is_final == (state in FINAL_STATES)
