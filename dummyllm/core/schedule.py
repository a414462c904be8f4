"""Knows which of the waiting jobs has a slot, and since when: at most so many run at once, first come, first served.

The start of a run is the one thing that depends on other jobs, so it is in no fate. Still nothing ticks: what is kept
are the ends that are settled, and whoever looks plays them up to now. An end hands its slot on in its own millisecond,
so one look may start a whole chain of jobs, each at the instant at which it would have started had anybody watched.

Within one millisecond runs end first and their slots pass on; then waiting jobs leave that were to leave by then; then
come a cancel and a new arrival. An entry of the heap may be out of date (its job ended earlier, or has started since):
it is checked against the job when it comes to the top, and thrown away.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from dummyllm.core.request import JobId

NEVER = 2**63  # later than any instant, and only in here: outside, what never comes is None
HEAP_SLACK = 64


class QueueFull(Exception):
    """As many jobs wait as may; *room_at_ms* is when the next end makes room, if any is settled."""

    def __init__(self, room_at_ms: int | None) -> None:
        super().__init__(room_at_ms)
        self.room_at_ms = room_at_ms


class Start(NamedTuple):
    """A job got its slot in this epoch millisecond."""

    job: JobId
    at_ms: int


class Queued(NamedTuple):
    """A job without a slot: how long it will run once it has one, and when it leaves if it has none by then."""

    run_ms: int
    leaves_at_ms: int


class Schedule:
    """Jobs in *slots* and at most *queue_max* waiting for one, or any number of them if that is 0.

    Each start is told once, by the first call that returns starts after it: a refusal and a question lose none.
    """

    def __init__(self, *, slots: int, queue_max: int) -> None:
        assert slots >= 1, "without slots there is nothing to schedule"
        self._slots = slots
        self._queue_max = queue_max
        self._now_ms = 0
        self._running: dict[JobId, int] = {}  # and when it ends
        self._waiting: OrderedDict[JobId, Queued] = OrderedDict()  # a plain dict scans for its first
        self._ends: list[tuple[int, bool, JobId]] = []  # when, whether a waiting job's, and whose
        self._starts: list[Start] = []

    @property
    def running(self) -> int:
        """How many jobs had a slot after the last look."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many jobs had none."""
        return len(self._waiting)

    @property
    def next_end_ms(self) -> int | None:
        """The first instant at which a job is to end, or to leave the queue; None if all that run never end."""
        return self._ends[0][0] if self._ends else None

    def advance(self, now_ms: int) -> list[Start]:
        """Play all that happens up to and including *now_ms*; return the jobs that started, oldest start first."""
        self._play_until(now_ms)
        starts, self._starts = self._starts, []
        return starts

    def has_room(self, now_ms: int) -> bool:
        """Say whether a job that arrives at *now_ms* would be taken."""
        self._play_until(now_ms)
        return len(self._running) < self._slots or not self._queue_max or len(self._waiting) < self._queue_max

    def arrive(self, job: JobId, *, run_ms: int | None, now_ms: int) -> list[Start]:
        """Start *job*, or let it wait; raise `QueueFull` if it may not. A *run_ms* of None never ends."""
        if not self.has_room(now_ms):
            raise QueueFull(self.next_end_ms)
        assert job not in self._running, f"{job} runs already"
        assert job not in self._waiting, f"{job} waits already"
        self._waiting[job] = Queued(NEVER if run_ms is None else run_ms, NEVER)
        self._fill(now_ms)
        return self.advance(now_ms)

    def leave(self, job: JobId, now_ms: int) -> list[Start]:
        """Take its place or slot from *job* at *now_ms*; a job that has ended, or never came, has none."""
        return self.shorten(job, ends_at_ms=now_ms, now_ms=now_ms)

    def shorten(self, job: JobId, *, ends_at_ms: int, now_ms: int) -> list[Start]:
        """Let *job* end at *ends_at_ms* at the latest, running or waiting: what `leave` does, said beforehand."""
        assert ends_at_ms >= now_ms, "what has passed cannot be shortened"
        self._play_until(now_ms)
        if job in self._running and ends_at_ms < self._running[job]:
            self._end_run(job, ends_at_ms)
        elif job in self._waiting and ends_at_ms < self._waiting[job].leaves_at_ms:
            self._waiting[job] = Queued(self._waiting[job].run_ms, ends_at_ms)
            heappush(self._ends, (ends_at_ms, True, job))
        return self.advance(now_ms)

    def _play_until(self, now_ms: int) -> None:
        assert now_ms >= self._now_ms, f"time went back from {self._now_ms} to {now_ms}"
        self._now_ms = now_ms
        while self._ends and self._ends[0][0] <= now_ms:
            end = heappop(self._ends)
            if self._stands(end):
                at_ms, waits, job = end
                del (self._waiting if waits else self._running)[job]
                self._fill(at_ms)
        self._tidy()

    def _fill(self, at_ms: int) -> None:
        """Give the free slots to those who have waited longest."""
        while self._waiting and len(self._running) < self._slots:
            job, (run_ms, leaves_at_ms) = self._waiting.popitem(last=False)
            self._starts.append(Start(job, at_ms))
            self._end_run(job, min(at_ms + run_ms, leaves_at_ms))

    def _end_run(self, job: JobId, ends_at_ms: int) -> None:
        self._running[job] = ends_at_ms
        if ends_at_ms < NEVER:
            heappush(self._ends, (ends_at_ms, False, job))

    def _stands(self, end: tuple[int, bool, JobId]) -> bool:
        """Say whether *end* is still to come: jobs that left, started or were shortened leave an old one behind."""
        at_ms, waits, job = end
        if not waits:
            return self._running.get(job) == at_ms
        queued = self._waiting.get(job)
        return queued is not None and queued.leaves_at_ms == at_ms

    def _tidy(self) -> None:
        """Keep the top of the heap true, and the heap no larger than twice the jobs that are here."""
        while self._ends and not self._stands(self._ends[0]):
            heappop(self._ends)
        if len(self._ends) > 2 * (len(self._running) + len(self._waiting)) + HEAP_SLACK:
            self._ends = [end for end in self._ends if self._stands(end)]
            heapify(self._ends)
