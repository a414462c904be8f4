"""Scripts: what befalls the same work time after time, with no chance in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.core.faults.kind import Unit
from dummyllm.core.grammar import GrammarError
from dummyllm.core.mode import WEIGHABLE_MODES, Mode
from dummyllm.core.script import Cue, Script, read_script
from tests.core.chaos import fault, texts


def modes(text: str, steps: int) -> list[str]:
    """Return the modes of the first *steps* of the script *text*."""
    script = read_script(text)
    return [script.at(step).mode.value for step in range(steps)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ok", ["ok", "ok", "ok"]),
        ("fail,fail,ok", ["fail", "fail", "ok", "ok", "ok"]),
        ("hang*3", ["hang"] * 5),
        ("fail*2, slow, echo*2", ["fail", "fail", "slow", "echo", "echo", "echo"]),
        ("fail*1,ok", ["fail", "ok", "ok"]),
        ("ok,fail,ok,", ["ok", "fail", "ok", "ok"]),
    ],
)
def test_steps_come_one_after_another_and_the_last_one_repeats(text: str, told: list[str]) -> None:
    """Fates by step: `fail,fail,ok`, `hang*3`; the last step repeats."""
    assert modes(text, len(told)) == told


def test_a_count_is_to_the_step_and_not_one_more() -> None:
    """Both sides of the edge of the longest count there is."""
    script = read_script("fail*10000,ok")

    assert script.at(9_999).mode is Mode.FAIL
    assert script.at(10_000).mode is Mode.OK
    assert script.at(10**18).mode is Mode.OK


def test_a_step_without_a_mode_is_ok() -> None:
    """No mode means ok."""
    assert read_script("cancel.ignored").at(0) == Cue(Mode.OK, None, (fault("cancel.ignored"),))


@pytest.mark.parametrize(
    ("text", "submit", "faults"),
    [
        ("hang", None, []),
        ("submit.status(503)", "submit.status(503)", []),
        ("ok+submit.lost_ack", "submit.lost_ack", []),
        ("ok+connection.close_idle", "connection.close_idle", []),
        ("hang+cancel.ignored+submit.lost_ack+poll.stale", "submit.lost_ack", ["cancel.ignored", "poll.stale"]),
        ("poll.status(503)+run.late", None, ["poll.status(503)", "run.late"]),
    ],
)
def test_a_cue_tells_what_befalls_the_submit_from_what_befalls_its_job(
    text: str, submit: str | None, faults: list[str]
) -> None:
    """Of a step's faults at most one befalls the submit itself."""
    cue = read_script(text).at(0)

    assert (cue.submit.text if cue.submit else None) == submit
    assert texts(cue.faults) == faults
    assert all(one.kind.unit is not Unit.SUBMIT for one in cue.faults)


def test_every_repeat_of_a_step_is_the_same_step() -> None:
    """`ok+submit.lost_ack*2, hang+cancel.ignored`: two lost acknowledgements, then a hang whose cancel is ignored."""
    script = read_script("ok+submit.lost_ack*2, hang+cancel.ignored")
    lost = Cue(Mode.OK, fault("submit.lost_ack"), ())

    assert [script.at(step) for step in range(4)] == [
        lost,
        lost,
        *[Cue(Mode.HANG, None, (fault("cancel.ignored"),))] * 2,
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "column 1: expected a mode"),
        ("ok,poll.stal", "column 4: expected a fault: "),
        ("ok, hang+submit.reset", "column 10: expected submit.reset alone in its step"),
        ("random", "column 1: expected a mode"),
        ("ok*0", "column 4: expected a count from 1 to 10000"),
    ],
)
def test_a_script_with_a_mistake_is_none(text: str, mistake: str) -> None:
    """Parse errors name the column and what was expected; faults are checked as well as the grammar."""
    with pytest.raises(GrammarError) as caught:
        read_script(text)

    assert str(caught.value).startswith(mistake)


def test_scripts_of_the_same_steps_are_equal() -> None:
    """A script is a value."""
    assert read_script("fail, ok*2") == read_script(" fail,ok*2,")
    assert hash(read_script("fail")) == hash(read_script("fail"))
    assert read_script("fail,ok") != read_script("ok,fail")


def test_a_script_without_steps_is_a_mistake_of_ours() -> None:
    """The grammar sees to it that there is one."""
    with pytest.raises(AssertionError, match="a script has at least one step"):
        Script(())


STEPS = st.lists(
    st.tuples(
        st.sampled_from([mode.value for mode in WEIGHABLE_MODES]),
        st.sampled_from(["", "+cancel.ignored", "+run.late(factor=1.5)+poll.missing", "+submit.lost_ack"]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 40))
def test_a_script_spelled_and_read_again_is_the_same_script(steps: list[tuple[str, str, int]], step: int) -> None:
    """The script as it is written; and a step is where counting through the text would lead."""
    script = read_script(", ".join(f"{mode}{faults}*{count}" for mode, faults, count in steps))
    counted = [mode for mode, _, count in steps for _ in range(count)]

    assert read_script(script.spelled) == script
    assert script.at(step).mode.value == (counted[step] if step < len(counted) else counted[-1])
