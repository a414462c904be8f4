"""`poll.stale`: a read shows the moment before the end, though the job has ended."""

from __future__ import annotations

from dummyllm.core.faults.effect import Lag
from dummyllm.core.faults.kind import READS, Kind, Unit

KIND = Kind(
    name="poll.stale",
    unit=Unit.JOB,
    parameters=(READS,),
    effect=lambda reads: Lag(first=0, reads=reads),
    excludes="end reads",
    costs="Reads are served from copies that lag behind (openlinker-project/openlinker#1916); a runner that believes "
    "them starts again what has long been done.",
    sees="The first `reads` status reads that should show the end show the moment before it; after them the truth.",
    good_runner="Polls on: as long as its deadline has not passed, a job that seems to run is no reason to submit or "
    "to give up.",
    exercises=("stale-state-ignored",),
    suspends=("terminal-state-read", "quiet-after-terminal"),
)
