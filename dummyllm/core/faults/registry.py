"""Lists every fault. The order counts: of those that exclude each other the first one here is served."""

from __future__ import annotations

from dummyllm.core.faults import (
    cancel_ignored,
    cancel_lost_ack,
    cancel_slow,
    cancel_status,
    connection_close_idle,
    poll_backwards,
    poll_missing,
    poll_reset,
    poll_slow,
    poll_stale,
    poll_status,
    poll_unknown_state,
    result_cut,
    result_empty,
    result_unicode,
    run_late,
    run_stuck_queued,
    run_vanish,
    submit_cut_ack,
    submit_lost_ack,
    submit_reset,
    submit_slow_ack,
    submit_status,
)
from dummyllm.core.faults.kind import Kind

KINDS: dict[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (
        submit_status,
        submit_reset,
        submit_lost_ack,
        submit_cut_ack,
        submit_slow_ack,
        connection_close_idle,
        run_vanish,
        run_stuck_queued,
        run_late,
        result_empty,
        result_cut,
        result_unicode,
        cancel_ignored,
        cancel_slow,
        cancel_lost_ack,
        cancel_status,
        poll_missing,
        poll_unknown_state,
        poll_stale,
        poll_backwards,
        poll_status,
        poll_reset,
        poll_slow,
    )
}

RANKS = {name: rank for rank, name in enumerate(KINDS)}


def rivals(kind: Kind) -> tuple[Kind, ...]:
    """Return the kinds that *kind* excludes, in order."""
    return tuple(other for other in KINDS.values() if other is not kind and other.excludes == kind.excludes)
