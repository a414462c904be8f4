"""Faults worked into a fate: which befall a job, and what they make of its timeline."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dummyllm.core.failure import SIM_FAIL
from dummyllm.core.fate import STARTED, Fate, unbent
from dummyllm.core.faults.kind import Kind
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Moment, State
from dummyllm.core.twist import with_faults
from tests.core.chaos import REQUEST, accepted, fault, one_step, policy_of, texts

OF_A_JOB = [kind for kind in KINDS.values() if kind.unit.value == "job"]
COUNTED = {
    "run.vanish", "poll.missing", "poll.unknown_state", "poll.stale", "poll.backwards",
    "poll.status", "poll.reset", "poll.slow",
}  # fmt: skip


def bent(mode: Mode, *faults: str, request: JobRequest = REQUEST, counts_reads: bool = False) -> Fate:
    """Return the fate of a job of *mode* with *faults* worked in."""
    fate = unbent(mode, None, 250, request.timeout_ms)
    return with_faults(fate, tuple(map(fault, faults)), request, counts_reads=counts_reads)


def test_a_fate_that_no_fault_befalls_stays_as_it_is() -> None:
    """Fates that are equal are one value."""
    assert bent(Mode.OK) == unbent(Mode.OK, None, 250, 8_000)
    assert bent(Mode.OK) is bent(Mode.OK)
    assert bent(Mode.OK, "cancel.ignored") is bent(Mode.OK, "cancel.ignored")


# ---- run.late


@pytest.mark.parametrize("mode", [mode for mode in WEIGHABLE_MODES if mode is not Mode.FLAKY])
def test_a_late_job_ends_ok_whatever_its_mode(mode: Mode) -> None:
    """Ends ok at factor × timeout_ms (1.05); it answers ok, just after your `timeout_ms`."""
    fate = bent(mode, "run.late", request=JobRequest("x", timeout_ms=2_000))

    assert fate.timeline == (*STARTED, Moment(2_100, State.OK))
    assert (fate.mode, fate.failure, fate.outcome) == (mode, None, State.OK)
    assert texts(fate.faults) == ["run.late"]


@pytest.mark.parametrize(("timeout_ms", "ends_at_ms"), [(0, 0), (1, 1), (8_000, 8_400), (86_400_000, 90_720_000)])
def test_a_late_job_counts_by_its_own_deadline(timeout_ms: int, ends_at_ms: int) -> None:
    """Two jobs of one payload may have two deadlines, and so two ends."""
    assert bent(Mode.OK, "run.late", request=JobRequest("x", timeout_ms=timeout_ms)).ends_at_ms == ends_at_ms


# ---- run.stuck_queued


@pytest.mark.parametrize("mode", [Mode.OK, Mode.FAIL, Mode.TIMEOUT, Mode.HANG])
def test_a_stuck_job_never_starts_whatever_its_mode(mode: Mode) -> None:
    """Never starts; what it would have failed with is gone with its end."""
    fate = bent(mode, "run.stuck_queued")

    assert fate.timeline == (Moment(0, State.QUEUED),)
    assert (fate.mode, fate.failure, fate.outcome, fate.ends_at_ms) == (mode, None, State.QUEUED, None)


# ---- run.vanish, and whose reads are counted


def test_a_vanishing_job_has_the_timeline_it_would_have_had() -> None:
    """404 after it existed; the plan goes on unseen."""
    fate, plain = bent(Mode.FAIL, "run.vanish(after_ms=70)"), bent(Mode.FAIL)

    assert (fate.timeline, fate.failure) == (plain.timeline, SIM_FAIL)
    assert (fate.vanishes_after_ms, plain.vanishes_after_ms) == (70, None)
    assert (fate.frees_slot_after_ms, plain.frees_slot_after_ms) == (70, 200)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.unit.value != "submit"])
def test_a_job_counts_its_reads_only_where_a_fault_asks_for_it(name: str) -> None:
    """A job counts its polls only when a fault of reads is in force."""
    assert bent(Mode.OK, KINDS[name].usage).counts_reads is (name in COUNTED)


def test_every_read_is_counted_where_any_may_be_befallen() -> None:
    """A fault of unit poll is drawn at the n-th status read, so n must be known."""
    assert not accepted(policy_of("cancel.ignored=0.0001")).fate.counts_reads
    assert accepted(policy_of("poll.reset=0.0001")).fate.counts_reads


# ---- exclusion


def test_of_faults_that_exclude_each_other_one_befalls_a_job() -> None:
    """Of those that exclude each other the first in the registry's order is served."""
    everything = ", ".join(f"{kind.usage}=100" for kind in reversed(OF_A_JOB))
    served = accepted(policy_of(everything)).fate.faults

    assert [one.kind.name for one in served] == [
        "run.vanish",
        "result.empty",
        "cancel.ignored",
        "poll.missing",
        "poll.stale",
    ]
    assert len({one.kind.excludes for one in served}) == len(served) == len({kind.excludes for kind in OF_A_JOB})


