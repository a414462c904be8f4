"""cancel-on-give-up: nobody leaves a job running that nobody waits for."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, done_ms, is_held

ID = "cancel-on-give-up"


def judge(run: Run) -> Evidence:
    """Look at every known job that outlived the interest in it, and ask whether a cancel was tried."""
    evidence = Evidence()
    for story in run.stories.values():
        if story.is_suspended(ID) or story.is_out_of_reach or not (story.ack is not None or _is_waited_for(run, story)):
            continue
        if story.cancels:
            evidence.premises += 1
        elif not story.is_over(run.end_ms):
            _judge_open(run, story, evidence)
        elif run.is_timed and _idle_ms(run, story) >= _patience_ms(run, story):
            evidence.premises += 1
            evidence.breaches.append(_finding(run, story, f"ran for {_idle_ms(run, story)} ms while nobody asked"))
    return evidence


def _judge_open(run: Run, story: Story, evidence: Evidence) -> None:
    evidence.premises += 1
    idle_ms = _idle_ms(run, story)
    if run.is_final:
        how = (
            "a request was still held for it"
            if any(map(is_held, story.contacts))
            else f"last asked about {idle_ms} ms before"
        )
        evidence.breaches.append(_finding(run, story, f"was left running when the run was over, {how},"))
    elif run.is_timed and idle_ms >= _patience_ms(run, story):
        evidence.breaches.append(_finding(run, story, f"is running, was not asked about for {idle_ms} ms"))
    else:
        evidence.pending.append(_finding(run, story, "is under way"))


def _is_waited_for(run: Run, story: Story) -> bool:
    """Say whether the run was over while a submit still waited for the job that it made."""
    return run.is_final and any(map(is_held, story.contacts))


def _idle_ms(run: Run, story: Story) -> int:
    """Return how long nobody had asked when the job ended by itself, or up to now."""
    end_ms = run.end_ms if story.ended_ms is None else min(story.ended_ms, run.end_ms)
    return max(0, end_ms - max(map(_there_until_ms, story.contacts)))


def _there_until_ms(line: Line) -> int:
    """Return until when the client is there by *line*: until it was answered, and as long as it was told to wait."""
    told_ms = line.arrived_ms + (line.wait_s or 0) * 1000 if is_held(line) else done_ms(line)
    return told_ms + (line.retry_after_s or 0) * 1000


def _patience_ms(run: Run, story: Story) -> int:
    """Return how long nobody may ask before the job counts as given up."""
    gaps = [later.arrived_ms - earlier.arrived_ms for earlier, later in pairwise(story.contacts)]
    return max(run.limits.cancel_idle_ms, story.timeout_ms, round(10 * median(gaps)) if gaps else 0)


def _finding(run: Run, story: Story, what: str) -> Finding:
    last = story.contacts[-1]
    entries = (story.commit.seq,) if last is story.commit else (story.commit.seq, last.seq)
    work = run.work_of_story[story.id]
    return Finding(f"{story.id} {what} and no cancel was ever tried", entries, job=story.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="An acknowledged job has not ended when the run is over, or was not asked about for the longest of "
    "30 s, ten times its median gap and its timeout_ms; no cancel was attempted, and the last answer was not 404 or "
    "410. A held answer and a Retry-After that runs count as asking; one still held when the run is over does not.",
    means="A job that nobody waits for still costs money and a slot. Whoever gives up says so to the backend.",
    breaks="A deadline that raises without a cancel; a cancel that is only called on Ctrl-C; a worker that dies with "
    "its jobs.",
    remedy="Cancel in the same place in which you stop to wait, whatever the reason was.",
    premise="An acknowledged job outlived the interest in it, or was cancelled.",
    judge=judge,
)
