"""Accepts jobs and answers for them: joins policy, store, schedule, journal and clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from msgspec.structs import replace

from dummyllm.clock import Clock, ManualClock
from dummyllm.core.cancelling import Cancelling, cancel
from dummyllm.core.digest import Traffic, hexadecimal, term_of
from dummyllm.core.fingerprint import fingerprint_of, identifier
from dummyllm.core.job import Job
from dummyllm.core.policy import Policy
from dummyllm.core.reading import Reading, plain_reading, read
from dummyllm.core.request import Identity, JobId, JobRequest
from dummyllm.core.schedule import QueueFull, Schedule, Start
from dummyllm.core.snapshot import Snapshot, snapshot_at
from dummyllm.core.submit import Bent, Outcome, decide, job_of, rule_policy, submit_fault
from dummyllm.core.timeline import State
from dummyllm.journal import Journal, What
from dummyllm.replies import Replies, Reply
from dummyllm.store import TOLD, Event
from dummyllm.store.memory import MemoryStore


class KeyReused(Exception):
    """An Idempotency-Key came with another payload than before."""


class Refused(Exception):
    """Faults refused a thousand submits in a row; a script may refuse for ever."""


class Backend:
    """The one object that knows the time. It has no background task: a job is planned once, and then only looked at.

    With *new_schedule* jobs wait for a slot. With *moves_by_reads* each job has a clock of its own, which a status read
    moves by half of the base latency. *changed* is told of each job whose end may have moved, and with None of all.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        clock: Clock,
        journal: Journal,
        replies: Replies,
        jobs_max: int,
        bytes_max: int,
        new_schedule: Callable[[], Schedule] | None = None,
        moves_by_reads: bool = False,
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.journal = journal
        self.replies = replies
        self.traffic = Traffic()
        self.moves_by_reads = moves_by_reads
        self.changed: Callable[[JobId | None], None] = lambda _: None
        self.store = MemoryStore(jobs_max=jobs_max, bytes_max=bytes_max, report=self._note)
        self._new_schedule = new_schedule
        self.schedule = new_schedule() if new_schedule is not None else None
        self.reads_are_plain = self.schedule is None and not moves_by_reads
        """Whether a read of a job that counts none changes nothing: then `look` is all it takes."""
        self._fates_of_evicted = 0
        self.identity_of = self._identify = identifier(policy.identity)
        self.hit_of = self.store.hit_of
        self.job = self.store.get
        self.was_evicted = self.store.was_evicted

    async def accept(self, request: JobRequest) -> Job:
        """Plan and keep a job for *request*, whatever befalls its submits; raise what `submit` does, or `Refused`."""
        for _ in range(1_000):
            outcome = self.submit(request)
            if not isinstance(outcome, Job | Bent):
                outcome = await outcome
            job = job_of(outcome)
            if job is not None:
                return job
        raise Refused

    def submit(self, request: JobRequest, key: str | None = None) -> Outcome | Awaitable[Outcome]:
        """Decide what a submit comes to, and keep its job; return it at once if nothing need be waited for.

        Raise, now or when awaited, `store.Full` or `QueueFull` if there is no place for the job, and `KeyReused`.
        """
        if key is not None or self.schedule is not None:
            return self._submit(request, key)
        identity = self._identify(request)
        return self.store.accept(identity, partial(decide, self.policy, request, identity, self.clock.now_ms()))

    async def _submit(self, request: JobRequest, key: str | None) -> Outcome:
        identity = self._identify(request)
        if key is not None:
            job = await self.store.keyed(key)
            if job is not None and not self._is_gone(await self.present(job)):
                return await self._again(job, request, identity)
        await self.settle()
        now_ms = self.clock.now_ms()  # not before: the queue has been played, and time does not go back in it
        outcome = self.store.accept(identity, partial(self._decide, request, identity, now_ms, key))
        job = job_of(outcome)
        if job is None or job.started_at_ms is not None or self.schedule is None:
            return outcome
        await self._start(self.schedule.arrive(job.id, run_ms=job.fate.frees_slot_after_ms, now_ms=now_ms))
        job = await self.store.get(job.id)
        assert job is not None, "a job that was just kept is held"
        return job if isinstance(outcome, Job) else replace(outcome, job=job)

    def _decide(self, request: JobRequest, identity: Identity, now_ms: int, key: str | None, *at: int) -> Outcome:
        outcome = decide(self.policy, request, identity, now_ms, *at)
        job = job_of(outcome)
        if job is None:
            return outcome
        waits = self.schedule is not None and job.fate.timeline[-1].state is not State.QUEUED
        if waits and self.schedule is not None and not self.schedule.has_room(now_ms):
            raise QueueFull(self.schedule.next_end_ms)
        job = replace(job, key=key, started_at_ms=None if waits else now_ms)
        return job if isinstance(outcome, Job) else replace(outcome, job=job)

    def _is_gone(self, job: Job) -> bool:
        """Say whether *job* has vanished, and its key with it: a key lives as long as its job."""
        return job.has_vanished(self.clock.now_ms() + job.own_ms)

    async def _again(self, job: Job, request: JobRequest, identity: Identity) -> Bent:
        """Return what another submit with the key of *job* comes to: a hit of its own, and never another job."""
        hit = await self.store.count_hit(identity)
        if fingerprint_of(job.request) != fingerprint_of(request):
            raise KeyReused
        policy = rule_policy(self.policy, request, job.ordinal) if self.policy.rules else self.policy
        fault = submit_fault(policy, identity, hit)
        is_refused = fault is not None and not fault.kind.befalls_answer
        return Bent(None if is_refused else job, fault, hit, policy, is_replay=True)

    def look(self, job: Job) -> tuple[Snapshot, int]:
        """Return what *job* looks like now, and the epoch millisecond that was."""
        now_ms = self.clock.now_ms() + job.own_ms
        return snapshot_at(job, now_ms), now_ms

    async def read(self, job: Job) -> tuple[Reading, int]:
        """Count a status read of *job*, move what it moves, and return what it shows, and the millisecond that was."""
        before = after = await self.present(job)
        if self.moves_by_reads:
            after = replace(after, own_ms=after.own_ms + after.read_moves_ms)
        now_ms = self.clock.now_ms() + after.own_ms
        reading = read(after, now_ms) if after.fate.counts_reads else plain_reading(after, now_ms)
        if reading.job is not before and await self.store.get(job.id) is not None:  # it may have left during a wait
            await self.store.replace(reading.job)
        if reading.fault is not None:
            self.traffic.add("poll", job.identity, (job.ordinal, reading.n or 0), reading.fault.text)
        return reading, now_ms

    async def cancel(self, job: Job) -> tuple[Cancelling, Snapshot, int]:
        """Cancel *job* now, as far as it can be; return what came of it, what it then shows, and when that was."""
        job = await self.present(job)
        now_ms = self.clock.now_ms() + job.own_ms
        made = cancel(job, now_ms)
        if made.job is not job:
            await self.store.replace(made.job)
            cancelled_at_ms = made.job.cancelled_at_ms
            if self.schedule is not None and cancelled_at_ms is not None:
                await self._start(self.schedule.shorten(job.id, ends_at_ms=cancelled_at_ms, now_ms=now_ms))
            self.changed(job.id)
        if made.fault is not None:
            self.traffic.add("cancel", job.identity, (job.ordinal, job.cancels), made.fault.text)
        return made, snapshot_at(made.job, now_ms), now_ms

    async def present(self, job: Job) -> Job:
        """Return *job* as it is now: it may have started, or been read or cancelled, since it was fetched."""
        await self.settle()
        return await self.store.get(job.id) or job

    async def settle(self) -> None:
        """Play what has happened in the queue up to now."""
        if self.schedule is not None:
            await self._start(self.schedule.advance(self.clock.now_ms()))

    async def _start(self, starts: Iterable[Start]) -> None:
        for start in starts:
            job = await self.store.get(start.job)
            if job is not None:
                await self.store.replace(replace(job, started_at_ms=start.at_ms))
                note = "a slot became free"
                self.journal.note(What.STARTED, at_ms=start.at_ms, job=job.id, identity=job.identity, note=note)
                self.changed(job.id)

    async def pass_time(self, job: Job, most_ms: int) -> None:
        """Let the time of a clock that stands still pass for somebody who waits for *job*: to its end, at once.

        A clock that jobs share moves by *most_ms* at the most; that of a job which never ends does not move.
        """
        ends_at_ms = job.ends_at_ms
        if self.moves_by_reads:
            if ends_at_ms is not None:
                own_ms = max(job.own_ms, ends_at_ms - self.clock.now_ms())
                await self.store.replace(replace(job, own_ms=own_ms))
        elif isinstance(self.clock, ManualClock):
            left_ms = most_ms if ends_at_ms is None else min(most_ms, ends_at_ms - self.clock.now_ms())
            await self.advance(max(0, left_ms))

    async def advance(self, by_ms: int) -> None:
        """Move a manual clock, and play what happens until then."""
        assert isinstance(self.clock, ManualClock), "only a manual clock is moved"
        self.clock.advance(by_ms)
        await self.settle()
        self.changed(None)

    def reply(self, job: Job) -> Reply:
        """Return the reply with which *job* ends well."""
        return self.replies.reply_to(job)

    def reset(self) -> None:
        """Forget every job, counter and entry: what follows is the same as after a start."""
        self.store.clear()
        self.replies.clear()
        self.journal.clear()
        self.traffic = Traffic()
        self._fates_of_evicted = 0
        self.schedule = self._new_schedule() if self._new_schedule is not None else None
        if isinstance(self.clock, ManualClock):
            self.clock.restart()
        self.journal.note(What.RESET, at_ms=self.clock.now_ms(), note="jobs, counters and entries were forgotten")
        self.changed(None)

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
        if event is Event.EVICTED and job is not None:
            self._fates_of_evicted += term_of(job)
        job_id, ordinal = (None, None) if job is None else (job.id, job.ordinal)
        note = TOLD[event].format(ordinal=ordinal)
        self.journal.note(What(event.value), at_ms=self.clock.now_ms(), job=job_id, identity=identity, note=note)
