"""Fates: what befalls a job in each mode, and when, to the millisecond."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.core.draw import Luck, site_of
from dummyllm.core.failure import SIM_FAIL, SIM_FLAKY, TIMEOUT
from dummyllm.core.fate import Fate, plan, unbent
from dummyllm.core.job import Job, make_job
from dummyllm.core.latency import Lognormal, Uniform, latency_ms
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.script import Cue, read_script
from dummyllm.core.snapshot import snapshot_at
from dummyllm.core.timeline import FINAL_STATES, State

HERE = Identity(bytes(16))
ACCEPTED_AT_MS = 1_000_000
LATENCIES_MS = (0, 1, 49, 50, 199, 200, 201, 250, 10**6)


def job_of(mode: Mode, base_ms: int = 250, *, timeout_ms: int = 8000, ordinal: int = 0) -> Job:
    policy = Policy(mode=mode, base_latency_ms=base_ms)
    request = JobRequest("llm.chat", timeout_ms=timeout_ms)
    return make_job(policy, request, HERE, now_ms=ACCEPTED_AT_MS, ordinal=ordinal)


def assert_ends(job: Job, ends_at_ms: int, state: State, code: str | None) -> None:
    """Check what a client is told at the start, and at both sides of the edge, *ends_at_ms* after the acceptance."""
    assert job.fate.ends_at_ms == ends_at_ms
    assert job.fate.outcome is state
    if ends_at_ms > 0:
        for at_ms in (0, ends_at_ms - 1):
            before = snapshot_at(job, ACCEPTED_AT_MS + at_ms)
            assert (before.state, before.since_ms, before.failure) == (State.RUNNING, ACCEPTED_AT_MS, None)
    for at_ms in (ends_at_ms, ends_at_ms + 1, ends_at_ms + 10**12):
        after = snapshot_at(job, ACCEPTED_AT_MS + at_ms)
        assert (after.state, after.since_ms) == (state, ACCEPTED_AT_MS + ends_at_ms)
        assert (after.failure.code if after.failure else None) == code


def assert_never_ends(job: Job) -> None:
    assert job.fate.ends_at_ms is None
    assert job.fate.failure is None
    for at_ms in (0, 1, 86_400_000, 10**15):
        assert snapshot_at(job, ACCEPTED_AT_MS + at_ms).state is State.RUNNING


@pytest.mark.parametrize("mode", WEIGHABLE_MODES)
@pytest.mark.parametrize("base_ms", LATENCIES_MS)
def test_a_job_is_queued_then_running_then_at_its_end(mode: Mode, base_ms: int) -> None:
    """The POST says queued, the first GET running; nothing comes after the end."""
    moments = job_of(mode, base_ms).fate.timeline
    states = [moment.state for moment in moments]

    assert states[:2] == [State.QUEUED, State.RUNNING]
    assert [moment.at_ms for moment in moments[:2]] == [0, 0]
    assert len(states) <= 3
    assert all(state in FINAL_STATES for state in states[2:])
    assert sorted(moments, key=lambda moment: moment.at_ms) == list(moments)


@pytest.mark.parametrize("mode", [Mode.OK, Mode.ECHO])
@pytest.mark.parametrize("base_ms", LATENCIES_MS)
def test_ok_and_echo_end_when_the_base_latency_has_passed(mode: Mode, base_ms: int) -> None:
    """Used by ok/echo."""
    assert_ends(job_of(mode, base_ms), base_ms, State.OK, None)


@pytest.mark.parametrize("base_ms", LATENCIES_MS)
def test_slow_is_ok_with_six_times_the_latency(base_ms: int) -> None:
    """`slow` multiplies this by 6."""
    assert_ends(job_of(Mode.SLOW, base_ms), 6 * base_ms, State.OK, None)


@pytest.mark.parametrize(
    ("base_ms", "ends_at_ms"),
    [(0, 0), (1, 1), (49, 49), (50, 50), (199, 199), (200, 200), (201, 200), (250, 200), (10**6, 200)],
)
def test_fail_ends_at_the_base_latency_but_after_200_ms_at_most(base_ms: int, ends_at_ms: int) -> None:
    """`fail` (`SIM_FAIL`) at min(200, b)."""
    assert_ends(job_of(Mode.FAIL, base_ms), ends_at_ms, State.FAIL, "SIM_FAIL")


@pytest.mark.parametrize(
    ("base_ms", "timeout_ms", "ends_at_ms"),
    [
        (0, 8000, 50),
        (1, 8000, 50),
        (49, 8000, 50),
        (50, 8000, 50),
        (51, 8000, 51),
        (199, 8000, 199),
        (250, 8000, 250),
        (250, 251, 250),
        (250, 250, 250),
        (250, 249, 249),
        (250, 51, 51),
        (250, 50, 50),
        (250, 49, 50),
        (250, 0, 50),
        (0, 0, 50),
        (10**6, 8000, 8000),
        (10**6, 86_400_000, 10**6),
    ],
)
def test_timeout_ends_at_the_sooner_of_latency_and_deadline(base_ms: int, timeout_ms: int, ends_at_ms: int) -> None:
    """`timeout` (`TIMEOUT`) at min(max(50, b), max(50, timeout_ms))."""
    assert_ends(job_of(Mode.TIMEOUT, base_ms, timeout_ms=timeout_ms), ends_at_ms, State.TIMEOUT, "TIMEOUT")


@pytest.mark.parametrize("base_ms", LATENCIES_MS)
def test_hang_never_ends(base_ms: int) -> None:
    """Never completes (client must timeout)."""
    assert_never_ends(job_of(Mode.HANG, base_ms, timeout_ms=0))


@pytest.mark.parametrize("base_ms", LATENCIES_MS)
def test_flaky_ends_at_the_base_latency_or_never(base_ms: int) -> None:
    """`flaky` ends at b: half `SIM_FLAKY`, a fifth hang, the rest ok, by draw."""
    jobs = [job_of(Mode.FLAKY, base_ms, ordinal=ordinal) for ordinal in range(1_000)]
    for job in jobs[:50]:
        match job.fate.outcome:
            case State.OK:
                assert_ends(job, base_ms, State.OK, None)
            case State.FAIL:
                assert_ends(job, base_ms, State.FAIL, "SIM_FLAKY")
            case _:
                assert_never_ends(job)
    outcomes = Counter(job.fate.outcome for job in jobs)

    assert 440 < outcomes[State.FAIL] < 560
    assert 160 < outcomes[State.RUNNING] < 240
    assert 240 < outcomes[State.OK] < 360
    assert outcomes.total() == sum(outcomes[state] for state in (State.FAIL, State.RUNNING, State.OK))


@pytest.mark.parametrize("mode", [mode for mode in WEIGHABLE_MODES if mode is not Mode.TIMEOUT])
def test_only_mode_timeout_looks_at_the_deadline(mode: Mode) -> None:
    """The server does not enforce `timeout_ms` otherwise: the deadline is the runner's to keep."""
    assert job_of(mode, timeout_ms=0).fate == job_of(mode, timeout_ms=8000).fate


