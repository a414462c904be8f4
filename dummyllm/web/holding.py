"""Holds an answer until a job ends: `Prefer: wait=N`.

A wait ends at the first of: the job's end, a cancel, N seconds, the client's departure, shutdown. A job whose end is
settled needs one timer; who waits for one that is still queued is woken when it starts, and one timer plays the queue
for all of them together.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from dummyllm.backend import Backend
from dummyllm.core.job import Job
from dummyllm.core.request import JobId
from dummyllm.web.exchange import Exchange
from dummyllm.web.refusal import ClientGone, Refusal
from dummyllm.web.waits import Waits, departure


class Holding:
    """Knows who waits for which job of *backend*."""

    def __init__(self, backend: Backend, waits: Waits) -> None:
        self._backend = backend
        self._waits = waits
        self._waiting: defaultdict[JobId, set[asyncio.Future[None]]] = defaultdict(set)
        self._bell: asyncio.TimerHandle | None = None
        backend.changed = self._changed

    async def until_end(self, exchange: Exchange, job: Job, wait_s: int) -> Job:
        """Return *job* as it is when it has ended or *wait_s* seconds have passed; raise if nobody waits any more."""
        backend = self._backend
        if not backend.clock.pace:
            await self._pass_time(job, wait_s * 1000)
        else:
            async with departure(exchange.receive) as left:
                await self._waits.held(self._until_end(job, wait_s, left))
        return await backend.present(job)  # others who waited for it may have been first to read it

    async def _pass_time(self, job: Job, most_ms: int) -> None:
        """Let the time of a clock that stands still pass until *job* is over: at once, and *most_ms* at the most."""
        backend = self._backend
        if backend.moves_by_reads:
            await backend.pass_time(job, most_ms)
            return
        job = await backend.present(job)
        while most_ms > 0 and not _is_over(job, backend.clock.now_ms()):
            next_ms = _over_at_ms(job)
            if job.started_at_ms is None and backend.schedule is not None:
                next_ms = _first(next_ms, backend.schedule.next_end_ms)  # it may start then, and its end is settled
            step_ms = most_ms if next_ms is None else min(most_ms, next_ms - backend.clock.now_ms())
            await backend.pass_time(job, step_ms)
            most_ms -= step_ms
            job = await backend.present(job)

    async def _until_end(self, job: Job, wait_s: int, left: asyncio.Future[None]) -> None:
        backend, loop = self._backend, asyncio.get_running_loop()
        give_up_s = loop.time() + wait_s
        while True:
            job = await backend.present(job)
            now_ms, over_at_ms = backend.clock.now_ms(), _over_at_ms(job)
            left_s = give_up_s - loop.time()
            if left_s <= 0 or _is_over(job, now_ms):
                return
            if await backend.job(job.id) is None:
                raise Refusal("NOT_FOUND", f"job {job.id} was forgotten while it was waited for: there was a reset")
            if over_at_ms is not None:
                left_s = min(left_s, (over_at_ms - now_ms) / backend.clock.pace / 1000)
            elif job.started_at_ms is None:
                self._ring_at_next_end()
            news = loop.create_future()
            self._waiting[job.id].add(news)
            try:
                await asyncio.wait({news, left}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._forget(job.id, news)
            if left.done():
                raise ClientGone

    def _changed(self, job_id: JobId | None) -> None:
        for waited_for in [job_id] if job_id is not None else list(self._waiting):
            for news in self._waiting.get(waited_for, ()):
                if not news.done():
                    news.set_result(None)
        if self._waiting:  # a cancel may free a slot sooner than anybody thought
            self._ring_at_next_end()

    def _forget(self, job_id: JobId, news: asyncio.Future[None]) -> None:
        self._waiting[job_id].discard(news)
        if not self._waiting[job_id]:
            del self._waiting[job_id]

    def _ring_at_next_end(self) -> None:
        """See to it that the queue is played when the next slot becomes free, whoever waits for it."""
        schedule, clock = self._backend.schedule, self._backend.clock
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None
        if schedule is None or schedule.next_end_ms is None:
            return
        after_s = max(0, schedule.next_end_ms - clock.now_ms()) / clock.pace / 1000
        self._bell = asyncio.get_running_loop().call_later(after_s, self._ring)

    def _ring(self) -> None:
        self._bell = None
        if self._waiting:
            task = asyncio.ensure_future(self._play())
            task.add_done_callback(lambda done: done.exception())

    async def _play(self) -> None:
        await self._backend.settle()
        self._ring_at_next_end()


def _over_at_ms(job: Job) -> int | None:
    """Return the instant from which on there is nothing to wait for: the job has ended, or is gone."""
    started_at_ms, gone_after_ms = job.started_at_ms, job.fate.vanishes_after_ms
    gone_at_ms = None if started_at_ms is None or gone_after_ms is None else started_at_ms + gone_after_ms
    return _first(job.ends_at_ms, gone_at_ms)


def _is_over(job: Job, now_ms: int) -> bool:
    over_at_ms = _over_at_ms(job)
    return over_at_ms is not None and over_at_ms <= now_ms


def _first(*instants_ms: int | None) -> int | None:
    return min((at_ms for at_ms in instants_ms if at_ms is not None), default=None)
