"""`submit.status`: a submit is refused before anything was committed."""

from __future__ import annotations

from dummyllm.core.faults.effect import Refuse
from dummyllm.core.faults.kind import CODE, RETRY_AFTER, Kind, Parameter, Unit


def refused(code: int, retry_after: int | None, body: str) -> Refuse:
    """Return the refusal with the status *code*."""
    return Refuse(code, retry_after, body)


KIND = Kind(
    name="submit.status",
    unit=Unit.SUBMIT,
    parameters=(
        CODE,
        RETRY_AFTER,
        Parameter(name="body", help="what the error carries", default="json", words=("json", "html", "empty")),
    ),
    effect=refused,
    excludes="submit",
    costs="Hints are ignored (earendil-works/pi#9595 waited 2 s instead of 30), bodies are parsed before the status "
    "is looked at (Significant-Gravitas/AutoGPT#944), permanent errors are tried again (openai/codex#6340).",
    sees="An error with this status, and there is no job. With `retry_after` it has a Retry-After in whole seconds; "
    "its `body` is JSON, a page of HTML, or nothing.",
    good_runner="Tells by the status, never by the body, whether another attempt can help; waits as long as it was "
    "told, or backs off with jitter if it was told nothing; sends the same payload again.",
    exercises=(
        "permanent-errors-final",
        "retry-after-honoured",
        "backoff",
        "jitter",
        "payload-integrity",
        "trace-stable",
    ),
    suspends_if_lasting=("payload-integrity",),  # whoever is told that a payload is wrong may repair it
)
