"""A run as the verdict sees it: every request in order, the story of each job, and which submits mean the same work.

*delivered* is the only premise for a conviction: what a server sent and a client may never have had proves nothing.
Times are the wall's milliseconds since the server started (`arrived_ms`), whatever clock the jobs go by. Whatever takes
a walk over the lines is worked out once, by `stories` and `attempts`: a run may have a million of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from dummyllm.core.timeline import FINAL_STATES, State
from dummyllm.journal import Delivered
from dummyllm.journal_line import Closing, Heading, Line
from dummyllm.verdict.limits import Limits

if TYPE_CHECKING:
    from dummyllm.verdict.same import Same

FINAL = frozenset(state.value for state in FINAL_STATES)
NOTHING: frozenset[str] = frozenset()
REPAIRABLE = (413, 422)
"""What a runner may repair the payload after: then it is another piece of work."""
KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"

_YES = Delivered.YES


def is_delivered(line: Line) -> bool:
    """Say whether the answer of *line* is known to have arrived."""
    return line.delivered is _YES


def done_ms(line: Line) -> int:
    """Return when the answer of *line* had left."""
    return line.arrived_ms + line.took_ms


def shows_end(line: Line) -> bool:
    """Say whether the answer of *line* truly shows a final state: a stale one does not, nor does a failed read."""
    return line.status in (200, 201) and line.shown is None and line.state in FINAL


def is_refused(line: Line) -> bool:
    """Say whether *line* is known to have told its client that there is no job."""
    return line.status >= 400 and is_delivered(line)


def is_lost(line: Line) -> bool:
    """Say whether the client of *line* surely got no whole answer."""
    return line.delivered is Delivered.NO


def is_held(line: Line) -> bool:
    """Say whether the answer of *line* is still held until the job ends (`Prefer: wait`)."""
    return bool(line.wait_s) and not line.took_ms and line.delivered is Delivered.UNKNOWN


def by_whom(line: Line) -> str:
    """Return who sent *line* as a message says it: an SDK that tries again by itself is told apart from the runner."""
    return "the runner's SDK" if line.retries else "the runner"


class Story(msgspec.Struct, kw_only=True, gc=False):
    """All that is known of one job, in order.

    *ended_ms* is when it truly ended, and *ended_as* how; both are None if it never did. *ack* is the answer by which
    the client is known to have learnt of it, or None: then it cannot be asked to look after it. *told_end* is the first
    answer that is known to have told the client of the end, by any path; *told_gone_ms* when it was first told that
    there is no such job.
    """

    id: str
    commit: Line
    ack: Line | None = None
    submits: Sequence[Line] = ()
    reads: Sequence[Line] = ()
    cancels: Sequence[Line] = ()
    others: Sequence[Line] = ()
    contacts: Sequence[Line] = ()  # every request about this job
    answers: Sequence[Line] = ()  # those whose answer may show its state: submits that waited, reads and cancels
    started_ms: int | None = None
    ended_ms: int | None = None
    ended_as: State | None = None
    told_end: Line | None = None
    may_have_been_told: bool = False
    told_gone_ms: int | None = None
    suspended: frozenset[str] = NOTHING

    @property
    def acked_ms(self) -> int | None:
        """When the client is known to have learnt of the job, or None."""
        return None if self.ack is None else done_ms(self.ack)

    @property
    def accepted_ms(self) -> int:
        """When the job was accepted."""
        return self.commit.arrived_ms

    @property
    def timeout_ms(self) -> int:
        """How long its client meant to wait."""
        return self.commit.timeout_ms or 0

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the last answer about it was that there is no such job."""
        return next((line.status for line in reversed(self.contacts) if line.status), 0) in (404, 410)

    def is_over(self, at_ms: int) -> bool:
        """Say whether the job had truly ended at *at_ms*."""
        return self.ended_ms is not None and self.ended_ms <= at_ms

    def is_suspended(self, rule: str) -> bool:
        """Say whether a fault that befell the job takes *rule* out of judgement."""
        return rule in self.suspended


class Work(msgspec.Struct, gc=False):
    """A logical job: all submits that the runner means as one piece of work, in order, and the jobs that they became.

    *tie* says what holds them together. One that *is_weak* is held together by equal payloads alone, and convicts
    nobody.
    """

    name: str
    tie: str
    is_weak: bool
    submits: Sequence[Line]
    stories: Sequence[Story]
    suspended: frozenset[str] = NOTHING
    known: Mapping[str, Story] = msgspec.field(default_factory=dict)  # every story of the run, to look one up

    @property
    def ambiguous(self) -> bool:
        """Whether it is weak and may as well be several pieces of work: its jobs overlap, or go on after a success."""
        if not self.is_weak:
            return False
        pairs = pairwise(self.stories)
        return any(not a.is_over(b.accepted_ms) or a.ended_as is State.OK for a, b in pairs)

    @property
    def failures(self) -> int:
        """How often it is known to have gone wrong: a submit refused or lost, or a job that ended otherwise than ok."""
        refused = sum(is_refused(line) or is_lost(line) for line in self.submits)
        return refused + sum(story.ended_ms is not None and story.ended_as is not State.OK for story in self.stories)

    def story_of(self, line: Line) -> Story | None:
        """Return the story of the job that the submit *line* committed or was given again, if any."""
        return None if line.job is None else self.known.get(line.job)

    def is_suspended(self, rule: str) -> bool:
        """Say whether a fault that refused one of its submits takes *rule* out of judgement."""
        return rule in self.suspended


@dataclass(frozen=True, slots=True)
class Expected:
    """A payload that the runner was asked to send, by its fingerprint; *line* is its place in the file."""

    line: int
    fingerprint: str
    op: str


@dataclass(slots=True)
class Run:
    """A whole run. *is_final* says that it is over; before that an obligation that is still open is pending.

    *closing* has its sums, if they are known; *dropped* is how many of its lines are not there.
    """

    heading: Heading
    lines: Sequence[Line]
    stories: dict[str, Story]
    works: list[Work]
    limits: Limits
    is_final: bool
    end_ms: int
    same: Same
    expected: tuple[Expected, ...] | None = None
    work_of_story: dict[str, Work] = field(default_factory=dict)
    submits: Sequence[Line] = ()
    acked: Sequence[Story] = ()
    closing: Closing | None = None
    dropped: int = 0

    @property
    def is_by_wall(self) -> bool:
        """Whether the jobs' time is the wall's, so that what a runner does can be measured against it."""
        return self.heading.pace == 1

    @property
    def is_timed(self) -> bool:
        """Whether the runner's own time passed. Who moves the jobs' clock by hand may have stopped the runner's too."""
        heading = self.heading
        return heading.clock == "polls" or (heading.pace > 0 and heading.clock != "manual")
