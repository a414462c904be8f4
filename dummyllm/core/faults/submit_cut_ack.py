"""`submit.cut_ack`: the job exists, and the client gets half of the answer that says so."""

from __future__ import annotations

from dummyllm.core.faults.effect import Break, Ending
from dummyllm.core.faults.invariants import LATE_ACK
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="submit.cut_ack",
    unit=Unit.SUBMIT,
    effect=lambda: Break(Ending.RST, sends_half=True),
    befalls_answer=True,
    excludes="submit",
    costs="The official SDKs take a cut body for a connection error and send the submit again, without an "
    "Idempotency-Key; such a resubmit makes a second job (codalab/codabench#2425).",
    sees="The job is accepted and runs; a status of 201 and half of the body arrive, then the connection is reset.",
    good_runner="Believes no body that is not whole, whatever the status line said; goes on as after a lost "
    "acknowledgement.",
    exercises=("key-stable", "payload-integrity", "trace-stable"),
    suspends=LATE_ACK,
)
