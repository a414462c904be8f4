"""retry-after-honoured: nobody comes back before they were told to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Work, by_whom, done_ms, is_delivered

ID = "retry-after-honoured"


def judge(run: Run) -> Evidence:
    """Look at every delivered hint, and at the next submit of its work or the next read of its job."""
    evidence = Evidence()
    if not run.is_timed:
        return evidence
    for work in run.works:
        hints = [line for line in work.submits if line.job is None and _is_hint(run, line)]
        if hints and not work.is_suspended(ID):
            for finding in _early(run, work, hints, work.submits, evidence):
                evidence.convict(finding, work)
    for story in run.acked:
        # A hint binds the one that it was given to, and what a dashboard does is no fault of the runner's.
        agent = story.commit.user_agent
        hints = [line for line in (*story.submits, *story.reads) if line.user_agent == agent and _is_hint(run, line)]
        if hints and not story.is_suspended(ID):
            reads = [line for line in story.reads if line.user_agent == agent]
            evidence.breaches += _early(run, run.work_of_story[story.id], hints, reads, evidence)
    return evidence


def _is_hint(run: Run, line: Line) -> bool:
    """Say whether *line* is known to have told its client to wait for a time that is judged."""
    hint_s = line.retry_after_s
    if hint_s is None or not is_delivered(line):
        return False
    return run.limits.slack_ms < hint_s * 1000 <= run.limits.retry_after_s_max * 1000


def _early(run: Run, work: Work, hints: Sequence[Line], asked: Sequence[Line], evidence: Evidence) -> Iterator[Finding]:
    """Yield for each of *hints* the first of *asked* that came before it was allowed to."""
    asked = sorted(asked, key=_place)
    places = [_place(line) for line in asked]
    for hint in hints:
        evidence.premises += 1
        early = _first_early(run, hint, asked, bisect_right(places, (done_ms(hint), hint.seq)))
        if early is not None:
            yield _finding(work, hint, early)


def _place(line: Line) -> tuple[int, int]:
    return line.arrived_ms, line.seq


def _first_early(run: Run, hint: Line, asked: Sequence[Line], start: int) -> Line | None:
    """Return the first of *asked* from *start* on that came before it was allowed to, or None.

    The very first may have been on its way when the hint left.
    """
    told_ms = done_ms(hint)
    allowed_ms = told_ms + (hint.retry_after_s or 0) * 1000 - run.limits.slack_ms
    if start < len(asked) and asked[start].arrived_ms <= told_ms + run.limits.retry_after_in_flight_ms:
        start += 1
    early = asked[start] if start < len(asked) else None
    return early if early is not None and early.arrived_ms < allowed_ms else None


def _finding(work: Work, hint: Line, early: Line) -> Finding:
    what = "submitted" if early.what is What.SUBMIT else "read"
    passed_ms = early.arrived_ms - done_ms(hint)
    message = f"told to wait {hint.retry_after_s} s, {by_whom(early)} {what} again after {passed_ms} ms"
    return Finding(message, (hint.seq, early.seq), job=early.job, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="After a delivered Retry-After of d ≤ 60 s the next submit of the work, or read of the job, comes "
    "before d − 50 ms; the first one within 100 ms may have been on its way. Reads count if their User-Agent is the "
    "submit's.",
    means="A backend that says when to come back is short of something. Coming sooner costs it more and brings "
    "nothing.",
    breaks="A retry library that does not read the header; a backoff that is shorter than the hint; a second retry "
    "layer that knows nothing of the first.",
    remedy="Wait for the longer of the hint and your own backoff, up to your own deadline.",
    premise="A hint of at most 60 s was delivered, on a clock that is not moved by hand.",
    judge=judge,
)
