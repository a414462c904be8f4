"""cancel-follow-through: a cancel that has not taken effect is followed to its end."""

from __future__ import annotations

from bisect import bisect_left

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.reaction import may_have_told_end
from dummyllm.verdict.run import FINAL, Run, Story, Work, by_whom, done_ms, is_delivered, is_lost

ID = "cancel-follow-through"


def judge(run: Run) -> Evidence:
    """Look at every cancel that was answered with a job still under way, and at what its client did then."""
    evidence = Evidence()
    for work in run.works:
        softs = [(story, soft) for story in work.stories if (soft := _soft_cancel(story)) is not None]
        jobs = sorted((story.commit for story in work.stories), key=lambda line: line.arrived_ms) if softs else []
        arrivals = [line.arrived_ms for line in jobs]
        for story, soft in softs:
            evidence.premises += 1
            start = bisect_left(arrivals, done_ms(soft))
            again = jobs[start] if start < len(jobs) else None
            if again is not None and again.arrived_ms < _free_ms(run, story, soft):
                evidence.convict(_resubmitted(work, story, soft, again), work)
            elif not _was_followed(story, soft):
                open_ = _unfollowed(work, story, soft)
                (evidence.warnings if run.is_final else evidence.pending).append(open_)
    return evidence


def _soft_cancel(story: Story) -> Line | None:
    """Return the first cancel whose answer is known to have shown the job still under way, or None."""
    if story.ack is None or story.is_suspended(ID):
        return None
    soft = (line for line in story.cancels if line.status == 200 and line.state not in FINAL)
    return next(filter(is_delivered, soft), None)


def _free_ms(run: Run, story: Story, soft: Line) -> int:
    """Return from when on the work may be submitted again: its client may know the end, or has waited long enough."""
    known = [done_ms(line) for line in story.answers if may_have_told_end(line)]
    known += [done_ms(line) for line in story.contacts if line.status in (404, 410) and not is_lost(line)]
    return min([done_ms(soft) + run.limits.cancel_follow_ms, *known])


def _was_followed(story: Story, soft: Line) -> bool:
    """Say whether anybody asked about the job after *soft*, or was told of its end by what had asked before."""
    later = (line for line in story.answers if line is not soft and line.arrived_ms >= done_ms(soft))
    return story.may_have_been_told or any(True for _ in later)


def _resubmitted(work: Work, story: Story, soft: Line, again: Line) -> Finding:
    message = (
        f"the cancel of {story.id} was answered with {soft.state}; {again.arrived_ms - done_ms(soft)} ms later, before "
        f"its end was told, {by_whom(again)} submitted the work again"
    )
    return Finding(message, (soft.seq, again.seq), job=again.job, logical_job=work.name)


def _unfollowed(work: Work, story: Story, soft: Line) -> Finding:
    message = f"the cancel of {story.id} was answered with {soft.state}, and nobody asked what came of it"
    return Finding(message, (soft.seq,), job=story.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="After a cancel whose delivered answer shows the job still under way, the work is submitted again "
    "before its client may know the end of the job, or 30 s have passed. A job that nobody asks about any more is "
    "warned of.",
    means="A cancel is a wish. Until the backend says that the job has ended, it may still cost, and it may still "
    "end ok.",
    breaks="Any 200 taken for the end; a cancel that is sent and forgotten; a place that is given to the next job at "
    "once.",
    remedy="Read the state in the answer; while it is not final, poll on, for a bounded time.",
    premise="The answer to a cancel, delivered, showed the job still under way.",
    judge=judge,
)
