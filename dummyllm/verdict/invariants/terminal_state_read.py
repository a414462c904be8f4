"""terminal-state-read: somebody comes to hear how a job ended."""

from __future__ import annotations

from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.reaction import next_read_due_ms
from dummyllm.verdict.run import Run, Story, done_ms

ID = "terminal-state-read"


def judge(run: Run) -> Evidence:
    """Look at every acknowledged job that has ended and was not cancelled, and see whether its end reached anybody."""
    evidence = Evidence()
    for story in run.acked:
        if story.is_suspended(ID) or story.cancels or story.ended_ms is None or not story.is_over(run.end_ms):
            continue
        if story.may_have_been_told:
            evidence.premises += 1
        elif not story.is_out_of_reach and not _was_tried(story, story.ended_ms):
            _take_unread(run, story, story.ended_ms, evidence)
    return evidence


def _take_unread(run: Run, story: Story, ended_ms: int, evidence: Evidence) -> None:
    due_ms = max(ended_ms + run.limits.terminal_after_ms, next_read_due_ms(run, story.answers))
    if run.is_final and (run.end_ms < due_ms or not run.is_timed):  # the run was over too soon to tell
        return
    evidence.premises += 1
    last = story.answers[-1]
    message = f"{story.id} ended {run.end_ms - ended_ms} ms before the end of the run, and nobody came to hear how"
    entries = (story.commit.seq,) if last is story.commit else (story.commit.seq, last.seq)
    work = run.work_of_story[story.id]
    finding = Finding(message, entries, job=story.id, logical_job=work.name)
    if run.is_final:
        evidence.convict(finding, work)
    else:
        evidence.pending.append(finding)


def _was_tried(story: Story, ended_ms: int) -> bool:
    """Say whether somebody asked when the job had ended, or was waiting when it did, whatever came of it."""
    return any(
        line.arrived_ms >= ended_ms or (line.wait_s and (not line.took_ms or done_ms(line) >= ended_ms))
        for line in story.reads
    )


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="The run is over, an acknowledged job ended at least 1 s before and was not cancelled, and nobody "
    "asked after its end, though there was time: twice the longest gap between the requests before, a Retry-After, or "
    "a wait. Its last answer was not 404 or 410.",
    means="A result that nobody fetches was paid for and is lost. A runner stays with a job until it knows how it "
    "ended, or cancels it.",
    breaks="Fire and forget; a worker that dies with its jobs; a deadline that gives up without a cancel while the "
    "job ends well.",
    remedy="Keep every job that was acknowledged in a list that survives a restart, and strike it off when its end is "
    "read.",
    premise="An acknowledged job that was not cancelled ended, and the run left time to hear of it.",
    judge=judge,
)
