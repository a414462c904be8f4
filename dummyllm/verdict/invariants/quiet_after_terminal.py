"""quiet-after-terminal: whoever knows the end of a job has nothing more to ask."""

from __future__ import annotations

from collections import defaultdict

from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, done_ms, is_delivered, is_lost, shows_end

ID = "quiet-after-terminal"


def judge(run: Run) -> Evidence:
    """Look at every acknowledged job whose end was told, and count what each User-Agent still read after that."""
    evidence = Evidence()
    for story in run.acked:
        if story.told_end is None or story.is_suspended(ID):
            continue
        evidence.premises += 1
        if len(story.reads) <= run.limits.quiet_reads_max:
            continue
        told, later = _told_and_later(story)
        for agent, reads in later.items():
            welcome = run.limits.quiet_reads_max + (told[agent].what is What.CANCEL)
            if len(reads) > welcome:
                evidence.warnings.append(_finding(run, story, told[agent], reads, welcome))
    return evidence


def _told_and_later(story: Story) -> tuple[dict[str | None, Line], dict[str | None, list[Line]]]:
    """Return by User-Agent the first answer that told it of the end, and its good reads after that."""
    told: dict[str | None, Line] = {}
    later: dict[str | None, list[Line]] = defaultdict(list)
    for line in story.answers:
        first = told.get(line.user_agent)
        if first is None:
            if shows_end(line) and is_delivered(line):
                told[line.user_agent] = line
        elif line.what is What.POLL and line.arrived_ms >= done_ms(first) and line.status == 200 and not is_lost(line):
            later[line.user_agent].append(line)
    return told, later


def _finding(run: Run, story: Story, told: Line, reads: list[Line], welcome: int) -> Finding:
    agent = repr(told.user_agent) if told.user_agent is not None else "a client without a User-Agent"
    message = f"{story.id} was read {len(reads)} times by {agent} after its end was told; {welcome} are welcome"
    entries = (told.seq, *(line.seq for line in reads[: welcome + 1]))
    return Finding(message, entries, job=story.id, logical_job=run.work_of_story[story.id].name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.ADVISORY,
    fails_when="More than 5 reads of one job by one User-Agent succeed after that User-Agent was told of its end; one "
    "more if a cancel told it.",
    means="The end of a job does not change. A runner that knows it stops to ask, and leaves the backend to those who "
    "still wait.",
    breaks="A poll loop that is not stopped when its job is done; a loop that knows only one end, the good one; a "
    "list of open jobs that is never cleared.",
    remedy="Take a job off the list in the same step that records its end, and treat every final state alike.",
    premise="The end of an acknowledged job was delivered.",
    judge=judge,
)
