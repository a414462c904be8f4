"""Plans a job's whole life at the instant it is accepted.

A fate is a pure function of policy, request and counters, and it has no start time: it says what happens from the start
of the run. Asking about a job later only finds where on this plan the present falls.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

import msgspec
from msgspec.structs import force_setattr

from dummyllm.core.draw import Luck, site_of
from dummyllm.core.failure import SIM_FAIL, SIM_FLAKY, TIMEOUT, Failure
from dummyllm.core.latency import FIXED, latency_ms
from dummyllm.core.mode import Mode, Race, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Moment, State, Timeline, end_of

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault
    from dummyllm.core.script import Cue

SLOW_FACTOR = 6
FAIL_AFTER_MS_MAX = 200
TIMEOUT_AFTER_MS_MIN = 50
LATENCY_SITE = site_of("latency")


class Fate(msgspec.Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """All that will ever happen to a job unless it is cancelled.

    *faults* befall the job, in the order in which they are served; *vanishes_after_ms* counts from the start as the
    timeline does; *counts_reads* says that what a status read shows depends on how many there were before.
    """

    mode: Mode
    timeline: Timeline
    failure: Failure | None = None
    faults: tuple[Fault, ...] = ()
    vanishes_after_ms: int | None = None
    counts_reads: bool = False
    ends_at_ms: int | None = None
    """Milliseconds from the start of the run to its end, or None if it never ends; it follows from the timeline."""

    def __post_init__(self) -> None:
        force_setattr(self, "ends_at_ms", end_of(self.timeline))

    @property
    def outcome(self) -> State:
        """The state in which the job stays: `running` if it never ends."""
        return self.timeline[-1].state

    @property
    def frees_slot_after_ms(self) -> int | None:
        """Milliseconds from the start to when it runs no more: it has ended, or is gone. None is never."""
        ends = [ms for ms in (self.ends_at_ms, self.vanishes_after_ms) if ms is not None]
        return min(ends) if ends else None


class Turn(StrEnum):
    """Which way a flaky job goes."""

    FAIL = "fail"
    HANG = "hang"
    OK = "ok"

    __hash__ = str.__hash__


FLAKY = Race.of("flaky", {Turn.FAIL: 50, Turn.HANG: 20, Turn.OK: 30})


def plan(policy: Policy, request: JobRequest, luck: Luck, cue: Cue | None = None) -> Fate:
    """Return the fate that *policy* gives to *request*, with the *luck* of its identity and ordinal.

    In mode script the *cue* of the step says which mode it is, and which faults there are beside the drawn ones.
    """
    mode = policy.mode
    if mode is _RANDOM:
        mode = winner(policy.race, luck)
    elif cue is not None:
        mode = cue.mode
    turn = winner(FLAKY, luck) if mode is _FLAKY else None
    base_ms = policy.base_latency_ms
    if policy.shape is not FIXED:
        base_ms = latency_ms(base_ms, policy.shape, luck.at(LATENCY_SITE))
    fate = unbent(mode, turn, base_ms, request.timeout_ms)
    if policy.chaos is None:
        return fate
    return policy.chaos.twisted(fate, policy, request, luck, cue)


# Reading a member off its enum takes as long as a comparison does; these three are compared for every job.
_RANDOM, _FLAKY, _TIMEOUT = Mode.RANDOM, Mode.FLAKY, Mode.TIMEOUT


def unbent(mode: Mode, turn: Turn | None, base_ms: int, timeout_ms: int) -> Fate:
    """Return the fate of a job of *mode* that no fault befalls, where the latency is *base_ms*."""
    return _fate(mode, turn, base_ms, timeout_ms if mode is _TIMEOUT else 0)


# Fates that are equal are one value: a million jobs of mode ok share a single timeline.
@lru_cache(maxsize=4096)
def _fate(mode: Mode, turn: Turn | None, base_ms: int, timeout_ms: int) -> Fate:
    match mode:
        case Mode.OK | Mode.ECHO:
            return Fate(mode=mode, timeline=_ends(base_ms, State.OK))
        case Mode.SLOW:
            return Fate(mode=mode, timeline=_ends(SLOW_FACTOR * base_ms, State.OK))
        case Mode.FAIL:
            return Fate(mode=mode, timeline=_ends(min(FAIL_AFTER_MS_MAX, base_ms), State.FAIL), failure=SIM_FAIL)
        case Mode.TIMEOUT:
            end_ms = min(max(TIMEOUT_AFTER_MS_MIN, base_ms), max(TIMEOUT_AFTER_MS_MIN, timeout_ms))
            return Fate(mode=mode, timeline=_ends(end_ms, State.TIMEOUT), failure=TIMEOUT)
        case Mode.HANG:
            return Fate(mode=mode, timeline=STARTED)
        case Mode.FLAKY:
            return _flaky(turn, base_ms)
        case Mode.RANDOM | Mode.SCRIPT:
            raise AssertionError(f"what mode {mode.value} comes to is decided before a fate is made")
    assert_never(mode)


def _flaky(turn: Turn | None, base_ms: int) -> Fate:
    if turn is Turn.FAIL:
        return Fate(mode=Mode.FLAKY, timeline=_ends(base_ms, State.FAIL), failure=SIM_FLAKY)
    if turn is Turn.HANG:
        return Fate(mode=Mode.FLAKY, timeline=STARTED)
    return Fate(mode=Mode.FLAKY, timeline=_ends(base_ms, State.OK))


# The POST says queued and the first GET running, so both begin at 0.
STARTED: Timeline = (Moment(0, State.QUEUED), Moment(0, State.RUNNING))


def _ends(at_ms: int, state: State) -> Timeline:
    return (*STARTED, Moment(at_ms, state))
