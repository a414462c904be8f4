"""backoff: whoever fails again and again comes back more slowly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from dummyllm.verdict.failures import Failure, failures_of
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Work

ID = "backoff"


def judge(run: Run) -> Evidence:
    """Look at every row of failures without a hint, and at the gaps before what was submitted after each."""
    evidence = Evidence()
    least = run.limits.backoff_failures_min
    for work in run.works if run.is_timed else ():
        if len(work.submits) < least or work.is_suspended(ID):
            continue
        for row in _rows(work):
            if len(row) >= least:
                evidence.premises += 1
                _judge_row(run, work, row, evidence)
    return evidence


def _rows(work: Work) -> Iterator[list[Failure]]:
    """Yield failures that followed one another, each tried again after it was told of, none with a hint."""
    row: list[Failure] = []
    for failure in failures_of(work, ID):
        if failure is not None and not failure.has_hint:
            row.append(failure)
            if failure.again is not None:
                continue
        if row:
            yield row
        row = []
    if row:
        yield row


def _judge_row(run: Run, work: Work, row: Sequence[Failure], evidence: Evidence) -> None:
    gaps = [failure.gap_ms for failure in row if failure.gap_ms is not None]
    longest_ms, limits = max(gaps), run.limits
    if longest_ms < limits.backoff_gap_ms:
        what = f"the longest gap was {longest_ms} ms"
        evidence.convict(_finding(work, row, what, limits.backoff_failures_min), work)
    elif (longest_ms - min(gaps)) * 100 < limits.jitter_spread_percent * median(gaps):
        what = f"every gap was between {min(gaps)} and {longest_ms} ms"
        evidence.warnings.append(_finding(work, row, what, limits.backoff_failures_min))


def _finding(work: Work, row: Sequence[Failure], what: str, shown: int) -> Finding:
    by_sdk = sum(failure.again is not None and failure.again.retries > 0 for failure in row)
    who = f", {by_sdk} of the retries by the runner's SDK" if by_sdk else ""
    message = f"{len(row)} failures in a row without a hint, and {what}{who}: that is no backoff"
    lines = [line for failure in row[:shown] for line in (failure.told, failure.again) if line is not None]
    return Finding(message, tuple(sorted({line.seq for line in lines})), logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="Of six or more failures of some work in a row, none with a hint, the longest gap from the news of one "
    "to the next submit is shorter than 100 ms. Constant intervals are warned of. Gaps need not grow: with full "
    "jitter, the best practice, half of them shrink.",
    means="A backend that fails is often overloaded. Whoever comes back at once keeps it down.",
    breaks="A retry without a wait; a backoff that begins at zero and is reset by every attempt; a queue that hands a "
    "failed message out again at once.",
    remedy="Wait for a random time between zero and a cap that doubles with every failure.",
    premise="Six attempts at some work failed in a row, without a hint, on a clock that is not moved by hand.",
    judge=judge,
)
