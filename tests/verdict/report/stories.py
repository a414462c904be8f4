"""Runs that are worth telling, for the tests of all forms of a verdict."""

from __future__ import annotations

from typing import Any

from dummyllm.journal_line import Closing
from dummyllm.verdict.judge import Found, Verdict, judge
from dummyllm.verdict.run import Run
from tests.verdict.told import Told

CLOSING = Closing(0, "485449f279c454b2", "0123456789abcdef", "exact")
REPLAY = "DUMMYLLM_MODE=flaky DUMMYLLM_SEED=7 dummyllm serve"

# What a client may send in a header or a payload: it moves cursors, ends lines, closes tags, and calls people.
NASTY = "\x1b[2J\r\n</summary>|`*_@team #1 ```\u202e\x00\ufffe<b>&amp;"


def told_with(**more: Any) -> Told:
    return Told(**({"seed": "7", "replay": REPLAY} | more))


def duplicate(told: Told | None = None) -> Told:
    """One piece of work is submitted again while its first job is under way, and only the second one is followed."""
    told = told or told_with()
    told.later(1_000).submit("a", job=1, key="k1", ends_after_ms=900)
    told.later(50).read(1)
    told.later(10).submit("a", job=2, key="k2", ends_after_ms=900)
    told.later(940).read(2, "ok")
    told.later(5_000).submit("b", job=3)
    told.later(300).read(3, "ok")
    return told


def nasty() -> Told:
    """A run in which everything that a client chooses is chosen badly."""
    told = told_with(replay=f"DUMMYLLM_RULES='{NASTY}' dummyllm serve")
    told.submit("a", job=1, key=NASTY, trace_id=NASTY, user_agent=NASTY, note=NASTY)
    told.later(10).submit("a", job=2, key=f"{NASTY}2", trace_id=NASTY, user_agent=NASTY)
    for _ in range(25):
        told.later(1).read(2, user_agent=NASTY, shown=NASTY)
    return told


def well() -> Told:
    """A run in which nothing goes wrong."""
    told = told_with()
    told.submit("a", job=1)
    told.later(300).read(1, "ok")
    return told


def judged(told: Told, *required: str, **more: Any) -> tuple[Verdict, Run]:
    run = told.run(**{"closing": CLOSING, **more})
    return judge(run, required), run


def findings(verdict: Verdict, rule: str) -> list[Found]:
    return [found for one in verdict.invariants if one.id == rule for found in one.findings]
