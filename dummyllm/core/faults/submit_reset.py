"""`submit.reset`: the connection breaks before anything was committed."""

from __future__ import annotations

from dummyllm.core.faults.effect import Break, Ending
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="submit.reset",
    unit=Unit.SUBMIT,
    effect=lambda: Break(Ending.RST),
    excludes="submit",
    costs="From outside it looks like a lost acknowledgement, and a runner that takes every broken connection for a "
    "submit that never arrived makes copies on another day (lyft/flinkk8soperator#9). Where every layer tries again "
    "by itself, attempts multiply (HKUDS/nanobot#2760 counted 12 where 4 were expected).",
    sees="The connection is reset before a byte of the answer, and there is no job.",
    good_runner="Tries again with the same payload and the same Idempotency-Key, as if the job might exist; one layer "
    "tries again, not all of them.",
    exercises=("payload-integrity", "trace-stable"),
)
