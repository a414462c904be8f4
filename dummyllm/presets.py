"""Knows the named bundles of settings: a day as it may come, in one word. Whatever is set beside a preset wins."""

from __future__ import annotations

from collections.abc import Mapping

PRESETS: Mapping[str, Mapping[str, str]] = {
    # Everything at once, each thing seldom: what a runner meets in production on the wrong day.
    "bad-day": {
        "MODE": "random",
        "RANDOM_WEIGHTS": "ok=75,slow=8,fail=8,hang=3,timeout=4,flaky=2",
        "LATENCY_SHAPE": "lognormal(p99=8)",
        "FAULTS": "submit.status(503,retry_after=1)=3, submit.status(502,body=html)=1, submit.lost_ack=2, "
        "poll.status(502)=3, poll.reset=1, poll.missing=2, result.empty=1, cancel.lost_ack=5, connection.close_idle=2",
    },
    # Jobs that have to be given up, and cancels that are late, lost or of no use.
    "cancel-races": {
        "MODE": "random",
        "RANDOM_WEIGHTS": "ok=40,slow=20,hang=40",
        "FAULTS": "cancel.ignored=15, cancel.slow(ms=500)=20, cancel.lost_ack=15, cancel.status(503)=10, run.late=10",
    },
    # A backend that has less room than it is asked for, and says so.
    "rate-limited": {
        "SLOTS": "4",
        "QUEUE_MAX": "16",
        "FAULTS": "submit.status(429,retry_after=1)=25, poll.status(429,retry_after=1)=10",
    },
    # Replicas that lag: what was just written is not there yet, and what was just read is older than before.
    "read-your-writes": {
        "FAULTS": "poll.missing(reads=2)=20, poll.stale(reads=2)=20, poll.backwards=15, submit.lost_ack=3",
    },
}
