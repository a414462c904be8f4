"""deadline-honoured: nobody goes on asking long after the time that they set themselves."""

from __future__ import annotations

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, is_delivered

ID = "deadline-honoured"


def judge(run: Run) -> Evidence:
    """Look at every job that outlived its deadline, and at how long its client went on asking."""
    evidence = Evidence()
    if not run.is_by_wall:
        return evidence
    for story in run.acked:
        deadline_ms = story.accepted_ms + story.timeout_ms
        if not story.timeout_ms or story.is_suspended(ID) or story.is_over(deadline_ms) or run.end_ms < deadline_ms:
            continue
        evidence.premises += 1
        late = _late(run, story, deadline_ms)
        if late is not None:
            evidence.breaches.append(_finding(run, story, late, deadline_ms))
    return evidence


def _late(run: Run, story: Story, deadline_ms: int) -> Line | None:
    """Return the first read that came too late while the job was under way, with no cancel tried before, or None.

    Whoever asks seldom gets twice as long as their longest gap so far. A failed read counts for nothing.
    """
    limits = run.limits
    grace_ms = max(limits.deadline_grace_ms, story.timeout_ms * limits.deadline_grace_percent // 100)
    longest_ms, last_ms = 0, story.accepted_ms
    for read in sorted(story.reads, key=lambda line: (line.arrived_ms, line.seq)):
        if read.status != 200 or not is_delivered(read):
            continue
        if story.is_over(read.arrived_ms) or _has_cancelled(story, read.arrived_ms):
            return None
        if read.arrived_ms > deadline_ms + max(grace_ms, 2 * longest_ms):
            return read
        longest_ms, last_ms = max(longest_ms, read.arrived_ms - last_ms), read.arrived_ms
    return None


def _has_cancelled(story: Story, at_ms: int) -> bool:
    return bool(story.cancels) and min(line.arrived_ms for line in story.cancels) <= at_ms


def _finding(run: Run, story: Story, late: Line, deadline_ms: int) -> Finding:
    message = (
        f"{story.id} had {story.timeout_ms} ms and was still asked about {late.arrived_ms - deadline_ms} ms after "
        "that, and no cancel was tried before"
    )
    work = run.work_of_story[story.id]
    return Finding(message, (story.commit.seq, late.seq), job=story.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="A read of a job that is under way comes later after its acceptance than timeout_ms and the longest of "
    "1 s, twice the longest earlier gap and a tenth of timeout_ms, with no cancel attempted before; on the wall's "
    "clock only.",
    means="A deadline is kept whatever the backend does: the job is cancelled then, and reported as out of time.",
    breaks="A deadline that only bounds one request; one that begins anew with every answer; a loop that waits for an "
    "end and nothing else.",
    remedy="Fix the instant when you submit, look at it before every read, and cancel when it has passed.",
    premise="An acknowledged job with a timeout_ms was still under way when that had passed, on the wall's clock.",
    judge=judge,
)
