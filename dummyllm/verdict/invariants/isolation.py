"""isolation: one job that hangs holds up no other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dummyllm.journal import What
from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, done_ms, shows_end

ID = "isolation"
NEVER_MS = -1


@dataclass(frozen=True, slots=True)
class _Other:
    """A job that has ended: when it was there to be read, and when anybody first looked at it, by which request."""

    ready_ms: int
    looked_ms: int
    look: int


@dataclass(frozen=True, slots=True)
class _Hung:
    """A job that somebody stayed with for long. Whatever was ready in between could have been read meanwhile."""

    story: Story
    last: Line
    from_ms: int
    until_ms: int


def judge(run: Run) -> Evidence:
    """Look at every job that hung, and see whether any of the jobs that ended meanwhile was looked at."""
    evidence = Evidence()
    stories = [story for story in run.acked if run.is_timed and not story.is_suspended(ID)]
    hung = [found for story in stories if (found := _hung(run, story)) is not None]
    if not hung:
        return evidence
    others = sorted((other for story in stories for other in _other(story)), key=lambda other: other.ready_ms)
    ready = [other.ready_ms for other in others]
    looked = _Least([other.looked_ms for other in others])
    for job in hung:
        first, end = bisect_left(ready, job.from_ms), bisect_right(ready, job.until_ms)
        if end - first < max(1, run.limits.isolation_jobs_min):
            continue
        evidence.premises += 1
        if looked.between(first, end) > done_ms(job.last):
            evidence.warnings.append(
                _finding(run, job, others[first : first + run.limits.isolation_jobs_min], end - first)
            )
    return evidence


def _hung(run: Run, story: Story) -> _Hung | None:
    answers, from_ms = story.answers, story.acked_ms
    assert from_ms is not None, "only acknowledged jobs are judged"
    last_ms = done_ms(answers[-1])
    until_ms = last_ms if story.ended_ms is None else min(last_ms, story.ended_ms)
    if until_ms - from_ms < run.limits.isolation_hung_ms:
        return None
    # A runner that reads all jobs in turn is back at another one within the time in which it is back at this one.
    gap_ms = max((later.arrived_ms - earlier.arrived_ms for earlier, later in pairwise(answers)), default=0)
    return _Hung(story, answers[-1], from_ms, until_ms - max(gap_ms, run.limits.slack_ms))


def _other(story: Story) -> Iterator[_Other]:
    """Yield *story* as one of those that ended, if it did. One that nobody ever looked at proves nothing."""
    if story.ended_ms is None or story.acked_ms is None:
        return
    looks = (line for line in story.answers if line.what is not What.SUBMIT or shows_end(line))
    look = next(looks, None)
    looked_ms = NEVER_MS if look is None else look.arrived_ms if look.what is not What.SUBMIT else done_ms(look)
    yield _Other(max(story.ended_ms, story.acked_ms), looked_ms, (look or story.commit).seq)


class _Least:
    """Finds the least number of any stretch at once: a table of the least of every 1, 2, 4, 8, … in a row."""

    def __init__(self, numbers: list[int]) -> None:
        self._rows = [numbers]
        while (width := 1 << len(self._rows)) <= len(numbers):
            row = self._rows[-1]
            self._rows.append(list(map(min, row, row[width // 2 :])))

    def between(self, first: int, end: int) -> int:
        """Return the least from *first* to before *end*, which are not the same."""
        power = (end - first).bit_length() - 1
        return min(self._rows[power][first], self._rows[power][end - (1 << power)])


def _finding(run: Run, hung: _Hung, some: Sequence[_Other], many: int) -> Finding:
    story = hung.story
    message = (
        f"while {story.id} hung, {many} other jobs ended, and none of them was looked at before the last "
        f"request about {story.id}"
    )
    entries = (story.commit.seq, hung.last.seq, *(other.look for other in some))
    return Finding(message, entries, job=story.id, logical_job=run.work_of_story[story.id].name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.ADVISORY,
    fails_when="A runner stays with a job that hangs for 5 s or more, at least 3 other acknowledged jobs end "
    "meanwhile, and every one of them is read for the first time only after the last request about the one that "
    "hangs. What ended within the longest gap between its reads does not count.",
    means="Jobs have nothing to do with each other. One that never ends costs its own deadline, and not everybody's.",
    breaks="Jobs that are waited for one after the other, in the order of their submits; one thread or one connection "
    "for all of them.",
    remedy="Wait for all jobs at once, and give each its own deadline.",
    premise="A job hung for 5 s while somebody stayed with it, and 3 others ended meanwhile.",
    judge=judge,
)
