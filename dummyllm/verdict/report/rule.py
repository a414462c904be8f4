"""Tells in lines of text what came of one rule: its findings with their timelines, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Found, Judged
from dummyllm.verdict.report.account import account_of
from dummyllm.verdict.report.colours import NONE, Colours
from dummyllm.verdict.report.exercise import how_to_exercise
from dummyllm.verdict.report.summary import by_work, rule_of
from dummyllm.verdict.report.timeline import timeline
from dummyllm.verdict.report.words import printable, wrapped
from dummyllm.verdict.run import Run

INDENT = "    "
DRAWN_MAX = 3  # pieces of work that are told with their timelines
TOLD_MAX = 10  # and that are told at all
SAID_MAX = 4  # findings about one of them

NEVER_TESTED = "it was required, and nothing put the runner to the test"


def told(judged: Judged, run: Run, width: int, colours: Colours = NONE) -> Iterator[str]:
    """Yield what was found, in lines at most *width* wide, each paragraph with a blank line behind it."""
    groups = by_work(judged)
    for number, group in enumerate(groups[:TOLD_MAX]):
        for sentence in sentences(group, judged.result):
            yield from wrapped(sentence, width)
        yield ""
        if number < DRAWN_MAX and group[0].result is not Result.PENDING:
            yield from drawn(group, run, width, colours)
    if len(groups) > TOLD_MAX:
        left = sum(map(len, groups[TOLD_MAX:]))
        yield f"… and {left} more; the verdict as JSON has them all"
        yield ""
    rule = rule_of(judged)
    if rule is not None and judged.result is not Result.PENDING:
        first, *others = wrapped(rule.remedy, width, "to do  ")
        yield from (first.replace("to do", colours.label("to do"), 1), *others, "")


def sentences(group: Sequence[Found], usual: Result) -> Iterator[str]:
    """Yield what was found about one piece of work; a result that is not the *usual* one is said."""
    for found in group[:SAID_MAX]:
        yield ("" if found.result is usual else f"{found.result}: ") + printable(found.message)
    if len(group) > SAID_MAX:
        yield f"… and {len(group) - SAID_MAX} times more with the same work"


def drawn(group: Sequence[Found], run: Run, width: int, colours: Colours = NONE) -> Iterator[str]:
    """Yield the timeline of the work that the findings of *group* are about, if there is one."""
    account = account_of(run, group)
    if account is not None:
        for line in timeline(account, width - len(INDENT), proof=colours.proof, quiet=colours.quiet):
            yield INDENT + line
        yield ""


def not_exercised(rule: str, width: int) -> Iterator[str]:
    """Yield why *rule* makes the verdict fail though nothing was found."""
    yield NEVER_TESTED
    for sentence in how_to_exercise(rule):
        yield from wrapped(sentence, width)
    yield ""
