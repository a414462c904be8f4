"""`cancel.ignored`: a cancel is acknowledged, and the job goes on."""

from __future__ import annotations

from dummyllm.core.faults.effect import HoldCancel
from dummyllm.core.faults.invariants import LOST_CANCEL
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="cancel.ignored",
    unit=Unit.JOB,
    effect=lambda: HoldCancel(None),
    excludes="cancel",
    costs="Cancels are acknowledged and the job completes all the same (dagster-io/dagster#3323, "
    "grantcarthew/node-rethinkdb-job-queue#82, SamSaffron/term-llm#918).",
    sees="Every cancel of the job is answered 200 with the state that it has, and changes nothing: the job ends as it "
    "would have ended, or never.",
    good_runner="Reads the state in the answer, polls until the job has ended or a bounded wait is over, takes an "
    "`ok` that came in spite of the cancel, and submits nothing before.",
    exercises=("cancel-follow-through",),
    suspends=LOST_CANCEL,
)
