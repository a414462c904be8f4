"""Works faults into a fate: which befall the job, and what they make of its timeline."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

from msgspec.structs import replace

from dummyllm.core.draw import Luck
from dummyllm.core.fate import Fate
from dummyllm.core.faults.drawn import fired, served
from dummyllm.core.faults.effect import (
    Break,
    CloseAfter,
    Delay,
    Hide,
    HoldCancel,
    Lag,
    Mask,
    Refuse,
    Replan,
    Rewrite,
    Vanish,
)
from dummyllm.core.faults.fault import Fault
from dummyllm.core.faults.kind import Unit
from dummyllm.core.policy import Policy
from dummyllm.core.request import JobRequest
from dummyllm.core.script import Cue
from dummyllm.core.timeline import FINAL_STATES


def twisted(fate: Fate, policy: Policy, request: JobRequest, luck: Luck, cue: Cue | None) -> Fate:
    """Return *fate* with the faults that *policy* and the *cue* of a script bring over it."""
    forced = cue.faults if cue is not None else ()
    faults = (*forced, *fired(policy.job_odds, luck))
    if not faults and not policy.poll_odds:
        return fate
    faults = served(faults)
    return with_faults(fate, faults, request, counts_reads=bool(policy.poll_odds))


def with_faults(fate: Fate, faults: tuple[Fault, ...], request: JobRequest, *, counts_reads: bool) -> Fate:
    """Return *fate* with *faults* worked into it."""
    bent = _marked(fate, faults, counts_reads=counts_reads)
    for fault in faults:
        if isinstance(fault.effect, Replan):
            timeline = fault.effect.change(bent.timeline, request)
            keeps_failure = timeline[-1].state in FINAL_STATES and timeline[-1].state is bent.timeline[-1].state
            bent = replace(bent, timeline=timeline, failure=bent.failure if keeps_failure else None)
    return bent


# As for fates themselves: those that are equal are one value.
@lru_cache(maxsize=4096)
def _marked(fate: Fate, faults: tuple[Fault, ...], *, counts_reads: bool) -> Fate:
    vanishes_after_ms = None
    for fault in faults:
        counts_reads = counts_reads or _asks_for_a_count(fault)
        if isinstance(fault.effect, Vanish):
            vanishes_after_ms = fault.effect.after_ms
    return replace(fate, faults=faults, vanishes_after_ms=vanishes_after_ms, counts_reads=counts_reads)


def _asks_for_a_count(fault: Fault) -> bool:
    match fault.effect:
        case Hide() | Mask() | Lag() | Vanish():
            return True
        case Refuse() | Break() | Delay() | CloseAfter():
            return fault.kind.unit is Unit.POLL
        case Replan() | HoldCancel() | Rewrite():
            return False
    assert_never(fault.effect)
