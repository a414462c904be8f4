"""Every fault makes its effect: what the shell serves, and what the core reads."""

from __future__ import annotations

import pytest

from dummyllm.core.faults.effect import (
    Break,
    CloseAfter,
    Delay,
    Effect,
    Ending,
    Hide,
    HoldCancel,
    Lag,
    Mask,
    Refuse,
    Replan,
    Rewrite,
    Vanish,
)
from dummyllm.core.faults.fault import Fault, fault_of
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import parse_faults

EFFECTS: dict[str, Effect] = {
    "submit.status(429)": Refuse(429, None, "json"),
    "submit.status(500,retry_after=0,body=html)": Refuse(500, 0, "html"),
    "submit.reset": Break(Ending.RST),
    "submit.lost_ack": Break(Ending.FIN),
    "submit.cut_ack": Break(Ending.RST, sends_half=True),
    "submit.slow_ack": Delay(2_000),
    "submit.slow_ack(ms=1)": Delay(1),
    "connection.close_idle": CloseAfter(),
    "run.vanish": Vanish(100),
    "run.vanish(after_ms=0)": Vanish(0),
    "cancel.ignored": HoldCancel(None),
    "cancel.slow": HoldCancel(1_000),
    "cancel.slow(ms=7)": HoldCancel(7),
    "cancel.lost_ack": Break(Ending.FIN),
    "cancel.status(409)": Refuse(409),
    "poll.missing": Hide(1),
    "poll.missing(reads=3)": Hide(3),
    "poll.unknown_state": Mask("paused", 1),
    "poll.unknown_state(name=incomplete,reads=2)": Mask("incomplete", 2),
    "poll.stale": Lag(first=0, reads=1),
    "poll.stale(reads=4)": Lag(first=0, reads=4),
    "poll.backwards": Lag(first=1, reads=1),
    "poll.backwards(reads=4)": Lag(first=1, reads=4),
    "poll.status(503)": Refuse(503),
    "poll.status(429,retry_after=2)": Refuse(429, 2),
    "poll.reset": Break(Ending.RST),
    "poll.slow": Delay(2_000),
    "poll.slow(ms=5)": Delay(5),
}

# Those that change a timeline or a text; what they change it to is in the test of each.
CHANGES = {
    "run.stuck_queued": Replan,
    "run.late": Replan,
    "result.empty": Rewrite,
    "result.cut": Rewrite,
    "result.unicode": Rewrite,
}


def fault(text: str) -> Fault:
    """Return the fault that *text* spells."""
    (item,) = parse_faults(f"{text}=1")
    return fault_of(item.call)


@pytest.mark.parametrize("text", EFFECTS)
def test_a_fault_makes_its_effect(text: str) -> None:
    """A fault is only a name, its parameters, and which effect they make."""
    assert fault(text).effect == EFFECTS[text]


@pytest.mark.parametrize("text", CHANGES)
def test_a_fault_changes_a_timeline_or_a_text(text: str) -> None:
    """The job takes another course, or the reply another text."""
    assert isinstance(fault(text).effect, CHANGES[text])


def test_no_fault_is_without_a_test_of_its_effect() -> None:
    """A new fault fails here until it has a row above."""
    assert {text.partition("(")[0] for text in (*EFFECTS, *CHANGES)} == {*KINDS}
