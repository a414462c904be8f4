"""Knows the ids of the verdict's rules: a fault says which of them it exercises, and which it suspends.

A rule is suspended for a job when the fault that befell it could get an honest runner accused, or for a piece of work
when the fault refused its submit. A false accusation costs more than a missed one.
"""

from __future__ import annotations

RULES = (
    "payload-integrity",
    "no-concurrent-duplicate",
    "no-redundant-execution",
    "attempt-budget",
    "permanent-errors-final",
    "retry-after-honoured",
    "backoff",
    "jitter",
    "deadline-honoured",
    "cancel-on-give-up",
    "cancel-follow-through",
    "poll-cadence",
    "quiet-after-terminal",
    "terminal-state-read",
    "stale-state-ignored",
    "poll-faults-tolerated",
    "unknown-state-tolerated",
    "concurrency-limit",
    "isolation",
    "trace-stable",
    "key-stable",
)

STAYING = (
    "no-concurrent-duplicate",
    "cancel-on-give-up",
    "cancel-follow-through",
    "terminal-state-read",
    "stale-state-ignored",
    "poll-faults-tolerated",
    "unknown-state-tolerated",
    "concurrency-limit",
    "isolation",
)
"""The rules that ask a runner to stay with a job to its end. Once told that the job is out of reach, it cannot."""

LATE_ACK = ("deadline-honoured", "cancel-on-give-up", "terminal-state-read", "isolation")
"""These count from the acceptance, and an honest runner learns of that late: it may have had no time left to act."""

LOST_CANCEL = ("no-redundant-execution", "concurrency-limit")
"""Whoever cancelled has let go of the result, and may need the place again after a bounded wait."""

FAILED_READ = ("deadline-honoured", "terminal-state-read", "unknown-state-tolerated", "isolation")
"""A read that failed, and its retry, come too late for these; the run may be over before the next one."""

PASSING = "408, 425, 429, and 5xx other than 501, 505 and 511"
PASSING_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505, 511})
"""The statuses after which the same request may be answered well a little later. All other errors last."""
