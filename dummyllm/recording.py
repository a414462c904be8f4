"""Writes down what befell a run, as `DUMMYLLM_REPLAY` reads it back: only what did not go well has a line.

It is derived from the jobs that are held and from the journal's ring. What fell out of either is counted, and said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dummyllm.backend import Backend
from dummyllm.core.decision import course_of
from dummyllm.core.mode import Mode
from dummyllm.journal import What


def recorded(backend: Backend) -> Iterator[str]:
    """Yield the lines of a recording of the run so far, in an order that does not depend on that of arrival."""
    from dummyllm.core.replay import HEADING  # noqa: PLC0415  # brings the faults, which a server starts without

    policy, held = backend.policy, backend.store.held()
    yield HEADING
    yield f"# seed {policy.seed}, identity {policy.identity.value}, latency {policy.base_latency_ms} ms"
    yield f"# fates {backend.fates_digest}, traffic {backend.traffic.digest}"
    if backend.journal.dropped:
        yield f"# incomplete: {backend.journal.dropped} entries fell out of the journal (DUMMYLLM_JOURNAL_MAX)"
    if held.evicted:
        yield f"# incomplete: {held.evicted} finished jobs had left (DUMMYLLM_JOBS_MAX, DUMMYLLM_STORE_MAX_BYTES)"
    yield from sorted({*_of_jobs(backend), *_of_traffic(backend)}, key=_place)


def _of_jobs(backend: Backend) -> Iterator[str]:
    from dummyllm.core.replay import Course  # noqa: PLC0415

    usual = Course(Mode.OK, None, backend.policy.base_latency_ms)
    for job in backend.store.jobs():
        course = course_of(job)
        if backend.moves_by_reads and job.policy.base_latency_ms != backend.policy.base_latency_ms:
            course = replace(course, base_ms=job.policy.base_latency_ms)
        if course != usual:
            yield f"{job.identity.hex()} job {job.ordinal} {course.spelled}"
        for fault in job.fate.faults:
            # A fault of unit poll that a script's step names befalls the first read, whether or not that has come.
            place = f"job {job.ordinal}" if fault.kind.unit.value == "job" else f"read {job.ordinal} 0"
            yield f"{job.identity.hex()} {place} {fault.text}"


def _of_traffic(backend: Backend) -> Iterator[str]:
    for entry in backend.journal.since():
        if entry.fault is None or entry.identity is None:
            continue
        if entry.what is What.SUBMIT:
            yield f"{entry.identity.hex()} submit {entry.hit} {entry.fault}"
        elif entry.what is What.POLL and entry.fault.startswith(("poll.status", "poll.reset", "poll.slow")):
            yield f"{entry.identity.hex()} read {entry.ordinal} {entry.n} {entry.fault}"


def _place(line: str) -> tuple[object, ...]:
    identity, what, *rest = line.split(" ")
    return identity, what, [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in rest]
