"""no-concurrent-duplicate: no second job for work that is known to be under way."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf

from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, Work, by_whom

ID = "no-concurrent-duplicate"


def judge(run: Run) -> Evidence:
    """Look at every job that came while an earlier one of the same work was acknowledged and had not ended."""
    evidence = Evidence()
    for work in run.works:
        if len(work.stories) > 1:
            _judge_work(work, evidence)
    return evidence


def _judge_work(work: Work, evidence: Evidence) -> None:
    """Go through the jobs of *work* by their arrival; two heaps tell which of those before are known, and under way."""
    unknown: list[tuple[int, int, Story]] = []  # by their acknowledgement
    under_way: list[tuple[float, int, Story]] = []  # by the time at which their client is free of them
    knew_any = False
    for later in sorted(work.stories, key=lambda story: (story.accepted_ms, story.commit.seq)):
        now_ms = later.accepted_ms
        while unknown and unknown[0][0] <= now_ms:
            _, seq, known = heappop(unknown)
            heappush(under_way, (_free_ms(known), seq, known))
            knew_any = True
        while under_way and under_way[0][0] <= now_ms:
            heappop(under_way)
        evidence.premises += knew_any
        if under_way:
            evidence.convict(_finding(work, under_way[0][2], later), work)
        if later.acked_ms is not None and not later.is_suspended(ID):
            heappush(unknown, (later.acked_ms, later.commit.seq, later))


def _free_ms(story: Story) -> float:
    """Return when the job had ended, when its client first tried to cancel it, or was told that it is gone."""
    cancelled = [line.arrived_ms for line in story.cancels]
    return min([ms for ms in (story.ended_ms, story.told_gone_ms, *cancelled) if ms is not None], default=inf)


def _finding(work: Work, earlier: Story, later: Story) -> Finding:
    assert earlier.ack is not None, "only a job that its client knows of is in the way"
    passed_ms = later.accepted_ms - (earlier.acked_ms or 0)
    message = (
        f"{later.id} was submitted by {by_whom(later.commit)} while {earlier.id}, acknowledged {passed_ms} ms before, "
        "was still under way: the same work runs twice"
    )
    return Finding(message, (earlier.ack.seq, later.commit.seq), job=later.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="A job of some work is submitted after the acknowledgement of an earlier one was delivered, while that "
    "one has not ended, with no cancel attempted and no 404 or 410 delivered for it before.",
    means="One piece of work runs once at a time. A runner that is told that its job is under way waits for it, or "
    "gives it up first.",
    breaks="A visibility timeout that is shorter than the job; a retry on a slow poll; two workers that take the same "
    "message from a queue.",
    remedy="Renew the lease while the job runs, cancel before you submit again, and let one owner decide.",
    premise="A second job of the same work came after the acknowledgement of the first.",
    judge=judge,
)
