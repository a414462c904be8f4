"""Knows a job: a request, the fate it was given, and when it was accepted."""

from __future__ import annotations

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.fate import Fate, plan
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobId, JobRequest
from dummyllm.core.timeline import FINAL_STATES


class Job(msgspec.Struct, frozen=True, gc=False):
    """An accepted request. Times are epoch milliseconds; *policy* is what its fate came from."""

    id: JobId
    request: JobRequest
    identity: Identity
    ordinal: int
    fate: Fate
    policy: Policy
    accepted_at_ms: int
    cancelled_at_ms: int | None = None

    @property
    def ends_at_ms(self) -> int | None:
        """The instant at which the job ends or ended, or None while nothing is going to end it."""
        if self.cancelled_at_ms is not None:
            return self.cancelled_at_ms
        last = self.fate.timeline[-1]
        return self.accepted_at_ms + last.at_ms if last.state in FINAL_STATES else None


def make_job(policy: Policy, request: JobRequest, identity: Identity, now_ms: int, ordinal: int) -> Job:
    """Return the *ordinal*-th job of *identity*, accepted at *now_ms*, with its fate planned."""
    luck = Luck(policy.seed, identity, ordinal)
    fate = plan(policy, request, luck)
    return Job(luck.job_id(), request, identity, ordinal, fate, policy, now_ms)


def cancelled(job: Job, *, now_ms: int) -> Job:
    """Return *job* as it is after a cancel at *now_ms*: unchanged if it has ended, in this very millisecond too."""
    ends_at_ms = job.ends_at_ms
    if ends_at_ms is not None and ends_at_ms <= now_ms:
        return job
    return msgspec.structs.replace(job, cancelled_at_ms=now_ms)
