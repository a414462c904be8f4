"""What is known of a payload beforehand: each submit, its job, and everything that will befall either."""

from __future__ import annotations

from itertools import islice

import msgspec

from dummyllm.assembly import replies_of
from dummyllm.core.decision import (
    Decision,
    FaultDecision,
    LatencyDecision,
    decisions_of,
    job_decisions,
    latency_decision,
    read_decisions,
    submit_decisions,
)
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of, identity_of
from dummyllm.core.foresight import outcomes
from dummyllm.core.job import Job
from dummyllm.core.request import JobRequest
from dummyllm.core.submit import Bent, Outcome, job_of
from dummyllm.core.timeline import State
from dummyllm.settings import Settings
from dummyllm.web.encode import FateView, fate_view

READS_TOLD = 10


class Submit(msgspec.Struct, frozen=True):
    """What one submit comes to. Without a job it was refused, by *fault*; *reply* is null unless the job ends well.

    *reads* tells what befalls the first ten status reads.
    """

    hit: int
    ordinal: int | None
    id: str | None
    rule: str | None
    fault: str | None
    fate: FateView | None
    reply: str | None
    reads: tuple[str, ...]
    draws: tuple[Decision, ...]
    faults: tuple[FaultDecision, ...]
    latency: LatencyDecision | None = None


class Foretold(msgspec.Struct, frozen=True):
    """What befalls the payload, time after time."""

    fingerprint: str
    identity: str
    identity_kind: IdentityKind
    seed: int
    submits: tuple[Submit, ...]


def foretell(request: JobRequest, settings: Settings, times: int) -> Foretold:
    """Return what the first *times* submits of *request* come to in a server with *settings*."""
    policy, replies = settings.policy, replies_of(settings)
    identity = identity_of(settings.identity, request)

    def told(hit: int, outcome: Outcome) -> Submit:
        bent = outcome if isinstance(outcome, Bent) else None
        job = job_of(outcome)
        fault = bent.fault.text if bent is not None and bent.fault is not None else None
        its_policy = job.policy if job is not None else outcome.policy
        faults = submit_decisions(its_policy, identity, hit, fault)
        if job is None:
            return Submit(hit, None, None, its_policy.rule, fault, None, None, (), (), faults)
        reply = replies.reply_to(job).text if job.fate.outcome is State.OK else None
        return Submit(
            hit, job.ordinal, job.id, its_policy.rule, fault, fate_view(job), reply, tuple(_reads(job)),
            decisions_of(its_policy, identity, job.ordinal, job.fate.mode), (*faults, *job_decisions(job)),
            latency_decision(its_policy, identity, job.ordinal),
        )  # fmt: skip

    return Foretold(
        fingerprint=fingerprint_of(request).hex(),
        identity=identity.hex(),
        identity_kind=settings.identity,
        seed=settings.seed,
        submits=tuple(told(hit, outcome) for hit, outcome in islice(outcomes(policy, request, identity), times)),
    )


def _reads(job: Job) -> list[str]:
    """Return what befalls the first reads of *job*, such as `read 2: poll.status(503)`."""
    found = []
    for n in range(READS_TOLD if job.fate.counts_reads else 0):
        forced = [fault.text for fault in job.fate.faults if fault.kind.unit.value == "poll"] if n == 0 else []
        drawn = [decision.fault for decision in read_decisions(job, n, None) if decision.fired]
        found += [f"read {n}: {text}" for text in (*forced, *drawn)[:1]]
    return found
