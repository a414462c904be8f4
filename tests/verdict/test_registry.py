"""registry: every invariant, in the order of the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from dummyllm.core.faults.invariants import RULES
from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence, Invariant
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.limits import Limits
from dummyllm.verdict.run import Run
from tests.verdict.told import Told

PACKAGE = Path(__file__).parent.parent.parent / "dummyllm" / "verdict" / "invariants"


def test_the_ids_are_those_that_faults_speak_of() -> None:
    """In the same order; a fault that exercises a rule must find it."""
    assert tuple(INVARIANTS) == RULES


def test_every_invariant_is_a_file() -> None:
    """Named like it, and nothing else lies there."""
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "registry"}

    assert files == {rule.replace("-", "_") for rule in INVARIANTS}
    assert {one.judge.__module__.rpartition(".")[2] for one in INVARIANTS.values()} == files


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda one: one.id)
def test_every_invariant_says_all_there_is_to_say(invariant: Invariant) -> None:
    """In sentences, for docs/verdict.md."""
    for text in (invariant.fails_when, invariant.means, invariant.breaks, invariant.remedy, invariant.premise):
        assert text[0].isupper()
        assert text.endswith(".")


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda one: one.id)
def test_a_run_without_a_line_exercises_nothing(invariant: Invariant) -> None:
    """And nobody is accused of anything."""
    assert invariant.judge(Told().run()) == Evidence()


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda one: one.id)
def test_a_good_run_has_no_finding(invariant: Invariant) -> None:
    """One that fails once, is retried with a wait, is read at ease to its end, and a hang that is cancelled in time."""
    told = Told()
    told.submit("a", job=1, outcome="fail", key="k1", trace_id="t1")
    told.later(300).read(1, "fail")
    told.later(700).submit("a", job=2, key="k2", trace_id="t1")
    told.later(200).read(2)
    told.later(200).read(2, "ok")
    told.submit("b", job=3, ends_after_ms=None, timeout_ms=2000, key="k3", trace_id="t3")
    for _ in range(4):
        told.later(500).read(3)
    told.later(10).cancel(3)
    evidence = invariant.judge(told.run())

    assert (evidence.breaches, evidence.warnings, evidence.pending) == ([], [], [])


def bad_run() -> Run:
    """Return a run that breaks as many rules as it can, of jobs as of works."""
    told = Told(same=Same.PAYLOAD, limits=Limits(attempts_max=1, concurrency_max=1))
    told.submit("a", status=422, key="k")
    told.submit("a", status=429, key="k", retry_after_s=2, trace_id="t1")
    for number in range(9):
        told.later(5).submit("a", job=number, ends_after_ms=2, outcome="fail", key=f"k{number}", trace_id=f"{number}")
        told.later(5).read(number, "fail")
    for number in range(20):
        told.submit(f"b{number}", status=503)
    told.later(1000)
    for number in range(20):
        told.submit(f"b{number}", job=100 + number)
    told.submit("c", job=200, key="k", delivered="no")
    told.submit("c", job=201, key="other", ends_after_ms=None)
    for _ in range(21):
        told.later(1).read(201)
    told.cancel(201, "running")
    told.submit("c", job=202, ends_after_ms=None)
    told.read(202, status=503, retry_after_s=2)
    told.submit("d", job=205, ends_after_ms=None)
    told.read(205, delivered="no", fault="poll.reset")
    told.later(100).read(205)
    told.later(500).read(202, "running", shown="paused")
    told.later(20_000).read(202)
    told.submit("c", job=203)
    told.later(300).read(203, "ok")
    for _ in range(9):
        told.later(10).read(203, "ok")
    told.later(100).submit("c", job=204)
    told.later(60_000).read(101, "running")
    return told.run()


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda one: one.id)
def test_what_is_suspended_is_neither_judged_nor_a_premise(invariant: Invariant) -> None:
    """Here for every job and every work of the run."""
    run = bad_run()
    if invariant.id not in {"stale-state-ignored", "isolation"}:
        assert invariant.judge(run).premises, "this run puts it to the test"
    for story in run.stories.values():
        story.suspended = frozenset(RULES)
    for work in run.works:
        work.suspended = frozenset(RULES)

    assert invariant.judge(run) == Evidence()
