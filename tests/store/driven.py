"""A store driven by hand: jobs are named, time is a number, and everything the store reports is kept.

`STORES` has a way to open each kind of store; the contract and the model run against all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from dummyllm.core.job import Job, cancelled, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobId, JobRequest
from dummyllm.store import Event, Held, Report
from dummyllm.store.memory import MemoryStore

Opener = Callable[[int, int, Report], Any]


def open_memory(jobs_max: int, bytes_max: int, report: Report) -> MemoryStore:
    return MemoryStore(jobs_max=jobs_max, bytes_max=bytes_max, report=report)


STORES: dict[str, Opener] = {"memory": open_memory}

OVERHEAD_BYTES = 800
PLENTY_BYTES = 10**9


class Driven:
    """A store, its clock, and its events: (event, identity, job or None) in the order reported."""

    def __init__(self, opener: Opener, *, jobs_max: int = 100, bytes_max: int = PLENTY_BYTES) -> None:
        self._runner = asyncio.Runner()
        self.events: list[tuple[Event, Identity, Job | None]] = []
        self.store = opener(jobs_max, bytes_max, lambda *event: self.events.append(event))
        self.now_ms = 1_000

    def accept(
        self, name: str = "a", *, mode: Mode = Mode.OK, base_ms: int = 250, bytes_: int = 2, op: str = ""
    ) -> Job:
        """Submit the work called *name*, with so many bytes of `args`, now."""
        policy = Policy(mode=mode, base_latency_ms=base_ms)
        request, identity = JobRequest(op, b" " * bytes_), identity_named(name)

        def make(ordinal: int) -> Job:
            return make_job(policy, request, identity, now_ms=self.now_ms, ordinal=ordinal)

        job: Job | Coroutine[Any, Any, Job] = self.store.accept(identity, make)
        return job if isinstance(job, Job) else self._runner.run(job)

    def cancel(self, job: Job) -> Job:
        """Cancel *job* now, as far as that is possible."""
        after = cancelled(job, now_ms=self.now_ms)
        if after is not job:
            self._runner.run(self.store.replace(after))
        return after

    def get(self, job: Job) -> Job | None:
        found: Job | None = self._runner.run(self.store.get(job.id))
        return found

    def held(self) -> Held:
        held: Held = self.store.held()
        return held

    def evicted(self) -> list[JobId]:
        """Return the ids of the jobs that left, in the order in which they did."""
        return [job.id for event, _, job in self.events if event is Event.EVICTED and job is not None]

    def close(self) -> None:
        self._runner.close()


def identity_named(name: str) -> Identity:
    return Identity(name.encode().ljust(16)[:16])
