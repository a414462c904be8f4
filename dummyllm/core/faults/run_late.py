"""`run.late`: a job that ends well, just after nobody waits for it any more."""

from __future__ import annotations

from functools import partial

from dummyllm.core.faults.effect import Replan
from dummyllm.core.faults.kind import Kind, Parameter, Unit, ten_thousandths
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import FINAL_STATES, Moment, State, Timeline


def late(factor: float) -> Replan:
    """Return the course that ends `ok` at *factor* times the request's own deadline."""
    return Replan(partial(_ended_late, ten_thousandths(factor)))


def _ended_late(share: int, timeline: Timeline, request: JobRequest) -> Timeline:
    end_ms = share * request.timeout_ms // 10_000
    before = tuple(moment for moment in timeline if moment.state not in FINAL_STATES and moment.at_ms <= end_ms)
    return (*before, Moment(end_ms, State.OK))


KIND = Kind(
    name="run.late",
    unit=Unit.JOB,
    parameters=(
        Parameter(name="factor", help="times `timeout_ms`", default=1.05, least=0, most=1_000, is_fraction=True),
    ),
    effect=late,
    excludes="run",
    costs="A runner that takes lateness for failure runs a slow and healthy job twice (VariantEffect/mavedb-api#788), "
    "or has on record as failed what went well (taranis-ai/taranis-ai#966); others need a late success to stay a "
    "timeout (hapyco/dygo#238).",
    sees="The job runs until `factor` times its `timeout_ms` and then ends `ok`, whatever its mode. With a factor "
    "below 1 it is just in time.",
    good_runner="Cancels at its deadline and reports one outcome: a late `ok` does not silently flip what was "
    "reported.",
    exercises=("deadline-honoured", "cancel-on-give-up", "no-concurrent-duplicate"),
    suspends=("no-redundant-execution",),
)
