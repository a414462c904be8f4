"""`run.stuck_queued`: a job that never starts."""

from __future__ import annotations

from dummyllm.core.faults.effect import Replan
from dummyllm.core.faults.kind import Kind, Unit
from dummyllm.core.timeline import Moment, State, Timeline

QUEUED_FOR_EVER: Timeline = (Moment(0, State.QUEUED),)

KIND = Kind(
    name="run.stuck_queued",
    unit=Unit.JOB,
    effect=lambda: Replan(lambda _timeline, _request: QUEUED_FOR_EVER),
    excludes="run",
    costs="A loop waited for ever on a job that was `queued` (Azure/azure-sdk-for-net#50519; it threw away what it "
    "read, and had no deadline to save it).",
    sees="The job is `queued` and stays so, whatever its mode; a cancel ends it.",
    good_runner="Counts the time in the queue against its own deadline; then cancels, and only then tries again.",
    exercises=("deadline-honoured", "cancel-on-give-up", "no-concurrent-duplicate", "isolation", "poll-cadence"),
)
