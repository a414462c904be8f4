"""`poll.slow`: the answer to a status read takes its time, and the job is well."""

from __future__ import annotations

from dummyllm.core.faults.effect import Delay
from dummyllm.core.faults.invariants import FAILED_READ
from dummyllm.core.faults.kind import DELAY_MS, Kind, Unit

KIND = Kind(
    name="poll.slow",
    unit=Unit.POLL,
    parameters=(DELAY_MS,),
    effect=lambda ms: Delay(by_ms=ms),
    befalls_answer=True,
    excludes="poll",
    costs="A client without a deadline of its own waits for as long as nothing comes: 8.7 hours on a stalled answer "
    "in microsoft/amplifier#339. By default ollama-python waits for ever, and the official SDKs wait ten minutes.",
    sees="The answer to this read arrives `ms` milliseconds late. The job is well, and the next read is drawn anew.",
    good_runner="Gives every read a time limit that ends before its own deadline does, and takes a read that ran into "
    "it for a read that failed, not for a job that failed.",
    exercises=("no-concurrent-duplicate",),
    suspends=("cancel-on-give-up", *FAILED_READ),
)
