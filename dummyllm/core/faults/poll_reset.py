"""`poll.reset`: the connection of a status read breaks, and the job is well."""

from __future__ import annotations

from dummyllm.core.faults.effect import Break, Ending
from dummyllm.core.faults.invariants import FAILED_READ
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="poll.reset",
    unit=Unit.POLL,
    effect=lambda: Break(Ending.RST),
    excludes="poll",
    costs="A transient error on a read is taken for the failure of the job (bruin-data/bruin#570), and such errors "
    "are no rarity: in bursts 2 to 27 % of requests met a dead connection (InsForge/InsForge#1813).",
    sees="The connection of this read is reset before a byte of the answer. The job is well, and the next read is "
    "drawn anew.",
    good_runner="Reads again after a moment, on a new connection; gives up after several failures in a row, and then "
    "with a cancel.",
    exercises=("poll-faults-tolerated", "no-concurrent-duplicate", "poll-cadence"),
    suspends=FAILED_READ,
)
