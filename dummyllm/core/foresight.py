"""Tells what will happen to a payload, submit after submit, without a server: it is all a function of counters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dummyllm.core.job import Job
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.submit import Bent, Outcome, decide, job_of, moves_step
from dummyllm.core.timeline import State


def outcomes(policy: Policy, request: JobRequest, identity: Identity, now_ms: int = 0) -> Iterator[tuple[int, Outcome]]:
    """Yield what the submits of *request* come to, one after another, without end, each with its hit."""
    hit = ordinal = step = 0
    while True:
        outcome = decide(policy, request, identity, now_ms, hit, ordinal, step)
        yield hit, outcome
        hit += 1
        ordinal += job_of(outcome) is not None
        step += moves_step(outcome)


def labels(outcome: Outcome) -> set[str]:
    """Return every word that is true of *outcome*: how it ends, the mode, and each fault that befalls it.

    It ends in `ok`, `fail`, `timeout`, or not at all: `hang`, or `refused`. The mode counts only where it says more.
    """
    faults = set()
    if isinstance(outcome, Bent) and outcome.fault is not None:
        faults = {outcome.fault.kind.name, outcome.fault.site}
    job = job_of(outcome)
    if job is None:
        return {"refused", *faults}
    return {_ending(job), *_manner(job), *faults, *(word for f in job.fate.faults for word in (f.kind.name, f.site))}


MANNERS = ("echo", "slow", "flaky")
ENDINGS = ("ok", "fail", "timeout", "hang", "refused")


def _ending(job: Job) -> str:
    state = job.fate.outcome
    return "hang" if state in (State.QUEUED, State.RUNNING) else state.value


def _manner(job: Job) -> tuple[str, ...]:
    mode = job.fate.mode.value
    return (mode,) if mode in MANNERS else ()


def with_seed(policy: Policy, seed: int) -> Policy:
    """Return *policy* under another *seed*."""
    rules = tuple(replace(rule, policy=replace(rule.policy, seed=seed)) for rule in policy.rules)
    return replace(policy, seed=seed, rules=rules)
