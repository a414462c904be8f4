"""Finds where on a job's plan the present falls."""

from __future__ import annotations

import msgspec

from dummyllm.core.failure import CANCELLED, Failure
from dummyllm.core.job import Job
from dummyllm.core.timeline import FINAL_STATES, State, moment_at


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """What a client is told at one instant; *since_ms* is the epoch millisecond at which the state began."""

    state: State
    since_ms: int
    failure: Failure | None = None

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.state in FINAL_STATES


def snapshot_at(job: Job, now_ms: int) -> Snapshot:
    """Return what *job* looks like at the epoch millisecond *now_ms*."""
    cancelled_at_ms = job.cancelled_at_ms
    if cancelled_at_ms is not None and now_ms >= cancelled_at_ms:
        planned_ms = job.planned_end_ms
        if planned_ms is None or planned_ms > cancelled_at_ms:
            return Snapshot(State.CANCELLED, cancelled_at_ms, CANCELLED)
    started_at_ms = job.started_at_ms
    if started_at_ms is None or now_ms < started_at_ms:
        return Snapshot(State.QUEUED, job.accepted_at_ms)
    moment = moment_at(job.fate.timeline, now_ms - started_at_ms)
    state = moment.state
    failure = job.fate.failure if state in FINAL_STATES else None
    return Snapshot(state, started_at_ms + moment.at_ms, failure)
