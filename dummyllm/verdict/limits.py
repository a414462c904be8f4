"""Every number of the verdict, each with the setting that changes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers that the invariants go by; None asks for nothing. The names of the settings are these in capitals."""

    slack_ms: int = 50
    attempts_max: int | None = None
    attempts_warn: int = 10
    retry_after_s_max: int = 60
    retry_after_in_flight_ms: int = 100
    backoff_failures_min: int = 6
    backoff_gap_ms: int = 100
    jitter_jobs_min: int = 20
    jitter_window_ms: int = 1_000
    jitter_spread_percent: int = 2
    jitter_burst_ms: int = 50
    deadline_grace_ms: int = 1_000
    deadline_grace_percent: int = 10
    cancel_idle_ms: int = 30_000
    cancel_follow_ms: int = 30_000
    cadence_reads_min: int = 20
    cadence_gap_ms: int = 10
    quiet_reads_max: int = 5
    terminal_after_ms: int = 1_000
    poll_faults_max: int = 3
    poll_missing_ms: int = 5_000
    concurrency_max: int | None = None
    isolation_hung_ms: int = 5_000
    isolation_jobs_min: int = 3


MEANINGS = {
    "slack_ms": "timer slack: what is closer together than this, in ms, counts as at once",
    "attempts_max": "jobs that one piece of work may become; more fail attempt-budget",
    "attempts_warn": "jobs of one piece of work above which attempt-budget warns if no maximum is set",
    "retry_after_s_max": "the longest Retry-After, in seconds, that is judged",
    "retry_after_in_flight_ms": "a request this soon after a hint, in ms, may have been on its way",
    "backoff_failures_min": "failures in a row, without a hint, from which on backoff is judged",
    "backoff_gap_ms": "the longest gap of a row, in ms, below which it is a hot loop",
    "jitter_jobs_min": "pieces of work that must fail alike for jitter to be judged",
    "jitter_window_ms": "how close together, in ms, they must fail",
    "jitter_spread_percent": "spread of their gaps (IQR / median, in percent) below which there is no jitter",
    "jitter_burst_ms": "retries within this time, in ms, are a burst",
    "deadline_grace_ms": "how late, in ms, a poll after the deadline may be",
    "deadline_grace_percent": "how late it may be in percent of timeout_ms, if that is more",
    "cancel_idle_ms": "a job that nobody asked about for this long, in ms, was given up",
    "cancel_follow_ms": "how long, in ms, a runner follows a cancel that has not taken effect",
    "cadence_reads_min": "reads of a job in a row from which on their cadence is judged",
    "cadence_gap_ms": "the median gap between reads, in ms, below which they are a storm",
    "quiet_reads_max": "reads after the end was told that are welcome",
    "terminal_after_ms": "how long, in ms, before the end of the run a job must have ended for its end to be missed",
    "poll_faults_max": "faulted reads in a row that a runner must put up with",
    "poll_missing_ms": "how soon after the acceptance, in ms, a 404 is one of those",
    "concurrency_max": "jobs that may be under way at once; more fail concurrency-limit",
    "isolation_hung_ms": "how long, in ms, a job must hang for isolation to be judged",
    "isolation_jobs_min": "other jobs that must end meanwhile",
}
