"""poll-cadence: asking is not done in a loop without a wait."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story

ID = "poll-cadence"


def judge(run: Run) -> Evidence:
    """Look at every row of reads of one job that is under way, by one User-Agent; failed reads count here."""
    evidence = Evidence()
    least = run.limits.cadence_reads_min
    for story in run.acked if run.is_timed else ():
        if len(story.reads) < least or story.is_suspended(ID):
            continue
        for agent, row in _rows(story):
            if len(row) >= least:
                evidence.premises += 1
                storm = _storm(run, row)
                if storm is not None:
                    evidence.warnings.append(_finding(run, story, agent, storm))
    return evidence


def _rows(story: Story) -> Iterator[tuple[str | None, Sequence[Line]]]:
    """Yield for each User-Agent its reads in a row; one that waits for the end (`Prefer: wait`) is none of them."""
    by_agent: defaultdict[str | None, list[list[Line]]] = defaultdict(lambda: [[]])
    for read in sorted(story.reads, key=lambda line: (line.arrived_ms, line.seq)):
        if read.wait_s:
            by_agent[read.user_agent].append([])
        elif not story.is_over(read.arrived_ms):
            by_agent[read.user_agent][-1].append(read)
    for agent, rows in by_agent.items():
        yield from ((agent, row) for row in rows)


def _storm(run: Run, row: Sequence[Line]) -> Sequence[Line] | None:
    """Return the first reads in *row* whose median gap is too short, or None.

    The median is below a limit if and only if more than half of the gaps are, so it is enough to count those.
    """
    reads = run.limits.cadence_reads_min
    short: deque[bool] = deque(maxlen=reads - 1)
    count = 0
    for place, gap_ms in enumerate(_gaps_ms(row), start=1):
        if len(short) == reads - 1:
            count -= short[0]
        short.append(gap_ms < run.limits.cadence_gap_ms)
        count += short[-1]
        if len(short) == reads - 1 and count > (reads - 1) // 2:
            return row[place - reads + 1 : place + 1]
    return None


def _gaps_ms(row: Sequence[Line]) -> Iterable[int]:
    return (later.arrived_ms - earlier.arrived_ms for earlier, later in pairwise(row))


def _finding(run: Run, story: Story, agent: str | None, storm: Sequence[Line]) -> Finding:
    lasted_ms = storm[-1].arrived_ms - storm[0].arrived_ms
    message = f"{agent or 'a client without a User-Agent'} read {story.id} {len(storm)} times in {lasted_ms} ms"
    entries = tuple(line.seq for line in storm)
    return Finding(message, entries, job=story.id, logical_job=run.work_of_story[story.id].name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.ADVISORY,
    fails_when="Of twenty or more reads in a row of one job that is under way, by one User-Agent and without "
    "`Prefer: wait`, the median gap is shorter than 10 ms. There is no upper limit.",
    means="A status changes seldom. Whoever asks a hundred times a second gets the same answer and pays for each.",
    breaks="A loop without a sleep; a sleep of 0; a failed read that is tried again at once, without end.",
    remedy="Ask every second or so, or let the server wait for you: `Prefer: wait=30`.",
    premise="One User-Agent read a job twenty times while it was under way, on a clock that is not moved by hand.",
    judge=judge,
)
