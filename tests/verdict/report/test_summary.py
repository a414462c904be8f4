"""The verdict in one line: how many rules came to what."""

from __future__ import annotations

import pytest

from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Ambiguity, Found, Judged
from dummyllm.verdict.report.summary import by_work, foretold, notes, tally, title, untested
from dummyllm.verdict.same import Same
from tests.verdict.report.stories import duplicate, judged, told_with, well


@pytest.mark.parametrize(
    ("required", "said"),
    [
        ((), "2 failed, 2 passed, 17 not exercised"),
        (("isolation",), "2 failed, 1 required but not exercised, 2 passed, 16 not exercised"),
        (("terminal-state-read",), "2 failed, 2 passed, 17 not exercised"),
    ],
)
def test_every_rule_is_counted_once(required: tuple[str, ...], said: str) -> None:
    """One that was required and not exercised is told apart from those that nobody asked for."""
    assert tally(judged(duplicate(), *required)[0]) == said


@pytest.mark.parametrize(("is_final", "said"), [(True, "pass"), (False, "pass, so far")])
def test_a_verdict_before_the_end_says_so(*, is_final: bool, said: str) -> None:
    """It may yet change."""
    assert title(judged(well(), is_final=is_final)[0]) == f"dummyLLM verdict: {said}"


def test_what_is_missed_is_only_what_was_required() -> None:
    """And not exercised; before the end it may still come."""
    required = ("isolation", "no-redundant-execution", "jitter")

    assert [one.id for one in untested(judged(well(), *required)[0])] == ["jitter", "isolation"]
    assert untested(judged(well(), *required, is_final=False)[0]) == []


def test_findings_about_the_same_work_stand_together() -> None:
    """Those that fail a rule before those that warn; a finding about no work stands alone."""

    def found(result: Result, message: str, work: str | None) -> Found:
        return Found(result, message, (), logical_job=work)

    fail, warn = Result.FAIL, Result.WARN
    findings = (
        found(warn, "a", "L1"), found(fail, "b", "L2"), found(fail, "c", None), found(fail, "d", "L2"),
        found(fail, "e", None), found(fail, "f", "L1"),
    )  # fmt: skip
    rule = Judged("a-rule", judged(well())[0].invariants[0].kind, fail, 1, findings)

    assert [[one.message for one in group] for group in by_work(rule)] == [["b", "d"], ["c"], ["e"], ["f"], ["a"]]


def test_the_oracle_is_told_in_numbers() -> None:
    """What a correct runner reports, the most frequent first."""
    told = told_with()
    for number, outcome in enumerate(["fail", "ok", "ok"]):
        told.submit(f"payload-{number}", job=number, outcome=outcome)
        told.later(300).read(number, outcome)

    assert foretold(judged(told)[0]) == "2 ok, 1 fail"
    assert foretold(judged(told_with())[0]) == "nothing"


@pytest.mark.parametrize(
    ("count", "named"), [(1, "L1"), (5, "L1, L2, L3, L4, L5"), (7, "L1, L2, L3, L4, L5 and 2 more")]
)
def test_ambiguous_work_is_named_with_what_to_do_about_it(count: int, named: str) -> None:
    """A few by their names."""
    told = told_with(same=Same.AUTO)
    for number in range(count):
        for again in range(2):
            told.submit(f"payload-{number}", job=2 * number + again, ends_after_ms=None)
    verdict, _ = judged(told)

    assert all(isinstance(one, Ambiguity) for one in verdict.ambiguous)
    assert next(notes(verdict)) == (
        f"{named}: equal payloads that may be one piece of work or several, so they convict nobody; "
        "DUMMYLLM_VERDICT_IDENTITY says which"
    )
