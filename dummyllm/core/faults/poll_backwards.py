"""`poll.backwards`: a job has ended, and then it seems to run again."""

from __future__ import annotations

from dummyllm.core.faults.effect import Lag
from dummyllm.core.faults.kind import READS, Kind, Unit

KIND = Kind(
    name="poll.backwards",
    unit=Unit.JOB,
    parameters=(READS,),
    effect=lambda reads: Lag(first=1, reads=reads),
    excludes="end reads",
    costs="Reads that reach now one copy of the truth and now another make a state go backwards "
    "(openlinker-project/openlinker#1916); a runner that follows it loses a result that it had.",
    sees="One status read shows the end, then `reads` of them show the moment before it; after them the truth.",
    good_runner="Keeps the furthest state that it has seen: an end is an end.",
    exercises=("stale-state-ignored", "no-redundant-execution"),
    suspends=("terminal-state-read", "quiet-after-terminal"),
)
