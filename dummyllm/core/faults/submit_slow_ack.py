"""`submit.slow_ack`: the job exists, and the answer that says so takes its time."""

from __future__ import annotations

from dummyllm.core.faults.effect import Delay
from dummyllm.core.faults.invariants import LATE_ACK
from dummyllm.core.faults.kind import DELAY_MS, Kind, Unit

KIND = Kind(
    name="submit.slow_ack",
    unit=Unit.SUBMIT,
    parameters=(DELAY_MS,),
    effect=lambda ms: Delay(by_ms=ms),
    befalls_answer=True,
    excludes="submit",
    costs="A client that stops waiting takes the submit for failed and makes a second job, as in "
    "lyft/flinkk8soperator#9 and D4-project/Plum-Island#33.",
    sees="The job is accepted at once and runs; the answer arrives `ms` milliseconds late, if the client still waits "
    "for it.",
    good_runner="Waits long enough; when it stops waiting, takes the outcome for unknown and not for failed, and "
    "tries again with the same Idempotency-Key.",
    exercises=("key-stable", "payload-integrity", "trace-stable"),
    suspends=LATE_ACK,
)