@pytest.mark.parametrize("mode", WEIGHABLE_MODES)
def test_random_gives_a_job_the_fate_of_the_mode_drawn(mode: Mode) -> None:
    """Weighted random per job; the fate says which mode it became, never random."""
    policy = Policy(mode=Mode.RANDOM, weights=((mode, 1),))
    fate = plan(policy, JobRequest("llm.chat"), Luck(1337, HERE, 0))

    assert fate == job_of(mode).fate
    assert fate.mode is mode


@pytest.mark.parametrize("mode", WEIGHABLE_MODES)
def test_script_gives_a_job_the_fate_of_the_mode_of_its_step(mode: Mode) -> None:
    """Fates by step: `fail,fail,ok`; the fate says which mode it became, never script."""
    policy = Policy(mode=Mode.SCRIPT, script=read_script(mode.value))
    fate = plan(policy, JobRequest("llm.chat"), Luck(1337, HERE, 0), Cue(mode, None, ()))

    assert fate == job_of(mode).fate
    assert fate.mode is mode


@pytest.mark.parametrize("mode", [Mode.RANDOM, Mode.SCRIPT])
def test_what_is_decided_before_is_no_fate(mode: Mode) -> None:
    """How a job itself fares is one of seven; the other two say how that is decided."""
    with pytest.raises(AssertionError, match=f"what mode {mode.value} comes to is decided before a fate is made"):
        unbent(mode, None, 250, 8_000)


