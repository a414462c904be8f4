"""Turns what the backend says into the bytes of an answer. The structs here are the wire format, field by field."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from dummyllm.core.canonical import minified
from dummyllm.core.failure import Failure
from dummyllm.core.fingerprint import fingerprint_of
from dummyllm.core.job import Job
from dummyllm.core.mode import Mode
from dummyllm.core.snapshot import Snapshot
from dummyllm.core.timeline import Moment, State
from dummyllm.replies import Reply

Seconds = Annotated[int, Meta(description="whole Unix seconds")]
Id = Annotated[str, Meta(pattern="^job_[0-9a-f]{24}$")]

encode = msgspec.json.Encoder().encode


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """What a POST answers."""

    id: Id
    state: Literal["queued"]
    created_at: Seconds


class JobView(msgspec.Struct, frozen=True, gc=False):
    """What a GET of a job answers: *result* when it ended well, *error* when it ended badly."""

    id: Id
    state: State
    created_at: Seconds
    updated_at: Seconds
    result: Reply | None
    error: Failure | None


class OddView(msgspec.Struct, frozen=True, gc=False):
    """What a GET of a job answers where a fault shows a state that nobody documented."""

    id: str
    state: str
    created_at: Seconds
    updated_at: Seconds
    result: None = None
    error: None = None


class Cancelled(msgspec.Struct, frozen=True, gc=False):
    """What a cancel answers: the state the job is in now."""

    id: Id
    state: State


class FateView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was planned for a job at the instant it was accepted; milliseconds count from there."""

    mode: Mode
    outcome: State
    timeline: tuple[Moment, ...]
    failure: Failure | None
    faults: tuple[str, ...] = ()
    vanishes_after_ms: int | None = None
    rule: str | None = None


class RequestView(msgspec.Struct, frozen=True):
    """What a job was asked to do, as it was sent, and what was decided about it."""

    op: str
    args: msgspec.Raw
    timeout_ms: int
    trace_id: str | None
    chosen_mode: Mode
    base_latency_ms: int
    seed: int
    random_weights: dict[str, int] | None
    fingerprint: str
    ordinal: int
    payload_sha256: str
    fate: FateView


def fate_view(job: Job) -> FateView:
    """Return what was planned for *job*."""
    fate = job.fate
    faults = tuple(fault.text for fault in fate.faults)
    return FateView(
        fate.mode, fate.outcome, fate.timeline, fate.failure, faults, fate.vanishes_after_ms, job.policy.rule
    )


def accepted(job: Job) -> bytes:
    """Return the answer to the submit that made *job*."""
    return encode(Accepted(job.id, "queued", job.accepted_at_ms // 1000))


def job_view(job: Job, snapshot: Snapshot, reply: Reply | None) -> bytes:
    """Return what a read of *job* shows."""
    return encode(
        JobView(job.id, snapshot.state, job.accepted_at_ms // 1000, snapshot.since_ms // 1000, reply, snapshot.failure)
    )


def odd_view(job: Job, snapshot: Snapshot, shown: str) -> bytes:
    """Return what a read of *job* shows when a fault puts the state *shown* in the place of the true one."""
    return encode(OddView(job.id, shown, job.accepted_at_ms // 1000, snapshot.since_ms // 1000))


def cancel_view(job: Job, snapshot: Snapshot) -> bytes:
    """Return what a cancel of *job* answers."""
    return encode(Cancelled(job.id, snapshot.state))


def request_view(job: Job) -> bytes:
    """Return what *job* was asked to do; `args` are the client's bytes without insignificant white space."""
    request, policy, fate = job.request, job.policy, job.fate
    args = minified(request.args)
    return encode(
        RequestView(
            op=request.op,
            args=msgspec.Raw(args),
            timeout_ms=request.timeout_ms,
            trace_id=request.trace_id,
            chosen_mode=fate.mode,
            base_latency_ms=policy.base_latency_ms,
            seed=policy.seed,
            random_weights=policy.random_weights,
            fingerprint=fingerprint_of(request).hex(),
            ordinal=job.ordinal,
            payload_sha256=sha256(args).hexdigest(),
            fate=fate_view(job),
        )
    )
