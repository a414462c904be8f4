"""Tells what happened to the work of a finding, row by row: its requests in order, and what happened in between.

A job ends, gets its slot or outlives its deadline without anybody asking; without these rows a story has holes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from dummyllm.journal_line import Line
from dummyllm.verdict.judge import Found
from dummyllm.verdict.report.row import Row, answer_of, remarks_on
from dummyllm.verdict.report.shared import Shared
from dummyllm.verdict.report.words import counted
from dummyllm.verdict.run import Run, Story, Work

WORKS_MAX = 3

_SEQ = attrgetter("seq")


@dataclass(frozen=True, slots=True)
class Account:
    """The *rows* of a story that begins *begins_ms* after the server started; *facts* hold for all of it."""

    begins_ms: int
    facts: tuple[str, ...]
    rows: tuple[Row, ...]


def account_of(run: Run, group: Sequence[Found]) -> Account | None:
    """Return what happened to the work that all findings of *group* are about, or None if the run does not have it."""
    entries = {seq for found in group for seq in found.entries}
    proofs = [line for seq in sorted(entries) if (line := _line(run, seq)) is not None]
    works = _works(run, group[0].logical_job, proofs)
    lines = sorted(_lines(works, proofs), key=lambda line: (line.arrived_ms, line.seq))
    if not lines:
        return None
    shared = Shared(lines)
    rows = [_row(line, shared, is_proof=line.seq in entries) for line in lines]
    rows += _events(run, [story for work in works for story in work.stories], lines[-1].arrived_ms)
    # What ends in the millisecond of a request had ended when it came.
    rows.sort(key=lambda row: (row.at_ms, row.seq is not None, row.seq or 0))
    return Account(lines[0].arrived_ms, (*map(_named, works), *shared.facts()), tuple(rows))


def _line(run: Run, seq: int) -> Line | None:
    place = bisect_left(run.lines, seq, key=_SEQ)
    return run.lines[place] if place < len(run.lines) and run.lines[place].seq == seq else None


def _works(run: Run, name: str | None, proofs: Sequence[Line]) -> list[Work]:
    """Return the work called *name*; else those that the proofs belong to, unless these are many."""
    named = [work for work in run.works if work.name == name]
    if named:
        return named
    seqs = {line.seq for line in proofs}
    theirs = [work for work in run.works if any(line.seq in seqs for line in work.submits)]
    return theirs if len(theirs) <= WORKS_MAX else []


def _lines(works: Sequence[Work], proofs: Sequence[Line]) -> list[Line]:
    told = {line.seq: line for line in proofs}
    for work in works:
        told |= {line.seq: line for line in work.submits}
        told |= {line.seq: line for story in work.stories for line in story.contacts}
    return list(told.values())


def _named(work: Work) -> str:
    jobs = [story.id for story in work.stories]
    if len(work.submits) == 1:
        return f"{work.name}: {jobs[0] if jobs else 'no job'}"
    became = jobs[0] if len(jobs) == 1 else counted(len(jobs), "job")
    return f"{work.name}: {counted(len(work.submits), 'submit')}, {became}, one work by {work.tie}"


def _row(line: Line, shared: Shared, *, is_proof: bool) -> Row:
    return Row(
        at_ms=line.arrived_ms,
        seq=line.seq,
        request=line.what.value,
        job=line.job or "",
        answer=answer_of(line),
        delivered=line.delivered.value,
        remarks=(*remarks_on(line), *shared.differences(line)),
        is_proof=is_proof,
    )


def _events(run: Run, stories: Sequence[Story], last_ms: int) -> Iterator[Row]:
    """Yield what happened to the jobs of *stories* without a request, as far as it is known and of interest."""
    for story in stories:
        if story.commit.waits and story.started_ms is not None:
            yield Row(at_ms=story.started_ms, event="gets its slot", job=story.id)
        if story.ended_ms is not None and story.is_over(run.end_ms):
            yield Row(at_ms=story.ended_ms, event=f"ends: {story.ended_as}", job=story.id)
        due_ms = story.accepted_ms + story.timeout_ms
        if run.is_by_wall and story.timeout_ms and due_ms <= run.end_ms and not story.is_over(due_ms):
            yield Row(at_ms=due_ms, event="outlives its timeout_ms", job=story.id)
    if run.end_ms > last_ms and any(story.told_end is None for story in stories):
        yield Row(at_ms=run.end_ms, event="the run is over" if run.is_final else "the run goes on")
