"""The verdict as Markdown: the summary of a CI job, or a comment on a change.

A table of rules comes first, and each finding unfolds. Whatever a client sent may be part of a sentence, so `escaped`
has the last word on those; the texts of the rules are Markdown already.
"""

from __future__ import annotations

from collections.abc import Iterator

from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Found, Judged, Verdict
from dummyllm.verdict.report import escaped
from dummyllm.verdict.report.exercise import how_to_exercise
from dummyllm.verdict.report.rule import DRAWN_MAX, NEVER_TESTED, TOLD_MAX, drawn, sentences
from dummyllm.verdict.report.summary import (
    MISSED,
    RESULTS,
    WORDS,
    by_result,
    by_work,
    foretold,
    notes,
    rule_of,
    sums,
    tally,
    title,
    untested,
)
from dummyllm.verdict.report.words import printable
from dummyllm.verdict.run import Run

WIDTH = 110

# No emoji: these are in every font.
MARKS = {Result.FAIL: "✗", Result.WARN: "!", Result.PENDING: "…", Result.PASS: "✓", Result.NOT_EXERCISED: "–"}


def markdown(verdict: Verdict, run: Run) -> str:
    """Return the verdict as Markdown."""
    return "\n".join(_lines(verdict, run))


def _lines(verdict: Verdict, run: Run) -> Iterator[str]:
    yield from (f"## {MARKS[verdict.verdict]} {title(verdict)}", "")
    yield from (f"**{tally(verdict)}**", "")
    yield from _table(verdict)
    for result in (Result.FAIL, Result.WARN, Result.PENDING):
        for judged in by_result(verdict, result):
            yield from _rule(judged, run)
        if result is Result.FAIL:
            for judged in untested(verdict):
                yield from _untested(judged)
    yield from ("### The run", "")
    for note in notes(verdict):
        yield f"- {escaped.markdown(note)}"
    yield f"- a correct runner reports {foretold(verdict)}"
    yield f"- {', '.join(f'{name} {escaped.code(value)}' for name, value in sums(verdict))}"
    if run.heading.replay:
        yield from ("", "What replays it:", "", *escaped.fenced([printable(run.heading.replay)], "sh"))
    yield ""


def _table(verdict: Verdict) -> Iterator[str]:
    """Yield a row for every rule that was put to the test; those that were not are named in one line."""
    missed = untested(verdict)
    yield from ("| | rule | result | findings | times tested |", "| :-: | --- | --- | --: | --: |")
    for result in RESULTS[:-1]:
        for judged in by_result(verdict, result):
            word = f"**{WORDS[result]}**" if result is Result.FAIL else WORDS[result]
            yield f"| {MARKS[result]} | {judged.id} | {word} | {len(judged.findings) or ''} | {judged.premises} |"
        if result is Result.FAIL:
            for judged in missed:
                yield f"| {MARKS[result]} | {judged.id} | **{MISSED}** | | 0 |"
    others = [judged.id for judged in by_result(verdict, Result.NOT_EXERCISED) if judged not in missed]
    if others:
        yield from ("", f"Not exercised: {', '.join(others)}.")
    yield ""


def _rule(judged: Judged, run: Run) -> Iterator[str]:
    yield from (f"### {MARKS[judged.result]} {judged.id}", "")
    groups = by_work(judged)
    for number, group in enumerate(groups[:TOLD_MAX]):
        yield from _finding(group, judged, run, is_drawn=number < DRAWN_MAX)
    if len(groups) > TOLD_MAX:
        yield from (f"… and {sum(map(len, groups[TOLD_MAX:]))} more; the verdict as JSON has them all.", "")
    rule = rule_of(judged)
    if rule is not None and judged.result is not Result.PENDING:
        yield from (f"**To do:** {rule.remedy}", "")


def _finding(group: list[Found], judged: Judged, run: Run, *, is_drawn: bool) -> Iterator[str]:
    said = [*sentences(group, judged.result)]
    lines = [*drawn(group, run, WIDTH)] if is_drawn and group[0].result is not Result.PENDING else []
    if not lines:
        yield from (*(f"- {escaped.markdown(sentence)}" for sentence in said), "")
        return
    yield from ("<details>", f"<summary>{'<br>'.join(map(escaped.html, said))}</summary>", "")
    yield from escaped.fenced([line.removeprefix("    ").rstrip() for line in lines if line], "text")
    yield from ("", "</details>", "")


def _untested(judged: Judged) -> Iterator[str]:
    yield from (f"### {MARKS[Result.FAIL]} {judged.id}", "", f"{NEVER_TESTED[:1].upper()}{NEVER_TESTED[1:]}.")
    yield from (*how_to_exercise(judged.id), "")
