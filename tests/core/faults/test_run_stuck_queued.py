"""`run.stuck_queued`: a job that never starts."""

from __future__ import annotations

import pytest

from dummyllm.core.fate import STARTED
from dummyllm.core.faults.effect import Replan
from dummyllm.core.faults.run_stuck_queued import KIND
from dummyllm.core.request import JobRequest
from dummyllm.core.timeline import Moment, State, Timeline, end_of, moment_at

A_DAY_MS = 86_400_000


@pytest.mark.parametrize("was", [STARTED, (*STARTED, Moment(250, State.OK)), (*STARTED, Moment(0, State.FAIL))])
def test_it_never_starts_whatever_it_was_to_be(was: Timeline) -> None:
    """Only queued, for ever."""
    effect = KIND.effect()
    assert isinstance(effect, Replan)
    timeline = effect.change(was, JobRequest("llm.chat"))

    assert timeline == (Moment(0, State.QUEUED),)
    assert end_of(timeline) is None
    assert moment_at(timeline, A_DAY_MS).state is State.QUEUED
