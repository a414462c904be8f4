"""unknown-state-tolerated: a word that nobody documented is not the end."""

from __future__ import annotations

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.reaction import had_time_to_read, has_time_left
from dummyllm.verdict.run import Run, Story, is_delivered

ID = "unknown-state-tolerated"


def judge(run: Run) -> Evidence:
    """Look at every acknowledged job that was shown in an unknown state, and see whether anybody came again."""
    evidence = Evidence()
    for story in run.acked:
        unknown = [line for line in story.reads if _is_unknown(line) and has_time_left(run, story, line)]
        if unknown and not story.is_suspended(ID):
            _follow(run, story, unknown[-1], evidence)
    return evidence


def _is_unknown(read: Line) -> bool:
    return read.shown is not None and is_delivered(read)


def _follow(run: Run, story: Story, unknown: Line, evidence: Evidence) -> None:
    answers = story.answers
    if any(cancel.seq < unknown.seq for cancel in story.cancels):
        return
    if answers[-1] is not unknown:
        evidence.premises += 1
        return
    if story.may_have_been_told or (run.is_final and not had_time_to_read(run, story, answers)):
        return
    evidence.premises += 1
    work = run.work_of_story[story.id]
    message = f"{story.id} was shown as {unknown.shown!r}, and then, with time left, neither read again nor cancelled"
    finding = Finding(message, (story.commit.seq, unknown.seq), job=story.id, logical_job=work.name)
    if run.is_final:
        evidence.convict(finding, work)
    else:
        evidence.pending.append(finding)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="A state that is none of the documented six was delivered with time left of the job's timeout_ms, and "
    "when the run is over the job was neither read again, though another read was due, nor cancelled.",
    means="Servers learn new words. A state that a runner does not know is not the end of the job; its own deadline "
    "is.",
    breaks="A decoder that raises on an unknown value and takes the loop with it; an `else` branch that counts "
    "everything but the known states as failure.",
    remedy="Stop at the ends that you know, go on at every other word, and cancel at your deadline.",
    premise="An unknown state was delivered with time left, and the run went on for long enough to see what came next.",
    judge=judge,
)
