"""Snapshots: where on a job's plan the present falls."""

from __future__ import annotations

import pytest

from dummyllm.core.failure import CANCELLED, SIM_FAIL
from dummyllm.core.job import Job, cancelled, make_job
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
    job = cancelled(job_of(Mode.HANG), now_ms=1_500)

    assert snapshot_at(job, 1_499) == Snapshot(State.RUNNING, 1_000)
    assert snapshot_at(job, 1_500) == Snapshot(State.CANCELLED, 1_500, CANCELLED)


def test_the_planned_end_of_a_cancelled_job_never_shows() -> None:
    """A cancelled job stays cancelled."""
    job = cancelled(job_of(Mode.OK), now_ms=1_249)

    assert {snapshot_at(job, now_ms).state for now_ms in (1_249, 1_250, 1_251, 10**9)} == {State.CANCELLED}


@pytest.mark.parametrize("state", State)
def test_a_snapshot_is_final_in_a_final_state(state: State) -> None:
    """ok, fail, timeout and cancelled are ends."""
    assert Snapshot(state, 0).is_final == (state in FINAL_STATES)
