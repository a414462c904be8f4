"""A store driven by hand: jobs are named, time is a number, and everything the store reports is kept.

`STORES` has a way to open each kind of store; the contract and the model run against all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from msgspec.structs import replace

from dummyllm.core.cancelling import cancel
from dummyllm.core.faults.fault import fault_of
from dummyllm.core.grammar import Call
from dummyllm.core.job import Job, make_job
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobId, JobRequest
from dummyllm.core.submit import Bent, Outcome
from dummyllm.store import Decide, Event, Held, Report
from dummyllm.store.memory import MemoryStore

Opener = Callable[[int, int, Report], Any]


def open_memory(jobs_max: int, bytes_max: int, report: Report) -> MemoryStore:
    return MemoryStore(jobs_max=jobs_max, bytes_max=bytes_max, report=report)


STORES: dict[str, Opener] = {"memory": open_memory}

OVERHEAD_BYTES = 800
PLENTY_BYTES = 10**9


class Counters(NamedTuple):
    """What a submit was decided by."""

    hit: int
    ordinal: int
    step: int


class Driven:
    """A store, its clock, and its events: (event, identity, job or None) in the order reported."""

    def __init__(self, opener: Opener, *, jobs_max: int = 100, bytes_max: int = PLENTY_BYTES) -> None:
        self._runner = asyncio.Runner()
        self.events: list[tuple[Event, Identity, Job | None]] = []
        self.store = opener(jobs_max, bytes_max, lambda *event: self.events.append(event))
        self.now_ms = 1_000
        self.counters: list[Counters] = []

    def accept(
        self,
        name: str = "a",
        *,
        mode: Mode = Mode.OK,
        base_ms: int = 250,
        bytes_: int = 2,
        op: str = "",
        key: str | None = None,
        waits: bool = False,
    ) -> Job:
        """Submit the work called *name*, with so many bytes of `args`, now; a job that *waits* has not started."""
        policy = Policy(mode=mode, base_latency_ms=base_ms)
        request, identity = JobRequest(op, b" " * bytes_), identity_named(name)

        def make(hit: int, ordinal: int, step: int) -> Job:
            self.counters.append(Counters(hit, ordinal, step))
            job = make_job(policy, request, identity, now_ms=self.now_ms, ordinal=ordinal)
            return replace(job, key=key, started_at_ms=None if waits else self.now_ms)

        job = self.submit(name, make)
        assert isinstance(job, Job), "what was decided is what is returned"
        return job

    def refuse(self, name: str = "a", *, moves_step: bool = False) -> Outcome:
        """Submit the work called *name*, and let a fault refuse it: a script's own, if it *moves_step*."""

        def bend(hit: int, ordinal: int, step: int) -> Bent:
            self.counters.append(Counters(hit, ordinal, step))
            return Bent(None, fault_of(Call("submit.reset")), hit, Policy(), moves_step=moves_step)

        return self.submit(name, bend)

    def submit(self, name: str, decide: Decide) -> Outcome:
        """Submit the work called *name*, and let *decide* say what it comes to."""
        outcome: Outcome | Coroutine[Any, Any, Outcome] = self.store.accept(identity_named(name), decide)
        return outcome if isinstance(outcome, Job | Bent) else self._runner.run(outcome)

    def count_hit(self, name: str = "a") -> int:
        """Count a submit of the work called *name* that makes no job."""
        hit: int = self._runner.run(self.store.count_hit(identity_named(name)))
        return hit

    def keyed(self, key: str) -> Job | None:
        found: Job | None = self._runner.run(self.store.keyed(key))
        return found

    def start(self, job: Job) -> Job:
        """Give a slot to a *job* that waits, now."""
        return self.replace(replace(job, started_at_ms=self.now_ms))

    def replace(self, job: Job) -> Job:
        """Keep *job* instead of the one with its id."""
        self._runner.run(self.store.replace(job))
        return job

    def cancel(self, job: Job) -> Job:
        """Cancel *job* now, as far as that is possible."""
        after = cancel(job, self.now_ms).job
        return after if after is job else self.replace(after)

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
