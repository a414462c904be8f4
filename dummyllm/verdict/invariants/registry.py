"""Knows every invariant, in the order in which a verdict lists them. A new one needs a file, a row here and a test."""

from __future__ import annotations

from dummyllm.verdict.finding import Invariant
from dummyllm.verdict.invariants import (
    attempt_budget,
    backoff,
    cancel_follow_through,
    cancel_on_give_up,
    concurrency_limit,
    deadline_honoured,
    isolation,
    jitter,
    key_stable,
    no_concurrent_duplicate,
    no_redundant_execution,
    payload_integrity,
    permanent_errors_final,
    poll_cadence,
    poll_faults_tolerated,
    quiet_after_terminal,
    retry_after_honoured,
    stale_state_ignored,
    terminal_state_read,
    trace_stable,
    unknown_state_tolerated,
)

INVARIANTS: dict[str, Invariant] = {
    module.INVARIANT.id: module.INVARIANT
    for module in (
        payload_integrity,
        no_concurrent_duplicate,
        no_redundant_execution,
        attempt_budget,
        permanent_errors_final,
        retry_after_honoured,
        backoff,
        jitter,
        deadline_honoured,
        cancel_on_give_up,
        cancel_follow_through,
        poll_cadence,
        quiet_after_terminal,
        terminal_state_read,
        stale_state_ignored,
        poll_faults_tolerated,
        unknown_state_tolerated,
        concurrency_limit,
        isolation,
        trace_stable,
        key_stable,
    )
}
