"""Decides what a submit comes to: a job, a fault instead of one, or a job whose answer a fault befalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dummyllm.core.draw import Luck
from dummyllm.core.job import Job, make_job
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault
    from dummyllm.core.script import Cue


class Bent(msgspec.Struct, frozen=True, gc=False):
    """A submit that a *fault* befell. *job* is None if it was refused before anything was committed.

    *moves_step* says that a script's own token refused it; *is_replay* that the job was there already.
    """

    job: Job | None
    fault: Fault | None
    hit: int
    policy: Policy
    moves_step: bool = False
    is_replay: bool = False


Outcome = Job | Bent
"""What a submit comes to."""


def job_of(outcome: Outcome) -> Job | None:
    """Return the job of *outcome*, or None if the submit was refused."""
    return outcome if isinstance(outcome, Job) else outcome.job


def moves_step(outcome: Outcome) -> bool:
    """Say whether *outcome* is one step of a script: a job, or what a script's own token refused."""
    return isinstance(outcome, Job) or outcome.job is not None or outcome.moves_step


def decide(
    policy: Policy, request: JobRequest, identity: Identity, now_ms: int, hit: int, ordinal: int, step: int
) -> Outcome:
    """Return what the submit of *request* comes to under *policy*.

    The work of its *identity* came *hit* times before, became a job *ordinal* times, and its script is at *step*.
    """
    if policy.chaos is None:
        return make_job(policy, request, identity, now_ms, ordinal)
    if policy.rules:
        policy = rule_policy(policy, request, ordinal)
    cue = policy.script.at(step) if policy.script is not None and policy.replay is None else None
    fault = submit_fault(policy, identity, hit, cue)
    if fault is not None and not fault.kind.befalls_answer:
        is_own = cue is not None and fault is cue.submit
        return Bent(None, fault, hit, policy, moves_step=is_own)
    job = make_job(policy, request, identity, now_ms, ordinal, cue)
    return job if fault is None else Bent(job, fault, hit, policy)


def rule_policy(policy: Policy, request: JobRequest, ordinal: int) -> Policy:
    """Return the policy of the first rule that matches, or *policy* itself."""
    return policy if policy.chaos is None else policy.chaos.policy_for(policy, request, ordinal)


def submit_fault(policy: Policy, identity: Identity, hit: int, cue: Cue | None = None) -> Fault | None:
    """Return the fault that befalls the *hit*-th submit of *identity*, or None.

    A script's own fault stands in the place of those that are drawn.
    """
    if policy.replay is not None:
        return policy.replay.submits.get((identity, hit))
    if cue is not None and cue.submit is not None:
        return cue.submit
    if policy.chaos is None or not policy.submit_odds:
        return None
    return policy.chaos.first_fired(policy.submit_odds, Luck(policy.seed, identity, hit))
