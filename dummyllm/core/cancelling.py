"""Decides what a cancel comes to: it takes effect, later or never, or its answer does not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from dummyllm.core.job import Job

if TYPE_CHECKING:
    from dummyllm.core.faults.fault import Fault


class Cancelling(msgspec.Struct, frozen=True):
    """What one cancel made of *job*. *fault* befell it, and *bend* is the same fault if it befalls the answer."""

    job: Job
    fault: Fault | None = None
    bend: Fault | None = None


def cancel(job: Job, now_ms: int) -> Cancelling:
    """Return what a cancel at *now_ms* makes of *job*: nothing if it has ended, in this very millisecond too."""
    ends_at_ms = job.ends_at_ms
    if ends_at_ms is not None and ends_at_ms <= now_ms:
        return Cancelling(job)
    fault = _fault(job)
    if fault is None:
        if job.cancelled_at_ms is not None:  # an earlier cancel takes its time
            return Cancelling(job)
        return Cancelling(replace(job, cancelled_at_ms=now_ms, cancels=job.cancels + 1))
    return _befallen(job, now_ms, fault)


def _befallen(job: Job, now_ms: int, fault: Fault) -> Cancelling:
    from dummyllm.core.faults.effect import HoldCancel, Refuse  # noqa: PLC0415  # fetched when there are some

    effect = fault.effect
    again = replace(job, cancels=job.cancels + 1)
    if isinstance(effect, HoldCancel):
        if effect.by_ms is None:
            return Cancelling(again, fault)
        if job.cancelled_at_ms is None:
            again = replace(again, cancelled_at_ms=now_ms + effect.by_ms)
        return Cancelling(again, fault)
    if job.cancels:  # the other two befall the first cancel of a job only
        return Cancelling(replace(again, cancelled_at_ms=now_ms))
    if isinstance(effect, Refuse):
        return Cancelling(again, fault, fault)
    return Cancelling(replace(again, cancelled_at_ms=now_ms), fault, fault)


def _fault(job: Job) -> Fault | None:
    return next((fault for fault in job.fate.faults if fault.kind.site == "cancel"), None)
