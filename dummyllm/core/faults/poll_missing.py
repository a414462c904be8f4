"""`poll.missing`: a job that was just created is not to be found yet."""

from __future__ import annotations

from dummyllm.core.faults.effect import Hide
from dummyllm.core.faults.kind import READS, Kind, Unit

KIND = Kind(
    name="poll.missing",
    unit=Unit.JOB,
    parameters=(READS,),
    effect=Hide,
    excludes="first reads",
    costs="A read that is faster than the server's own storage finds nothing, for one to three seconds in "
    "firecrawl/firecrawl#2662 (also Azure/azure-functions-durable-extension#143), and the runner gives up a job that "
    "runs.",
    sees="The first `reads` status reads of the job are answered 404; after them it is there, and was all the time.",
    good_runner="Allows a new job a bounded grace, of some reads or seconds, before it believes a 404.",
    exercises=("poll-faults-tolerated",),
    suspends=(
        "no-concurrent-duplicate",
        "deadline-honoured",
        "cancel-follow-through",
        "concurrency-limit",
        "isolation",
    ),
)
