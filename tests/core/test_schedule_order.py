"""The order of things within one millisecond of the schedule, where looking in between must change nothing."""

from __future__ import annotations

import pytest

from dummyllm.core.request import JobId
from dummyllm.core.schedule import Schedule, Start

HUNG, FIRST, LEAVING, LAST = map(JobId, ("hung", "first", "leaving", "last"))


@pytest.mark.parametrize("looks", [False, True])
def test_a_cancel_comes_after_all_that_was_settled_for_its_millisecond(*, looks: bool) -> None:
    """Waiting jobs leave that were to leave by then; then come a cancel and a new arrival."""
    schedule = Schedule(slots=1, queue_max=0)
    schedule.arrive(HUNG, run_ms=None, now_ms=0)
    schedule.arrive(FIRST, run_ms=0, now_ms=0)
    schedule.arrive(LEAVING, run_ms=0, now_ms=0)
    schedule.shorten(LEAVING, ends_at_ms=3, now_ms=0)
    schedule.arrive(LAST, run_ms=0, now_ms=2)
    if looks:
        assert schedule.advance(3) == []

    assert schedule.leave(HUNG, 3) == [Start(FIRST, 3), Start(LAST, 3)]
