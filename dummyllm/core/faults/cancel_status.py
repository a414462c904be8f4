"""`cancel.status`: a cancel is refused, and the job goes on."""

from __future__ import annotations

from dummyllm.core.faults.effect import Refuse
from dummyllm.core.faults.invariants import LOST_CANCEL
from dummyllm.core.faults.kind import CODE, Kind, Unit

KIND = Kind(
    name="cancel.status",
    unit=Unit.JOB,
    parameters=(CODE,),
    effect=lambda code: Refuse(status=code),
    excludes="cancel",
    costs="Servers refuse cancels that came too late, with 400 or 409 (CopilotKit/aimock#170), and a job whose cancel "
    "came to nothing runs on as an orphan, like those whose cancel is never sent (apache/airflow#36090).",
    sees="The first cancel of the job is answered with this status and has no effect. Later ones are answered as ever.",
    good_runner="Reads the state: a job that has ended needs no cancel. If it runs on, sends the cancel again, a "
    "bounded number of times.",
    suspends=LOST_CANCEL,
)
