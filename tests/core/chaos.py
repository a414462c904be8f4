"""Policies, faults and jobs for the tests of chaos, out of the texts that an operator writes."""

from __future__ import annotations

from typing import Any

from dummyllm.core.faults.drawn import odds_of
from dummyllm.core.faults.fault import Fault, fault_of, faults_of
from dummyllm.core.faults.kind import Unit
from dummyllm.core.grammar import parse_faults
from dummyllm.core.job import Job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.script import read_script
from dummyllm.core.submit import Outcome, decide, job_of

HERE = Identity(bytes(16))
REQUEST = JobRequest("llm.chat", b'{"model":"m","messages":[]}')
NOW_MS = 1_000


def fault(text: str) -> Fault:
    """Return the fault that *text* spells."""
    (item,) = parse_faults(f"{text}=100")
    return fault_of(item.call)


def listed(text: str) -> tuple[tuple[Fault, int], ...]:
    """Return the faults of a `DUMMYLLM_FAULTS` that says *text*, with their millionths."""
    return faults_of(parse_faults(text)) if text else ()


def policy_of(faults: str = "", script: str = "", **chosen: Any) -> Policy:
    """Return the policy of a server with these *faults*, this *script*, and whatever else is *chosen*."""
    odds: dict[str, Any] = {f"{unit.value}_odds": odds_of(listed(faults), unit) for unit in Unit}
    if script:
        odds |= {"mode": Mode.SCRIPT, "script": read_script(script)}
    return Policy(**(odds | chosen))


def outcome_of(
    policy: Policy, hit: int = 0, ordinal: int = 0, step: int = 0, *, request: JobRequest = REQUEST
) -> Outcome:
    """Return what the submit of *request* comes to under *policy*, at these counters."""
    return decide(policy, request, HERE, NOW_MS, hit, ordinal, step)


def accepted(policy: Policy, ordinal: int = 0, step: int = 0, *, request: JobRequest = REQUEST) -> Job:
    """Return the job that the submit of *request* makes under *policy*."""
    job = job_of(outcome_of(policy, ordinal, ordinal, step, request=request))
    assert job is not None, "the submit was refused"
    return job


def one_step(script: str, *, request: JobRequest = REQUEST, **chosen: Any) -> Job:
    """Return the job of the first step of *script*, accepted and started at 1,000 ms."""
    return accepted(policy_of(script=script, **chosen), request=request)


def texts(faults: tuple[Fault, ...]) -> list[str]:
    return [fault.text for fault in faults]
