"""Keeps jobs in memory: a dict of jobs, and a heap of those that end or vanish, so that those leave first.

Nothing runs in the background. A job that never ends is in no heap until it is cancelled; a place is only looked for
when one is needed, and then the job that ended first gives up its own. An entry of the heap may be out of date (its job
was cancelled earlier, or has left): it is checked against the job when it comes up, and thrown away.

Three counters go with each identity. The ordinal counts the jobs it became, the hit every well-formed submit, and the
step says how far its script is. They nearly always agree, so what is kept beside the ordinal is how far the other two
are ahead of it, for the few identities where they are.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from heapq import heapify, heappop, heappush

from dummyllm.core.job import Job
from dummyllm.core.request import Identity, JobId
from dummyllm.core.submit import Outcome, job_of, moves_step
from dummyllm.store import Decide, Event, Full, Held, Report

JOB_OVERHEAD_BYTES = 800
IDENTITIES_PER_JOB = 4
EVICTED_REMEMBERED_MAX = 100_000
HEAP_SLACK = 64
_LEVEL = (0, 0)  # the other counters are where the ordinal is


def size_of(job: Job) -> int:
    """Return the bytes that *job* is reckoned to hold: its payload and 800 for everything else."""
    request = job.request
    trace_id = request.trace_id
    size = len(request.args) + len(request.op) + JOB_OVERHEAD_BYTES
    return size if trace_id is None else size + len(trace_id)


class MemoryStore:
    """At most *jobs_max* jobs of *bytes_max* bytes together, gone when the process is."""

    def __init__(self, *, jobs_max: int, bytes_max: int, report: Report) -> None:
        self._jobs_max = jobs_max
        self._bytes_max = bytes_max
        self._report = report
        self._jobs: dict[JobId, Job] = {}
        self._half_jobs = jobs_max // 2
        self._half_bytes = bytes_max // 2
        self._newcomers: deque[JobId] = deque()
        self._endings: list[tuple[int, JobId]] = []
        self._bytes = 0
        self._evicted: OrderedDict[JobId, None] = OrderedDict()
        self._identities_max = IDENTITIES_PER_JOB * jobs_max
        self._ordinals: dict[Identity, int] = {}
        self.ahead: dict[Identity, tuple[int, int]] = {}
        """How far hit and step are ahead of the ordinal, for the identities where they are."""
        self._keys: dict[str, JobId] = {}
        self._dropped = 0
        self._evictions = 0

    def accept(self, identity: Identity, decide: Decide) -> Outcome:
        """Count a submit of *identity*, keep the job that *decide* makes of it, if any, and return the outcome."""
        jobs, ahead = self._jobs, self.ahead
        ordinal = self._ordinals.get(identity, 0)
        hit = step = ordinal
        if ahead and identity in ahead:
            hits, steps = ahead[identity]
            hit, step = ordinal + hits, ordinal + steps
        try:
            outcome = decide(hit, ordinal, step)
            job = outcome if type(outcome) is Job else job_of(outcome)
            while job is not None and job.id in jobs:
                self._report(Event.ORDINAL_SKIPPED, identity, job)
                ordinal += 1
                outcome = decide(hit, ordinal, step)
                job = job_of(outcome)
            if job is not None:
                self._keep(job)
        except Exception:
            self._count(identity, hit + 1, ordinal, step)
            raise
        if job is None:
            self._count(identity, hit + 1, ordinal, step + moves_step(outcome))
        elif hit == ordinal == step and not ahead:
            self._ordinals[identity] = ordinal + 1
            if len(self._ordinals) > self._identities_max:
                self._drop_oldest_identity()
        else:
            self._count(identity, hit + 1, ordinal + 1, step + 1)
        return outcome

    def hit_of(self, job: Job) -> int:
        """Return which well-formed submit of its identity the just accepted *job* came from, counted from 0."""
        return job.ordinal + self.ahead.get(job.identity, _LEVEL)[0] if self.ahead else job.ordinal

    async def count_hit(self, identity: Identity) -> int:
        """Count a submit of *identity* that makes no job, and return which it was, from 0."""
        ordinal = self._ordinals.get(identity, 0)
        hits, steps = self.ahead.get(identity, _LEVEL)
        self._count(identity, ordinal + hits + 1, ordinal, ordinal + steps)
        return ordinal + hits

    async def keyed(self, key: str) -> Job | None:
        """Return the job that was submitted with the Idempotency-Key *key*, while it is held."""
        job_id = self._keys.get(key)
        return None if job_id is None else self._jobs[job_id]

    async def get(self, job_id: JobId) -> Job | None:
        """Return the job *job_id*, or None."""
        return self._jobs.get(job_id)

    async def replace(self, job: Job) -> None:
        """Keep *job* instead of the one with its id, which is held."""
        assert job.id in self._jobs, f"{job.id} is not held"
        before = self._jobs[job.id]
        self._jobs[job.id] = job
        over_at_ms = job.over_at_ms
        if over_at_ms is not None and over_at_ms != before.over_at_ms:
            heappush(self._endings, (over_at_ms, job.id))
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
        return Held(len(self._jobs), self._bytes, len(self._ordinals), self._dropped, self._evictions)

    def clear(self) -> None:
        """Forget every job and every counter."""
        self._jobs.clear()
        self._endings.clear()
        self._newcomers.clear()
        self._evicted.clear()
        self._bytes = 0
        self._ordinals.clear()
        self.ahead.clear()
        self._keys.clear()
        self._dropped = 0
        self._evictions = 0

    def _keep(self, job: Job) -> None:
        jobs, size = self._jobs, size_of(job)
        held_bytes = self._bytes + size
        if len(jobs) >= self._half_jobs or held_bytes >= self._half_bytes:
            self._sort_in(2)
            if len(jobs) >= self._jobs_max or held_bytes > self._bytes_max:
                self._make_room(job, size)
                held_bytes = self._bytes + size
        job_id = job.id
        jobs[job_id] = job
        self._bytes = held_bytes
        self._newcomers.append(job_id)
        if job.key is not None:
            self._keys[job.key] = job_id

    def _count(self, identity: Identity, hit: int, ordinal: int, step: int) -> None:
        """Write down the counters of *identity*, as the next submit finds them."""
        ordinals = self._ordinals
        ordinals[identity] = ordinal
        if hit != ordinal or step != ordinal:
            self.ahead[identity] = (hit - ordinal, step - ordinal)
        elif self.ahead:
            self.ahead.pop(identity, None)
        if len(ordinals) > self._identities_max:
            self._drop_oldest_identity()

    def _sort_in(self, most: int) -> None:
        """Put so many of the newcomers, at *most*, into the heap."""
        newcomers = self._newcomers
        for _ in range(min(most, len(newcomers))):
            job = self._jobs.get(newcomers.popleft())
            over_at_ms = None if job is None else job.over_at_ms
            if job is not None and over_at_ms is not None:
                heappush(self._endings, (over_at_ms, job.id))

    def _make_room(self, newcomer: Job, size: int) -> None:
        self._sort_in(len(self._newcomers))
        while len(self._jobs) >= self._jobs_max or self._bytes + size > self._bytes_max:
            job = self._next_to_end()
            if job is None or self._endings[0][0] > newcomer.accepted_at_ms:
                raise Full(self._endings[0][0] if job is not None else None)
            heappop(self._endings)
            self._evict(job)

    def _next_to_end(self) -> Job | None:
        """Return the job at the top of the heap, once entries that are out of date have been thrown away."""
        while self._endings:
            over_at_ms, job_id = self._endings[0]
            job = self._jobs.get(job_id)
            if job is not None and job.over_at_ms == over_at_ms:
                return job
            heappop(self._endings)
        return None

    def _drop_oldest_identity(self) -> None:
        oldest = next(iter(self._ordinals))
        del self._ordinals[oldest]
        self.ahead.pop(oldest, None)
        self._dropped += 1
        self._report(Event.ORDINAL_DROPPED, oldest, None)

    def _rebuild_endings(self) -> None:
        """Throw out of the heap what is out of date: jobs cancelled long before their end leave an entry each."""
        overs = ((job.over_at_ms, job.id) for job in self._jobs.values())
        self._newcomers.clear()
        self._endings = [(over_at_ms, job_id) for over_at_ms, job_id in overs if over_at_ms is not None]
        heapify(self._endings)

    def _evict(self, job: Job) -> None:
        del self._jobs[job.id]
        self._bytes -= size_of(job)
        if job.key is not None and self._keys[job.key] == job.id:
            del self._keys[job.key]
        self._evictions += 1
        self._evicted[job.id] = None
        if len(self._evicted) > EVICTED_REMEMBERED_MAX:
            self._evicted.popitem(last=False)
        self._report(Event.EVICTED, job.identity, job)
