"""Knows what a store of jobs must do, whatever it keeps them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dummyllm.core.job import Job
from dummyllm.core.request import Identity, JobId
from dummyllm.core.submit import Outcome

Decide = Callable[[int, int, int], Outcome]
"""Says what a submit comes to, from the hit, the ordinal and the step of its identity, which all count from 0."""


class Full(Exception):
    """Every place is taken by an unfinished job; *room_at_ms* is when the next one is due to end, if any is."""

    def __init__(self, room_at_ms: int | None) -> None:
        super().__init__(room_at_ms)
        self.room_at_ms = room_at_ms


class Event(StrEnum):
    """What a store did to its own books and must not hide."""

    ORDINAL_SKIPPED = "ordinal_skipped"
    ORDINAL_DROPPED = "ordinal_dropped"
    EVICTED = "evicted"


TOLD = {
    Event.ORDINAL_SKIPPED: "ordinal {ordinal} was skipped: its job is held already",
    Event.ORDINAL_DROPPED: "the counters of the oldest identity were dropped to stay in bounds",
    Event.EVICTED: "the finished job of ordinal {ordinal} left to make room",
}
"""What a journal says of each event."""

Report = Callable[[Event, Identity, Job | None], None]
"""Told of an event with the identity and, where there is one, the job that it befell."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds at one instant."""

    jobs: int
    bytes: int
    identities: int
    ordinals_dropped: int
    evicted: int


class Store(Protocol):
    """Keeps jobs and the counters of identities. Its one step is `accept`: half a job is never kept."""

    def accept(self, identity: Identity, decide: Decide) -> Outcome | Awaitable[Outcome]:
        """Count a submit of *identity*, keep the job that *decide* makes of it, if any, and return the outcome.

        Raise `Full` if the job does not fit; then, and whatever *decide* raises, the submit is counted all the same. A
        store that need not wait returns the outcome itself: a coroutine costs as much as a draw.
        """
        ...

    async def count_hit(self, identity: Identity) -> int:
        """Count a submit of *identity* that makes no job, and return which it was, from 0."""
        ...

    async def keyed(self, key: str) -> Job | None:
        """Return the job that was submitted with the Idempotency-Key *key*, while it is held."""
        ...

    async def get(self, job_id: JobId) -> Job | None:
        """Return the job *job_id*, or None."""
        ...

    async def replace(self, job: Job) -> None:
        """Keep *job* instead of the one with its id, which is held."""
        ...

    def was_evicted(self, job_id: JobId) -> bool:
        """Say whether *job_id* is known to have been held and given up; only the latest of those are remembered."""
        ...
