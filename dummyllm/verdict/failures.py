"""What went wrong with a piece of work, when its client was told, and what it did next.

Only a failure whose answer was delivered counts: a submit that was refused, or a job that failed or timed out. What
its client cancelled is no failure, and what was lost on the way proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dummyllm.core.timeline import State
from dummyllm.journal_line import Line
from dummyllm.verdict.run import Story, Work, done_ms, is_refused

_FAILED = (State.FAIL, State.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that went wrong. *told* is the answer that said so, *again* the next submit, if one came after it."""

    told: Line
    again: Line | None

    @property
    def gap_ms(self) -> int | None:
        """How long after the news the next submit came."""
        return None if self.again is None else self.again.arrived_ms - done_ms(self.told)

    @property
    def has_hint(self) -> bool:
        """Whether its client was told when to come back."""
        return self.told.retry_after_s is not None

    @property
    def alike(self) -> str:
        """What it has in common with others: the status, or the state that the job ended in."""
        return str(self.told.status) if self.told.status >= 400 else str(self.told.state)


def failures_of(work: Work, rule: str) -> Iterator[Failure | None]:
    """Yield each attempt at *work* in order: its failure, or None for one that is not known to have failed.

    An attempt that came before the news of the one before it does not answer to that. None of a job for which *rule* is
    suspended is told.
    """
    submits = sorted(work.submits, key=lambda line: (line.arrived_ms, line.seq))
    for submit, after in pairwise([*submits, None]):
        told = _told(submit, work.story_of(submit), rule) if submit is not None else None
        if told is None:
            yield None
        else:
            yield Failure(told, after if after is not None and after.arrived_ms >= done_ms(told) else None)


def _told(submit: Line, story: Story | None, rule: str) -> Line | None:
    """Return the answer that told the client of *submit* that it failed, or None."""
    if story is None:
        return submit if is_refused(submit) and submit.job is None else None
    if submit is not story.commit or story.ack is None or story.is_suspended(rule):
        return None
    return story.told_end if story.told_end is not None and story.told_end.state in _FAILED else None
