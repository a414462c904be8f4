"""The timeline: states and the milliseconds at which they begin."""

from __future__ import annotations

import pytest

from dummyllm.core.timeline import FINAL_STATES, Moment, State, end_of, moment_at

RUN = (Moment(0, State.QUEUED), Moment(0, State.RUNNING), Moment(250, State.OK))
WAITS_FIRST = (Moment(0, State.QUEUED), Moment(10, State.RUNNING), Moment(20, State.FAIL))


def test_states_are_those_of_the_contract() -> None:
    """States: queued | running | ok | fail | timeout | cancelled."""
    assert [state.value for state in State] == ["queued", "running", "ok", "fail", "timeout", "cancelled"]
    assert {State.OK, State.FAIL, State.TIMEOUT, State.CANCELLED} == FINAL_STATES


@pytest.mark.parametrize(
    ("elapsed_ms", "state"),
    [(0, State.RUNNING), (249, State.RUNNING), (250, State.OK), (251, State.OK), (10**15, State.OK)],
)
def test_a_moment_holds_until_the_next_begins(elapsed_ms: int, state: State) -> None:
    """Of two at the same millisecond the later one is what a read shows."""
    assert moment_at(RUN, elapsed_ms).state is state


@pytest.mark.parametrize(
    ("elapsed_ms", "moment"), [(9, WAITS_FIRST[0]), (10, WAITS_FIRST[1]), (19, WAITS_FIRST[1]), (20, WAITS_FIRST[2])]
)
def test_a_job_may_be_queued_for_a_while(elapsed_ms: int, moment: Moment) -> None:
    """A timeline may let `queued` last before `running` begins."""
    assert moment_at(WAITS_FIRST, elapsed_ms) is moment


def test_before_the_start_the_first_moment_holds() -> None:
    """A clock that was set back shows the job as it began, not an error."""
    assert moment_at(RUN, -1) is RUN[0]


def test_a_timeline_ends_if_its_last_state_is_final() -> None:
    """`hang` stays running."""
    assert end_of(RUN) == 250
    assert end_of(RUN[:2]) is None
    assert end_of((Moment(0, State.QUEUED), Moment(0, State.RUNNING), Moment(0, State.TIMEOUT))) == 0
