"""`poll.status`: a status read fails, and the job is well."""

from __future__ import annotations

from dummyllm.core.faults.effect import Refuse
from dummyllm.core.faults.invariants import FAILED_READ, STAYING
from dummyllm.core.faults.kind import CODE, RETRY_AFTER, Kind, Unit

KIND = Kind(
    name="poll.status",
    unit=Unit.POLL,
    parameters=(CODE, RETRY_AFTER),
    effect=lambda code, retry_after: Refuse(status=code, retry_after_s=retry_after),
    excludes="poll",
    costs="Runners take one 429 or 5xx on a read for the failure of the job (warpdotdev/warp#10275, "
    "bruin-data/bruin#570, xorbitsai/xagent#2014), and leave it running.",
    sees="This read is answered with this status, with `retry_after` also with a Retry-After in whole seconds. The "
    "job is well, and the next read is drawn anew.",
    good_runner="Slows down, waits as long as it was told but not beyond its own deadline, and reads again; gives up "
    "after several failures in a row, and then with a cancel.",
    exercises=("poll-faults-tolerated", "retry-after-honoured", "no-concurrent-duplicate", "poll-cadence"),
    suspends=FAILED_READ,
    suspends_if_lasting=STAYING,
)
