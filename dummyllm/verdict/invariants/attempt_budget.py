"""attempt-budget: work that fails is tried again a bounded number of times."""

from __future__ import annotations

from dummyllm.core.timeline import State
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, Work, is_lost, is_refused

ID = "attempt-budget"


def judge(run: Run) -> Evidence:
    """Count the acknowledged jobs of every piece of work that is known to have gone wrong at least once."""
    evidence = Evidence()
    limits = run.limits
    most = limits.attempts_warn if limits.attempts_max is None else limits.attempts_max
    for work in run.works:
        if work.is_suspended(ID) or not work.failures:
            continue
        evidence.premises += 1
        jobs = [story for story in work.stories if story.ack is not None and not story.is_suspended(ID)]
        if len(jobs) <= most:
            continue
        finding = _finding(work, jobs, most)
        if limits.attempts_max is None:
            evidence.warnings.append(finding)
        else:
            evidence.convict(finding, work)
    return evidence


def _finding(work: Work, jobs: list[Story], most: int) -> Finding:
    by_sdk = sum(line.retries > 0 for line in work.submits)
    attempts = f"{len(work.submits)} attempts" + (f", {by_sdk} of them by the runner's SDK" if by_sdk else "")
    message = f"one piece of work became {len(jobs)} jobs in {attempts}; {most} are enough"
    return Finding(message, _entries(work, jobs[: most + 1]), job=jobs[most].id, logical_job=work.name)


def _entries(work: Work, jobs: list[Story]) -> tuple[int, ...]:
    """Return the acceptances of one job too many; if none of them went wrong, the submit that did as well."""
    accepted = {story.commit.seq for story in jobs}
    if not any(story.ended_ms is not None and story.ended_as is not State.OK for story in jobs):
        accepted.update([line.seq for line in work.submits if is_refused(line) or is_lost(line)][:1])
    return tuple(sorted(accepted))


INVARIANT = Invariant(
    id=ID,
    kind=Kind.DECLARED,
    fails_when="A piece of work that went wrong at least once becomes more jobs than DUMMYLLM_VERDICT_ATTEMPTS_MAX. "
    "Without that setting more than 10 are warned of.",
    means="Work that fails every time is given up after so many attempts, and clearly: its failure is reported, not "
    "tried for ever.",
    breaks="Several layers that all try again, so that their attempts multiply; a queue without a dead-letter rule; a "
    "counter that is kept in memory and begins anew with every restart.",
    remedy="Let one layer try again, and keep its count beside the work.",
    premise="A piece of work went wrong at least once: a submit was refused or lost, or a job ended otherwise than ok.",
    judge=judge,
)
