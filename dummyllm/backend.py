"""Accepts jobs and answers for them: joins policy, store, journal and clock."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from dummyllm.clock import Clock
from dummyllm.core.digest import hexadecimal, term_of
from dummyllm.core.fingerprint import identifier
from dummyllm.core.job import Job, cancelled, make_job
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.snapshot import Snapshot, snapshot_at
from dummyllm.journal import Journal, What
from dummyllm.replies import Replies, Reply
from dummyllm.store import Event
from dummyllm.store.memory import MemoryStore


class Backend:
    """The one object that knows the time. It has no background task: a job is planned once, and then only looked at."""

    def __init__(
        self, *, policy: Policy, clock: Clock, journal: Journal, replies: Replies, jobs_max: int, bytes_max: int
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.journal = journal
        self.replies = replies
        self.store = MemoryStore(jobs_max=jobs_max, bytes_max=bytes_max, report=self._note)
        self._fates_of_evicted = 0
        self._identify = identifier(policy.identity)
        self.hit_of = self.store.hit_of
        self.job = self.store.get
        self.was_evicted = self.store.was_evicted

    async def accept(self, request: JobRequest) -> Job:
        """Plan and keep a job for *request*; raise `store.Full` if there is no place for it."""
        job = self.submit(request)
        return job if isinstance(job, Job) else await job

    def submit(self, request: JobRequest) -> Job | Awaitable[Job]:
        """Do what `accept` does, at once if the store need not wait: the path of every POST."""
        identity = self._identify(request)
        return self.store.accept(identity, partial(make_job, self.policy, request, identity, self.clock.now_ms()))

    def look(self, job: Job) -> tuple[Snapshot, int]:
        """Return what *job* looks like now, and the epoch millisecond that was."""
        now_ms = self.clock.now_ms()
        return snapshot_at(job, now_ms), now_ms

    async def cancel(self, job: Job) -> tuple[Job, Snapshot, int]:
        """Cancel *job* now, unless it has ended; return it, what it then looks like, and the millisecond that was."""
        now_ms = self.clock.now_ms()
        after = cancelled(job, now_ms=now_ms)
        if after is not job:
            await self.store.replace(after)
        return after, snapshot_at(after, now_ms), now_ms

    def reply(self, job: Job) -> Reply:
        """Return the reply with which *job* ends well."""
        return self.replies.reply_to(job)

    def reset(self) -> None:
        """Forget every job, counter and entry: what follows is the same as after a start."""
        self.store.clear()
        self.replies.clear()
        self.journal.clear()
        self._fates_of_evicted = 0
        self.journal.note(What.RESET, at_ms=self.clock.now_ms(), note="jobs, counters and entries were forgotten")

    @property
    def fates_digest(self) -> str:
        """The order-independent sum of every fate decided since the start or the last reset: 16 hex digits.

        It is added up when it is asked for (about a second for a million jobs), so that no submit pays for it.
        """
        return hexadecimal(sum(map(term_of, self.store.jobs()), self._fates_of_evicted))

    @property
    def reproducible(self) -> str:
        """`exact`, or what made the run weaker than that."""
        dropped = self.store.held().ordinals_dropped
        if dropped == 0:
            return "exact"
        return f"weak: the counters of {dropped} identities were dropped, so their next jobs count from 0 again"

    def _note(self, event: Event, identity: Identity, job: Job | None) -> None:
        match event:
            case Event.ORDINAL_SKIPPED:
                assert job is not None
                what, note = What.ORDINAL_SKIPPED, f"ordinal {job.ordinal} was skipped: its job is held already"
            case Event.ORDINAL_DROPPED:
                what, note = What.ORDINAL_DROPPED, "the counters of the oldest identity were dropped to stay in bounds"
            case Event.EVICTED:
                assert job is not None
                self._fates_of_evicted += term_of(job)
                what, note = What.EVICTED, f"the finished job of ordinal {job.ordinal} left to make room"
        job_id = None if job is None else job.id
        self.journal.note(what, at_ms=self.clock.now_ms(), job=job_id, identity=identity, note=note)
