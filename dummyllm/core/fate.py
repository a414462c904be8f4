"""Plans a job's whole life at the instant it is accepted.

A fate is a pure function of policy, request and ordinal, and it has no start time: it says what happens from the start
of the run. Asking about a job later only finds where on this plan the present falls.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import assert_never

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.failure import SIM_FAIL, SIM_FLAKY, TIMEOUT, Failure
from dummyllm.core.mode import Mode, Race, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Moment, State, Timeline, end_of

SLOW_FACTOR = 6
FAIL_AFTER_MS_MAX = 200
TIMEOUT_AFTER_MS_MIN = 50


class Fate(msgspec.Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """All that will ever happen to a job unless it is cancelled."""

    mode: Mode
    timeline: Timeline
    failure: Failure | None = None

    @property
    def outcome(self) -> State:
        """The state in which the job stays: `running` if it never ends."""
        return self.timeline[-1].state

    @property
    def ends_at_ms(self) -> int | None:
        """Milliseconds from the start of the run to its end, or None if it never ends."""
        return end_of(self.timeline)


class Turn(StrEnum):
    """Which way a flaky job goes."""

    FAIL = "fail"
    HANG = "hang"
    OK = "ok"

    __hash__ = str.__hash__


FLAKY = Race.of("flaky", {Turn.FAIL: 50, Turn.HANG: 20, Turn.OK: 30})


def plan(policy: Policy, request: JobRequest, luck: Luck) -> Fate:
    """Return the fate that *policy* gives to *request*, with the *luck* of its identity and ordinal."""
    mode = policy.mode
    if mode is _RANDOM:
        mode = winner(policy.race, luck)
    turn = winner(FLAKY, luck) if mode is _FLAKY else None
    timeout_ms = request.timeout_ms if mode is _TIMEOUT else 0
    return _fate(mode, turn, policy.base_latency_ms, timeout_ms)


# Reading a member off its enum takes as long as a comparison does; these three are compared for every job.
_RANDOM, _FLAKY, _TIMEOUT = Mode.RANDOM, Mode.FLAKY, Mode.TIMEOUT


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
        case Mode.RANDOM:
            raise AssertionError("mode random is drawn before a fate is made")
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
