"""Jobs: made with their fate planned, started now or later, and cancelled or not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.core.cancelling import cancel
from dummyllm.core.draw import Luck
from dummyllm.core.fate import plan
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.snapshot import snapshot_at
from dummyllm.core.timeline import FINAL_STATES, State

HERE = Identity(bytes(16))
REQUEST = JobRequest("llm.chat", b'{"model":"m"}', 8000, "t")
ENDING = {Mode.OK: 250, Mode.ECHO: 250, Mode.SLOW: 1500, Mode.FAIL: 200, Mode.TIMEOUT: 250}


def job_of(mode: Mode = Mode.OK, *, now_ms: int = 1_000, ordinal: int = 0, base_ms: int = 250) -> Job:
    policy = Policy(mode=mode, base_latency_ms=base_ms)
    return make_job(policy, REQUEST, HERE, now_ms=now_ms, ordinal=ordinal)


def test_a_job_is_its_request_and_its_fate() -> None:
    """A job's whole life is planned at the instant it is accepted."""
    policy = Policy(mode=Mode.RANDOM, seed=7)
    job = make_job(policy, REQUEST, HERE, now_ms=1_000, ordinal=3)
    luck = Luck(7, HERE, 3)

    assert job.request is REQUEST
    assert (job.identity, job.ordinal, job.policy, job.accepted_at_ms) == (HERE, 3, policy, 1_000)
    assert job.fate == plan(policy, REQUEST, luck)
    assert job.id == luck.job_id()
    assert job.started_at_ms == 1_000
    assert job.cancelled_at_ms is None
    assert (job.cancels, job.reads, job.end_reads, job.own_ms, job.key) == (0, 0, 0, 0, None)


def test_when_a_job_is_accepted_changes_neither_its_id_nor_its_fate() -> None:
    """A fate has no start time."""
    one, other = job_of(Mode.RANDOM, now_ms=1), job_of(Mode.RANDOM, now_ms=10**13)

    assert (one.id, one.fate) == (other.id, other.fate)


def cancelled(job: Job, *, now_ms: int) -> Job:
    return cancel(job, now_ms).job


@pytest.mark.parametrize(("mode", "end_ms"), ENDING.items())
def test_a_job_ends_at_its_acceptance_plus_its_fate(mode: Mode, end_ms: int) -> None:
    """A completion's instant is exact to the millisecond."""
    assert job_of(mode, now_ms=1_000).ends_at_ms == 1_000 + end_ms


def test_nothing_is_going_to_end_a_hung_job_until_it_is_cancelled() -> None:
    """`hang` stays `running`."""
    job = job_of(Mode.HANG)

    assert job.ends_at_ms is None
    assert cancelled(job, now_ms=5_000).ends_at_ms == 5_000


@pytest.mark.parametrize("mode", ENDING)
@pytest.mark.parametrize("base_ms", [1, 50, 250])
def test_a_cancel_before_the_end_cancels(mode: Mode, base_ms: int) -> None:
    """One millisecond before the planned end the cancel wins."""
    job = job_of(mode, base_ms=base_ms)
    assert job.ends_at_ms is not None
    now_ms = job.ends_at_ms - 1
    after = cancelled(job, now_ms=now_ms)

    assert after.ends_at_ms == after.cancelled_at_ms == now_ms
    snapshot = snapshot_at(after, now_ms)
    assert (snapshot.state, snapshot.since_ms) == (State.CANCELLED, now_ms)
    assert snapshot.failure is not None
    assert snapshot.failure.code == "CANCELLED"


@pytest.mark.parametrize("mode", ENDING)
@pytest.mark.parametrize("late_ms", [0, 1, 10**9])
def test_a_cancel_in_the_millisecond_of_the_end_or_later_changes_nothing(mode: Mode, late_ms: int) -> None:
    """In the same millisecond the planned end beats the cancel."""
    job = job_of(mode)
    assert job.ends_at_ms is not None

    assert cancelled(job, now_ms=job.ends_at_ms + late_ms) is job


def test_a_job_that_ends_at_once_cannot_be_cancelled() -> None:
    """With latency 0 the end is the acceptance."""
    job = job_of(Mode.OK, base_ms=0)

    assert cancelled(job, now_ms=1_000) is job


