"""`cancel.slow`: a cancel is acknowledged, and takes effect a while later."""

from __future__ import annotations

from dummyllm.core.faults.effect import HoldCancel
from dummyllm.core.faults.invariants import LOST_CANCEL
from dummyllm.core.faults.kind import Kind, Parameter, Unit

KIND = Kind(
    name="cancel.slow",
    unit=Unit.JOB,
    parameters=(
        Parameter(name="ms", help="when it takes effect, from the cancel", default=1_000, least=1, most=86_400_000),
    ),
    effect=lambda ms: HoldCancel(by_ms=ms),
    excludes="cancel",
    costs="Jobs stay in `cancelling` for long or for ever (PrefectHQ/prefect#4490, PrefectHQ/prefect#21616), and what "
    "was cancelled may still bring output (BerriAI/litellm#36034 got 4 of 8 lines).",
    sees="The cancel is answered 200 with the state that the job still has; `ms` milliseconds later it is "
    "`cancelled`, unless it ended by itself before.",
    good_runner="Keeps polling until the job has ended, counts its place as taken for so long, waits a bounded time, "
    "and submits nothing before.",
    exercises=("cancel-follow-through",),
    suspends=LOST_CANCEL,
)