def test_a_fault_that_had_to_stand_back_leaves_no_trace() -> None:
    """Recorded as `drawn, not served`: the fate is that of the one that was served alone."""
    both, alone = (policy_of(text) for text in ("run.late=100, run.stuck_queued=100", "run.stuck_queued=100"))

    assert accepted(both).fate == accepted(alone).fate


@pytest.mark.parametrize(
    ("script", "drawn", "served"),
    [
        ("ok+run.late", "run.vanish=100", ["run.late"]),
        ("ok+cancel.status(503)", "cancel.ignored=100, cancel.lost_ack=100", ["cancel.status(503)"]),
        ("ok+run.late", "cancel.ignored=100", ["run.late", "cancel.ignored"]),
        ("ok+cancel.ignored", "run.late=100", ["run.late", "cancel.ignored"]),
        ("ok", "run.late=100", ["run.late"]),
    ],
)
def test_what_a_script_names_goes_before_what_is_drawn(script: str, drawn: str, served: list[str]) -> None:
    """Faults that a step names befall its job for certain, and drawn ones beside them if nothing excludes that."""
    assert texts(accepted(policy_of(drawn, script)).fate.faults) == served


@pytest.mark.parametrize(
    "script", ["hang+cancel.ignored+poll.stale+run.vanish", "hang+run.vanish+poll.stale+cancel.ignored"]
)
def test_the_order_in_which_a_script_names_faults_makes_no_other_fate(script: str) -> None:
    """One order of faults makes one fate, whether a script named them, chance did, or a recording."""
    drawn = policy_of("run.vanish=100, cancel.ignored=100, poll.stale=100", mode=Mode.HANG)

    assert one_step(script).fate == accepted(drawn).fate


# ---- laws


@settings(deadline=None)
@given(
    st.sampled_from([mode for mode in WEIGHABLE_MODES if mode is not Mode.FLAKY]),
    st.lists(st.sampled_from(OF_A_JOB), unique_by=lambda kind: kind.excludes),
    st.integers(0, 86_400_000),
)
def test_a_bent_fate_is_a_fate(mode: Mode, kinds: list[Kind], timeout_ms: int) -> None:
    """A failure comes with a bad end only; moments are in order; and who is told of nothing else keeps its timeline."""
    faults = [kind.usage for kind in kinds]
    request = JobRequest("x", timeout_ms=timeout_ms)
    fate, plain = bent(mode, *faults, request=request), bent(mode, request=request)

    assert (fate.failure is not None) == (fate.outcome in (State.FAIL, State.TIMEOUT))
    assert sorted(fate.timeline, key=lambda moment: moment.at_ms) == list(fate.timeline)
    if not any(text.startswith(("run.late", "run.stuck")) for text in faults):
        assert replace(fate, faults=(), vanishes_after_ms=None, counts_reads=False) == plain