@pytest.mark.parametrize("later_ms", [0, 1, 248, 249, 10**9])
def test_a_second_cancel_changes_nothing(later_ms: int) -> None:
    """Cancel is idempotent; a cancelled job stays cancelled, and since when stays too."""
    once = cancelled(job_of(), now_ms=1_001)

    assert cancelled(once, now_ms=1_001 + later_ms) is once
    assert snapshot_at(once, 1_001 + later_ms).state is State.CANCELLED
    assert snapshot_at(once, 1_001 + later_ms).since_ms == 1_001


def test_a_cancelled_job_keeps_its_fate() -> None:
    """/request still shows what was planned."""
    job = job_of(Mode.SLOW)
    after = cancelled(job, now_ms=1_001)

    assert (after.fate, after.id, after.request) == (job.fate, job.id, job.request)


@pytest.mark.parametrize("mode", ENDING)
def test_the_end_of_a_job_that_waits_is_not_settled(mode: Mode) -> None:
    """With slots the start is the one thing that depends on other jobs; it never changes once it has passed."""
    waiting = replace(job_of(mode), started_at_ms=None)
    started = replace(waiting, started_at_ms=5_000)

    assert (waiting.planned_end_ms, waiting.ends_at_ms) == (None, None)
    assert started.planned_end_ms == started.ends_at_ms == 5_000 + ENDING[mode]


def test_a_job_that_waits_ends_when_it_is_cancelled() -> None:
    """It never ran."""
    waiting = replace(job_of(), started_at_ms=None)

    assert cancelled(waiting, now_ms=1_005).ends_at_ms == 1_005


@pytest.mark.parametrize(
    ("cancelled_at_ms", "ends_at_ms"), [(1_249, 1_249), (1_250, 1_250), (1_251, 1_250), (9_999, 1_250)]
)
def test_a_job_ends_at_the_sooner_of_its_plan_and_its_cancel(cancelled_at_ms: int, ends_at_ms: int) -> None:
    """A cancel may take effect a while later; until then the planned end may come before it."""
    job = replace(job_of(), cancelled_at_ms=cancelled_at_ms)

    assert (job.ends_at_ms, job.planned_end_ms) == (ends_at_ms, 1_250)


@pytest.mark.parametrize(
    ("after_ms", "now_ms", "gone"),
    [(100, 1_099, False), (100, 1_100, True), (100, 10**9, True), (0, 1_000, True), (0, 999, False)],
)
def test_a_job_vanishes_so_long_after_its_start(after_ms: int, now_ms: int, *, gone: bool) -> None:
    """404 after it existed."""
    job = job_of()
    vanishing = replace(job, fate=replace(job.fate, vanishes_after_ms=after_ms))

    assert vanishing.has_vanished(now_ms) is gone
    assert not replace(vanishing, started_at_ms=None).has_vanished(now_ms), "it counts from the start"
    assert not job.has_vanished(now_ms)


@settings(deadline=None)
@given(
    st.sampled_from([*WEIGHABLE_MODES, Mode.RANDOM]),
    st.integers(0, 300),
    st.integers(0, 20),
    st.lists(st.integers(0, 2_000), max_size=4),
    st.lists(st.integers(0, 2_000), min_size=2, max_size=12),
)
def test_states_only_move_forward(
    mode: Mode, base_ms: int, ordinal: int, cancels_ms: list[int], reads_ms: list[int]
) -> None:
    """`queued → running → {ok, fail, timeout, cancelled}`: never backwards, never out of a final state."""
    job = job_of(mode, base_ms=base_ms, ordinal=ordinal, now_ms=0)
    events = sorted([*((ms, 0) for ms in cancels_ms), *((ms, 1) for ms in reads_ms)])
    seen = []
    for ms, is_read in events:
        if is_read:
            snapshot = snapshot_at(job, ms)
            assert snapshot.since_ms <= ms
            seen.append((snapshot.state, snapshot.since_ms))
        else:
            job = cancelled(job, now_ms=ms)
            assert snapshot_at(job, ms).is_final

    for was, now in pairwise(seen):
        assert was[0] not in FINAL_STATES or now == was
        assert now[0] is not State.QUEUED
    assert (State.CANCELLED in {state for state, _ in seen}) <= (job.cancelled_at_ms is not None)
