"""`submit.lost_ack`: the job exists, and the client never hears of it."""

from __future__ import annotations

from dummyllm.core.faults.effect import Break, Ending
from dummyllm.core.faults.invariants import LATE_ACK
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="submit.lost_ack",
    unit=Unit.SUBMIT,
    effect=lambda: Break(Ending.FIN),
    befalls_answer=True,
    excludes="submit",
    costs="A naive retry makes a duplicate: three copies of one job ran at once (lyft/flinkk8soperator#9; also "
    "codalab/codabench#2425). The official SDKs send no Idempotency-Key, so they are naive by default.",
    sees="The job is accepted and runs; the connection closes with 0 bytes.",
    good_runner="Tries again with the same Idempotency-Key and gets the job that it already has; without a key, it "
    "knows that the outcome is unknown and not that it failed.",
    exercises=("key-stable", "payload-integrity", "trace-stable"),
    suspends=LATE_ACK,
)
