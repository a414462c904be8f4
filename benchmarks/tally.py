"""What a load did: how much was answered, how fast, and what went wrong.

Both load generators are closed loops: a connection waits for its answer before it sends again, as a runner's worker
does. While the server stands still such a loop sends nothing, so a long pause shows in at most one request per
connection and hides those that would have come meanwhile (*coordinated omission*). The percentiles here are therefore
corrected as wrk and HdrHistogram do it: a latency of twice the mean interval of its connection or more also counts as
the latencies of the requests that were held back behind it. It is still no open loop: how a server fares when requests
keep arriving faster than it answers is not measured here, and no percentile here says it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """*refused* answers had another status than 2xx; *broken* connections ended before their answer."""

    completed: int
    seconds: float
    p50_us: int
    p99_us: int
    max_us: int
    refused: int
    broken: int

    @property
    def per_second(self) -> float:
        return self.completed / self.seconds


def tally(latencies_us: Sequence[int], *, seconds: float, connections: int, refused: int, broken: int) -> Tally:
    """Return the sum of a run in which each of *connections* had one request under way at any time."""
    interval_us = max(1, round(seconds * 1e6 * connections / max(1, len(latencies_us))))
    corrected = sorted(with_omitted(latencies_us, interval_us))
    return Tally(
        completed=len(latencies_us),
        seconds=seconds,
        p50_us=percentile(corrected, 50),
        p99_us=percentile(corrected, 99),
        max_us=percentile(corrected, 100),
        refused=refused,
        broken=broken,
    )


def with_omitted(latencies_us: Sequence[int], interval_us: int) -> list[int]:
    """Return *latencies_us* and those of the requests that a steady source would have sent while one was held."""
    omitted: list[int] = []
    for latency_us in latencies_us:
        if latency_us >= 2 * interval_us:
            omitted += range(latency_us - interval_us, interval_us, -interval_us)
    return [*latencies_us, *omitted]


def percentile(ordered: Sequence[int], percent: int) -> int:
    """Return the smallest value that at least *percent* in a hundred do not exceed, and 0 of nothing."""
    if not ordered:
        return 0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def parse(output: str) -> Tally:
    """Return the tally that a load generator printed: the last line that looks like a JSON object."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return Tally(**json.loads(lines[-1]))
