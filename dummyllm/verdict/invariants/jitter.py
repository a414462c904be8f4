"""jitter: those that fail together do not come back together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from dummyllm.journal_line import Line
from dummyllm.verdict.failures import failures_of
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, done_ms

ID = "jitter"


@dataclass(frozen=True, slots=True)
class _Retry:
    """A failure of the work *work*, and the submit that came after it."""

    work: str
    told: Line
    again: Line

    @property
    def gap_ms(self) -> int:
        return self.again.arrived_ms - done_ms(self.told)


def judge(run: Run) -> Evidence:
    """Look at all pieces of work that failed alike within a second, and at how they came back."""
    evidence = Evidence()
    if not run.is_timed:
        return evidence
    by_failure: defaultdict[str, list[_Retry]] = defaultdict(list)
    for work in run.works:
        if work.is_weak or work.is_suspended(ID):
            continue
        for failure in failures_of(work, ID) if len(work.submits) > 1 else ():
            if failure is not None and failure.again is not None and not failure.has_hint:
                by_failure[failure.alike].append(_Retry(work.name, failure.told, failure.again))
    for alike, retries in by_failure.items():
        for crowd in _crowds(run, retries):
            evidence.premises += 1
            evidence.warnings += _judge_crowd(run, alike, crowd)
    return evidence


def _crowds(run: Run, retries: list[_Retry]) -> Iterator[list[_Retry]]:
    """Yield enough pieces of work that failed within one window, each with its first failure there; none twice."""
    retries.sort(key=lambda retry: (done_ms(retry.told), retry.told.seq))
    within: Counter[str] = Counter()
    start = end = 0
    while start < len(retries):
        until_ms = done_ms(retries[start].told) + run.limits.jitter_window_ms
        while end < len(retries) and done_ms(retries[end].told) < until_ms:
            within[retries[end].work] += 1
            end += 1
        if len(within) >= run.limits.jitter_jobs_min:
            yield list({retry.work: retry for retry in reversed(retries[start:end])}.values())
            within.clear()
            start = end
            continue
        within[retries[start].work] -= 1
        if not within[retries[start].work]:
            del within[retries[start].work]
        start += 1


def _judge_crowd(run: Run, alike: str, crowd: Sequence[_Retry]) -> Iterator[Finding]:
    limits = run.limits
    gaps = [retry.gap_ms for retry in crowd]
    low, _, high = quantiles(gaps, n=4)
    if (high - low) * 100 < limits.jitter_spread_percent * median(gaps):
        what = f"half of them came back after {low:.0f} to {high:.0f} ms"
        yield _finding(alike, crowd, what, crowd[: limits.jitter_jobs_min])
        return
    crowd = sorted(crowd, key=lambda retry: (retry.again.arrived_ms, retry.again.seq))
    for start in range(len(crowd) - limits.jitter_jobs_min + 1):
        burst = crowd[start : start + limits.jitter_jobs_min]
        if burst[-1].again.arrived_ms - burst[0].again.arrived_ms <= limits.jitter_burst_ms:
            yield _finding(alike, crowd, f"{len(burst)} of them came back within {limits.jitter_burst_ms} ms", burst)
            return


def _finding(alike: str, crowd: Sequence[_Retry], what: str, shown: Sequence[_Retry]) -> Finding:
    message = (
        f"{len(crowd)} pieces of work failed alike ({alike}) at about the same time, and {what}: there is no jitter"
    )
    return Finding(message, tuple(sorted({line.seq for retry in shown for line in (retry.told, retry.again)})))


INVARIANT = Invariant(
    id=ID,
    kind=Kind.ADVISORY,
    fails_when="Twenty or more pieces of work failed alike inside one second, without a hint, and the spread of the "
    "gaps to their next submits (IQR / median) is below 2 %, or twenty of these came within 50 ms. It warns only.",
    means="An outage fails everybody at once. Those that wait equally long come back at once as well, and again.",
    breaks="A fixed delay; exponential backoff without a random part; a timer on the full second for all workers.",
    remedy="Draw every wait at random, between zero and the backoff.",
    premise="Twenty pieces of work failed alike inside one second and were tried again.",
    judge=judge,
)
