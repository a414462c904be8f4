"""Knows a job: a request, the fate it was given, and the few things that are written down about it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.fate import Fate, plan
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobId, JobRequest

if TYPE_CHECKING:
    from dummyllm.core.script import Cue


class Job(msgspec.Struct, frozen=True, gc=False):
    """An accepted request. Times are epoch milliseconds; *policy* is what its fate came from.

    Four things are written after acceptance: the start, where jobs wait for a slot; a cancel; how often it was read, if
    its fate asks for that; and its own clock, where jobs have one.
    """

    id: JobId
    request: JobRequest
    identity: Identity
    ordinal: int
    fate: Fate
    policy: Policy
    accepted_at_ms: int
    started_at_ms: int | None
    cancelled_at_ms: int | None = None
    cancels: int = 0
    reads: int = 0
    end_reads: int = 0
    own_ms: int = 0
    key: str | None = None

    @property
    def planned_end_ms(self) -> int | None:
        """The instant at which its fate ends it, or None if that is never, or not settled."""
        after_ms = self.fate.ends_at_ms
        return None if after_ms is None or self.started_at_ms is None else self.started_at_ms + after_ms

    @property
    def ends_at_ms(self) -> int | None:
        """The instant at which the job ends or ended, or None while nothing is going to end it."""
        cancelled_ms, after_ms = self.cancelled_at_ms, self.fate.ends_at_ms
        planned_ms = None if after_ms is None or self.started_at_ms is None else self.started_at_ms + after_ms
        if cancelled_ms is None or (planned_ms is not None and planned_ms <= cancelled_ms):
            return planned_ms
        return cancelled_ms

    @property
    def over_at_ms(self) -> int | None:
        """The instant from which nobody gets to see it change: it has ended, or is not to be found. None is never."""
        ends_at_ms, after_ms, started_at_ms = self.ends_at_ms, self.fate.vanishes_after_ms, self.started_at_ms
        if after_ms is None or started_at_ms is None:
            return ends_at_ms
        gone_at_ms = started_at_ms + after_ms
        return gone_at_ms if ends_at_ms is None else min(gone_at_ms, ends_at_ms)

    @property
    def read_moves_ms(self) -> int:
        """By how much a status read moves its own clock, where it has one: half of the base latency, and something."""
        policy = self.policy
        base_ms = policy.base_latency_ms
        if policy.replay is not None:
            course = policy.replay.course(self.identity, self.ordinal, base_ms)
            base_ms = base_ms if course.base_ms is None else course.base_ms
        return max(1, (base_ms + 1) // 2)

    def has_vanished(self, now_ms: int) -> bool:
        """Say whether the job is not to be found any more at *now_ms*."""
        after_ms, started_at_ms = self.fate.vanishes_after_ms, self.started_at_ms
        return after_ms is not None and started_at_ms is not None and now_ms >= started_at_ms + after_ms


def make_job(
    policy: Policy, request: JobRequest, identity: Identity, now_ms: int, ordinal: int, cue: Cue | None = None
) -> Job:
    """Return the *ordinal*-th job of *identity*, accepted and started at *now_ms*, with its fate planned."""
    luck = Luck(policy.seed, identity, ordinal)
    if policy.replay is None:
        fate = plan(policy, request, luck, cue)
    else:
        fate = policy.replay.fate(policy.base_latency_ms, request, identity, ordinal)
    return Job(luck.job_id(), request, identity, ordinal, fate, policy, now_ms, now_ms)
