"""Knows what a runner did after an answer about a job, and how long it may take over it.

What did not happen proves something only when there was time for it: the run, the runner's own deadline, a hint to wait
and the runner's own rhythm all have a say in that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from dummyllm.journal_line import Line
from dummyllm.verdict.run import Run, Story, Work, done_ms, is_lost, shows_end


def may_have_told_end(line: Line) -> bool:
    """Say whether *line* shows a final state to a client that may well have got it."""
    return shows_end(line) and not is_lost(line)


def has_time_left(run: Run, story: Story, line: Line) -> bool:
    """Say whether *line* surely came before the client's own deadline, by the wall's time and by the jobs' alike."""
    passed_ms = max(line.arrived_ms - story.accepted_ms, line.at_ms - story.commit.at_ms)
    return passed_ms < story.timeout_ms - run.limits.slack_ms


def resubmit(work: Work, story: Story, answer: Line) -> Line | None:
    """Return the first submit of *work* that came when *answer*, about the job of *story*, had left.

    A submit with the job's own key is none: it asks for the same job.
    """
    keys = {line.key for line in story.submits if line.key is not None}
    for place in range(bisect_right(work.submits, answer.seq, key=_seq), len(work.submits)):
        line = work.submits[place]
        if line.arrived_ms >= done_ms(answer) and line.job != story.id and line.key not in keys:
            return line
    return None


def last_before(answers: Sequence[Line], line: Line) -> Line:
    """Return the last of *answers* that stands in the journal before *line*, which comes after one of them."""
    return answers[bisect_left(answers, line.seq, key=_seq) - 1]


def next_read_due_ms(run: Run, answers: Sequence[Line]) -> int:
    """Return by when a runner that stays with a job comes again after all of its *answers*, generously counted.

    That is the longest of: twice its longest gap so far, the longest wait it asked for, a Retry-After, and a second.
    """
    gap_ms = max((later.arrived_ms - earlier.arrived_ms for earlier, later in pairwise(answers)), default=0)
    held_ms = 1000 * max(line.wait_s or 0 for line in answers)
    told_ms = max(done_ms(line) + 1000 * (line.retry_after_s or 0) for line in answers)
    rhythm_ms = max(run.limits.terminal_after_ms, 2 * gap_ms, held_ms)
    return max(told_ms, done_ms(answers[-1]) + rhythm_ms) + run.limits.slack_ms


def had_time_to_read(run: Run, story: Story, answers: Sequence[Line]) -> bool:
    """Say whether another read was due after all of *answers* before the run or the client's own deadline ended."""
    deadline_ms = story.accepted_ms + story.timeout_ms - run.limits.slack_ms
    return run.is_timed and next_read_due_ms(run, answers) <= min(run.end_ms, deadline_ms)


def _seq(line: Line) -> int:
    return line.seq