@pytest.mark.parametrize(("mode", "times"), [(Mode.OK, 1), (Mode.ECHO, 1), (Mode.SLOW, 6)])
def test_a_shape_of_latency_gives_each_job_a_base_of_its_own(mode: Mode, times: int) -> None:
    """The inverse of its distribution at its own u; `slow` multiplies that by 6."""
    shape = Uniform(0.5, 1.5)
    policy = Policy(mode=mode, base_latency_ms=1_000, shape=shape)
    lucks = [Luck(1337, HERE, ordinal) for ordinal in range(200)]
    ends = [plan(policy, JobRequest("llm.chat"), luck).ends_at_ms for luck in lucks]

    assert ends == [times * latency_ms(1_000, shape, luck.at(site_of("latency"))) for luck in lucks]
    assert len(set(ends)) > 150


def test_a_shape_moves_no_mode_and_no_turn() -> None:
    """The site keeps draws apart."""
    fixed = Policy(mode=Mode.RANDOM, weights=tuple((mode, 1) for mode in WEIGHABLE_MODES))
    shaped = Policy(mode=Mode.RANDOM, weights=fixed.weights, shape=Lognormal(8))
    lucks = [Luck(1337, HERE, ordinal) for ordinal in range(300)]
    pairs = [tuple(plan(policy, JobRequest("x"), luck) for policy in (fixed, shaped)) for luck in lucks]

    assert all((was.mode, was.outcome) == (now.mode, now.outcome) for was, now in pairs)
    assert sum(was.ends_at_ms != now.ends_at_ms for was, now in pairs) > 100


def test_a_fate_frees_its_slot_when_it_has_ended_or_is_gone() -> None:
    """Milliseconds from the start to when it runs no more; None is never."""
    ok, hang = job_of(Mode.OK).fate, job_of(Mode.HANG).fate

    assert (ok.frees_slot_after_ms, hang.frees_slot_after_ms) == (250, None)
    assert [replace(ok, vanishes_after_ms=ms).frees_slot_after_ms for ms in (249, 251)] == [249, 250]
    assert replace(hang, vanishes_after_ms=0).frees_slot_after_ms == 0


def test_all_weights_zero_is_ok() -> None:
    """If all weights are zero → defaults to `ok`."""
    policy = Policy(mode=Mode.RANDOM, weights=tuple((mode, 0) for mode in WEIGHABLE_MODES))

    assert plan(policy, JobRequest("llm.chat"), Luck(1337, HERE, 0)) == job_of(Mode.OK).fate


def test_a_failure_says_what_happened() -> None:
    """The code a runner branches on and the sentence a person reads."""
    assert job_of(Mode.FAIL).fate.failure == SIM_FAIL
    assert job_of(Mode.TIMEOUT).fate.failure == TIMEOUT
    assert {fate.failure for fate in flaky_fates()} == {SIM_FLAKY, None}
    assert all(failure.message and failure.code.isupper() for failure in (SIM_FAIL, TIMEOUT, SIM_FLAKY))


def flaky_fates() -> list[Fate]:
    return [job_of(Mode.FLAKY, ordinal=ordinal).fate for ordinal in range(40)]


@settings(deadline=None)
@given(
    st.sampled_from([*WEIGHABLE_MODES, Mode.RANDOM]),
    st.integers(0, 86_400_000),
    st.integers(0, 86_400_000),
    st.integers(0, 2**40),
)
def test_a_fate_is_a_pure_function(mode: Mode, base_ms: int, timeout_ms: int, ordinal: int) -> None:
    """Not of arrival, clock or process: planned twice it is the same; and a failure comes with a bad end only."""
    job = job_of(mode, base_ms, timeout_ms=timeout_ms, ordinal=ordinal)
    fate = job.fate

    assert job_of(mode, base_ms, timeout_ms=timeout_ms, ordinal=ordinal) == job
    assert (fate.failure is not None) == (fate.outcome in (State.FAIL, State.TIMEOUT))
    assert fate.mode is not Mode.RANDOM
    assert fate.ends_at_ms is None or 0 <= fate.ends_at_ms <= 6 * 86_400_000
