"""`run.vanish`: a job that existed is not to be found any more."""

from __future__ import annotations

from dummyllm.core.faults.effect import Vanish
from dummyllm.core.faults.invariants import STAYING
from dummyllm.core.faults.kind import Kind, Parameter, Unit

KIND = Kind(
    name="run.vanish",
    unit=Unit.JOB,
    parameters=(
        Parameter(
            name="after_ms", help="milliseconds from the start of the run", default=100, least=0, most=86_400_000
        ),
    ),
    effect=Vanish,
    excludes="run",
    costs="Servers forget jobs when they restart (vllm-project/vllm#22137), and what was accepted can never be "
    "fetched (digitalocean/gradient-python#96); a batch that had disappeared was polled without end "
    "(tensorzero/tensorzero#1198).",
    sees="The job is there until `after_ms` milliseconds after its start; from then on everything that names it is "
    "answered 404, for ever. With 0 it is never seen at all.",
    good_runner="Takes a 404 that stays for a lost job: submits the work once more, or fails clearly, and does not "
    "poll without end.",
    exercises=("attempt-budget",),
    suspends=("deadline-honoured", *STAYING),
)
