"""Keeps jobs in memory: a dict of jobs, and a heap of those that end, so that finished ones leave first.

Nothing runs in the background. A job that never ends is in no heap until it is cancelled; a place is only looked for
when one is needed, and then the job that ended first gives up its own. An entry of the heap may be out of date (its job
was cancelled earlier, or has left): it is checked against the job when it comes up, and thrown away.

Two counters go with each identity. The ordinal counts the jobs it became, the hit every well-formed submit. They nearly
always agree, so what is kept beside the ordinal is the difference, for the few identities that have one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from heapq import heapify, heappop, heappush

from dummyllm.core.job import Job
from dummyllm.core.request import Identity, JobId
from dummyllm.store import Event, Full, Held, Report

JOB_OVERHEAD_BYTES = 800
IDENTITIES_PER_JOB = 4
EVICTED_REMEMBERED_MAX = 100_000
HEAP_SLACK = 64


def size_of(job: Job) -> int:
    """Return the bytes that *job* is reckoned to hold: its payload and 800 for everything else."""
    request = job.request
    return len(request.args) + len(request.op) + len(request.trace_id or "") + JOB_OVERHEAD_BYTES


class MemoryStore:
    """At most *jobs_max* jobs of *bytes_max* bytes together, gone when the process is."""

    def __init__(self, *, jobs_max: int, bytes_max: int, report: Report) -> None:
        self._jobs_max = jobs_max
        self._bytes_max = bytes_max
        self._report = report
        self._jobs: dict[JobId, Job] = {}
        self._endings: list[tuple[int, JobId]] = []
        self._bytes = 0
        self._evicted: OrderedDict[JobId, None] = OrderedDict()
        self._identities_max = IDENTITIES_PER_JOB * jobs_max
        self._ordinals: dict[Identity, int] = {}
        self._refused: dict[Identity, int] = {}
        self._dropped = 0

    def accept(self, identity: Identity, make: Callable[[int], Job]) -> Job:
        """Keep and return the job that *make* gives for the next ordinal of *identity*; raise `Full` if none fits."""
        jobs, ordinals = self._jobs, self._ordinals
        ordinal = ordinals.get(identity, 0)
        job = make(ordinal)
        while job.id in jobs:
            self._report(Event.ORDINAL_SKIPPED, identity, job)
            ordinal += 1
            job = make(ordinal)
        size = size_of(job)
        if len(jobs) >= self._jobs_max or self._bytes + size > self._bytes_max:
            self._make_room(job, size)
        jobs[job.id] = job
        self._bytes += size
        ends_after_ms = job.fate.ends_at_ms
        if ends_after_ms is not None:
            heappush(self._endings, (job.accepted_at_ms + ends_after_ms, job.id))
        ordinals[identity] = ordinal + 1
        if len(ordinals) > self._identities_max:
            self._drop_oldest_identity()
        return job

    def hit_of(self, job: Job) -> int:
        """Return which well-formed submit of its identity the just accepted *job* came from, counted from 0."""
        return job.ordinal + self._refused.get(job.identity, 0) if self._refused else job.ordinal

    async def get(self, job_id: JobId) -> Job | None:
        """Return the job *job_id*, or None."""
        return self._jobs.get(job_id)

    async def replace(self, job: Job) -> None:
        """Keep *job* instead of the one with its id, which is held."""
        assert job.id in self._jobs, f"{job.id} is not held"
        self._jobs[job.id] = job
        ends_at_ms = job.ends_at_ms
        if ends_at_ms is not None:
            heappush(self._endings, (ends_at_ms, job.id))
        if len(self._endings) > 2 * len(self._jobs) + HEAP_SLACK:
            self._rebuild_endings()

    def was_evicted(self, job_id: JobId) -> bool:
        """Say whether *job_id* was held and given up; the latest 100,000 of those are remembered."""
        return job_id in self._evicted

    def jobs(self) -> list[Job]:
        """Return every job held, in the order in which they came."""
        return list(self._jobs.values())

    def held(self) -> Held:
        """Return what is held at this instant."""
        return Held(len(self._jobs), self._bytes, len(self._ordinals), self._dropped)

    def clear(self) -> None:
        """Forget every job and every counter."""
        self._jobs.clear()
        self._endings.clear()
        self._evicted.clear()
        self._bytes = 0
        self._ordinals.clear()
        self._refused.clear()
        self._dropped = 0

    def _make_room(self, newcomer: Job, size: int) -> None:
        while len(self._jobs) >= self._jobs_max or self._bytes + size > self._bytes_max:
            job = self._next_to_end()
            if job is None or self._endings[0][0] > newcomer.accepted_at_ms:
                self._refused[newcomer.identity] = self._refused.get(newcomer.identity, 0) + 1
                self._ordinals.setdefault(newcomer.identity, 0)
                if len(self._ordinals) > self._identities_max:
                    self._drop_oldest_identity()
                raise Full(self._endings[0][0] if job is not None else None)
            heappop(self._endings)
            self._evict(job)

    def _next_to_end(self) -> Job | None:
        """Return the job at the top of the heap, once entries that are out of date have been thrown away."""
        while self._endings:
            ends_at_ms, job_id = self._endings[0]
            job = self._jobs.get(job_id)
            if job is not None and job.ends_at_ms == ends_at_ms:
                return job
            heappop(self._endings)
        return None

    def _drop_oldest_identity(self) -> None:
        oldest = next(iter(self._ordinals))
        del self._ordinals[oldest]
        self._refused.pop(oldest, None)
        self._dropped += 1
        self._report(Event.ORDINAL_DROPPED, oldest, None)

    def _rebuild_endings(self) -> None:
        """Throw out of the heap what is out of date: jobs cancelled long before their end leave an entry each."""
        ends = ((job.ends_at_ms, job.id) for job in self._jobs.values())
        self._endings = [(ends_at_ms, job_id) for ends_at_ms, job_id in ends if ends_at_ms is not None]
        heapify(self._endings)

    def _evict(self, job: Job) -> None:
        del self._jobs[job.id]
        self._bytes -= size_of(job)
        self._evicted[job.id] = None
        if len(self._evicted) > EVICTED_REMEMBERED_MAX:
            self._evicted.popitem(last=False)
        self._report(Event.EVICTED, job.identity, job)
