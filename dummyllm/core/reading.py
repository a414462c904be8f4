"""Decides what a status read shows: the truth, or what a fault makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from dummyllm.core.draw import Luck
from dummyllm.core.job import Job
from dummyllm.core.snapshot import Snapshot, snapshot_at
from dummyllm.core.timeline import FINAL_STATES, State, moment_at

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault


class Reading(msgspec.Struct, frozen=True):
    """What one status read shows of *job*, which is as it is after the read.

    *snapshot* None is a job that is not found; *shown* is a state that nobody documented; *fault* is what befell the
    read, and *bend* the same fault if it befalls the answer. *n* counts the reads from 0, or is None if nobody counts.
    """

    job: Job
    snapshot: Snapshot | None
    n: int | None
    fault: Fault | None = None
    bend: Fault | None = None
    shown: str | None = None


def read(job: Job, now_ms: int) -> Reading:
    """Return what the next status read of *job*, whose fate asks for a count of them, shows at *now_ms*."""
    n = job.reads
    after = replace(job, reads=n + 1)
    bend = _bend_at(job, n)
    if bend is not None and not bend.kind.befalls_answer:
        return Reading(after, snapshot_at(job, now_ms), n, fault=bend, bend=bend)
    reading = _shown(job, after, now_ms, n)
    if bend is None or reading.snapshot is None:
        return reading
    return replace(reading, fault=bend, bend=bend)


def plain_reading(job: Job, now_ms: int) -> Reading:
    """Return what a status read of a *job* whose fate asks for no count shows at *now_ms*."""
    if job.has_vanished(now_ms):
        return Reading(job, None, None, fault=vanishing(job))
    return Reading(job, snapshot_at(job, now_ms), None)


def _shown(job: Job, after: Job, now_ms: int, n: int) -> Reading:
    from dummyllm.core.faults.effect import Hide, Lag, Mask  # noqa: PLC0415  # faults are fetched when there are some

    if job.has_vanished(now_ms):
        return Reading(after, None, n, fault=vanishing(job))
    snapshot = snapshot_at(job, now_ms)
    for fault in job.fate.faults:
        effect = fault.effect
        if isinstance(effect, Hide) and n < effect.reads:
            return Reading(after, None, n, fault=fault)
        if isinstance(effect, Mask) and n < effect.reads:
            return Reading(after, snapshot, n, fault=fault, shown=effect.name)
        if isinstance(effect, Lag) and snapshot.is_final:
            after = replace(after, end_reads=job.end_reads + 1)
            if effect.first <= job.end_reads < effect.first + effect.reads:
                return Reading(after, before_the_end(job), n, fault=fault)
    return Reading(after, snapshot, n)


def before_the_end(job: Job) -> Snapshot:
    """Return what *job* looked like in the millisecond before it ended."""
    ends_at_ms, started_at_ms = job.ends_at_ms, job.started_at_ms
    assert ends_at_ms is not None, f"{job.id} never ends"
    if started_at_ms is None:
        return Snapshot(State.QUEUED, job.accepted_at_ms)
    before = [moment for moment in job.fate.timeline if moment.state not in FINAL_STATES]
    moment = moment_at(tuple(before), max(0, ends_at_ms - 1 - started_at_ms))  # a job may end in its first millisecond
    return Snapshot(moment.state, started_at_ms + moment.at_ms)


def vanishing(job: Job) -> Fault | None:
    """Return the fault that makes *job* vanish, if one does."""
    return next((fault for fault in job.fate.faults if fault.kind.name == "run.vanish"), None)


def _bend_at(job: Job, n: int) -> Fault | None:
    """Return the fault that befalls the *n*-th read itself. One of a script's step befalls the first read."""
    from dummyllm.core.faults.drawn import fired_at_read  # noqa: PLC0415
    from dummyllm.core.faults.kind import Unit  # noqa: PLC0415

    policy = job.policy
    if policy.replay is not None:
        return policy.replay.reads.get((job.identity, job.ordinal, n))
    forced = [fault for fault in job.fate.faults if fault.kind.unit is Unit.POLL] if n == 0 else []
    if not policy.poll_odds:
        return forced[0] if forced else None
    return next(
        iter((*forced, *fired_at_read(policy.poll_odds, Luck(policy.seed, job.identity, job.ordinal), n))), None
    )
