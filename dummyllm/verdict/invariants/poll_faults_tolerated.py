"""poll-faults-tolerated: a read that failed says nothing about the job."""

from __future__ import annotations

from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.reaction import had_time_to_read, has_time_left, may_have_told_end, resubmit
from dummyllm.verdict.run import Run, Story, Work, by_whom, is_delivered, is_lost

ID = "poll-faults-tolerated"
FAULTS = ("poll.status", "poll.reset", "poll.missing")


def judge(run: Run) -> Evidence:
    """Look at every short row of reads that faults befell, and at what the runner did next."""
    evidence = Evidence()
    for work in run.works:
        for story in work.stories:
            if story.ack is not None and not story.is_suspended(ID) and any(map(_is_befallen, story.reads)):
                _follow(run, work, story, evidence)
    return evidence


def _is_befallen(read: Line) -> bool:
    return read.fault is not None and read.fault.startswith(FAULTS) and read.served


def _follow(run: Run, work: Work, story: Story, evidence: Evidence) -> None:
    """Go through the answers until the client lets go, knows the end, or is found to have given up too soon."""
    answers = story.answers
    row: list[Line] = []  # reads that failed, one after the other
    for place, line in enumerate(answers):
        if line.what is What.CANCEL or may_have_told_end(line):
            return
        if not _failed(line):
            row = []
            continue
        row.append(line)
        is_short = len(row) <= run.limits.poll_faults_max
        if not is_short or not all(_is_passing(run, story, read) for read in row):
            continue
        if not has_time_left(run, story, line):
            return
        following = answers[place + 1] if place + 1 < len(answers) else None
        again = resubmit(work, story, line)
        if again is not None and (following is None or again.seq < following.seq) and has_time_left(run, story, again):
            evidence.premises += 1
            finding = _finding(work, story, row, f"{by_whom(again)} submitted its work again", (line.seq, again.seq))
            evidence.convict(finding, work)
            return
        if following is not None:
            evidence.premises += 1
        else:
            _take_last(run, work, story, row, evidence)


def _take_last(run: Run, work: Work, story: Story, row: list[Line], evidence: Evidence) -> None:
    """Judge a row after which the client was not heard of again."""
    if run.is_final and not had_time_to_read(run, story, story.answers):
        return
    evidence.premises += 1
    finding = _finding(work, story, row, "nobody read it again", (story.commit.seq, row[-1].seq))
    if run.is_final:
        evidence.convict(finding, work)
    else:
        evidence.pending.append(finding)


def _failed(line: Line) -> bool:
    return line.what is What.POLL and (line.status != 200 or is_lost(line))


def _is_passing(run: Run, story: Story, read: Line) -> bool:
    """Say whether *read*, which failed, did so because of a fault that a runner puts up with, and knows it."""
    acked_ms, fault = story.acked_ms, read.fault
    if fault is None or acked_ms is None or read.arrived_ms < acked_ms or not _is_befallen(read):
        return False
    if fault.startswith("poll.missing") and read.arrived_ms - acked_ms > run.limits.poll_missing_ms:
        return False
    return is_delivered(read) or fault.startswith("poll.reset")


def _finding(work: Work, story: Story, row: list[Line], what: str, entries: tuple[int, ...]) -> Finding:
    reads = "one read" if len(row) == 1 else f"{len(row)} reads in a row"
    message = f"{reads} of {story.id} failed, the last with {row[-1].fault}, and then, with time left, {what}"
    return Finding(message, entries, job=story.id, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="At most 3 reads of a job in a row are befallen by `poll.status`, `poll.reset`, or `poll.missing` "
    "within 5 s of the acknowledgement; then, with time left of its timeout_ms and no cancel attempted, its work is "
    "submitted again, or the job is never read again though another read was due.",
    means="A read that failed says something about the network or the server, and nothing about the job. A runner "
    "reads again, and when it does give up, it cancels.",
    breaks="One `except` around submit and poll that starts both over; a client that raises on any status but 200; a "
    "404 right after the submit that is believed at once.",
    remedy="Retry reads by themselves, with a count of their own; allow a new job some seconds before a 404 counts.",
    premise="A short row of reads failed with time left, and the run went on for long enough to see what came next.",
    judge=judge,
)
