"""trace-stable: all attempts of one piece of work can be found under one id."""

from __future__ import annotations

import re

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Work

ID = "trace-stable"

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def judge(run: Run) -> Evidence:
    """Compare the trace_ids of all attempts of each piece of work; one without a trace_id says nothing."""
    evidence = Evidence()
    for work in run.works:
        traced = [line for line in work.submits if line.trace_id is not None]
        if len(traced) < 2 or work.is_suspended(ID) or any(story.is_suspended(ID) for story in work.stories):
            continue
        if work.ambiguous:  # whoever asks the same has a trace of their own
            continue
        evidence.premises += 1
        finding = _compare(work, traced)
        if finding is not None:
            evidence.warnings.append(finding)
    return evidence


def _compare(work: Work, traced: list[Line]) -> Finding | None:
    first = traced[0]
    other = next((line for line in traced if _trace(line) != _trace(first)), None)
    if other is None:
        return None
    many = len({_trace(line) for line in traced})
    message = f"{len(traced)} attempts at one piece of work, told by its {work.tie}, have {many} different trace_ids"
    return Finding(message, (first.seq, other.seq), job=other.job, logical_job=work.name)


def _trace(line: Line) -> str | None:
    """Return the trace that *line* belongs to: of a traceparent only that part, as each attempt is its own span."""
    match = _TRACEPARENT.fullmatch(line.trace_id or "")
    return match[1] if match else line.trace_id


INVARIANT = Invariant(
    id=ID,
    kind=Kind.ADVISORY,
    fails_when="Two attempts of one piece of work, told by its key or payload, carry different trace_ids. One without "
    "a trace_id is none of them, and of a traceparent only the trace counts: each attempt may have its own span.",
    means="Whoever looks for what became of a piece of work finds all of its attempts under one id, also at three in "
    "the morning.",
    breaks="A trace_id that is made where the request is sent, inside the retry loop; a queue that drops the id when "
    "it delivers again.",
    remedy="Make the trace_id where the work comes in, and hand it on to every attempt.",
    premise="A piece of work had two attempts with a trace_id.",
    judge=judge,
)
