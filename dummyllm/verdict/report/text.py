"""The verdict as text: what somebody reads in a red log at two in the morning, so that no other tool is needed.

The worst comes first, each finding with its timeline; what to do is said once for each rule. The last lines are the
ones that a log is opened at: what replays the run, and the verdict again.
"""

from __future__ import annotations

from collections.abc import Iterator

from dummyllm.verdict.finding import Result
from dummyllm.verdict.judge import Judged, Verdict
from dummyllm.verdict.report.colours import Colours
from dummyllm.verdict.report.rule import INDENT, not_exercised, told
from dummyllm.verdict.report.summary import WORDS, by_result, foretold, notes, sums, tally, title, untested, why
from dummyllm.verdict.report.words import printable, wrapped
from dummyllm.verdict.run import Run

WIDTH = 100
LABEL = 15


def text(verdict: Verdict, run: Run, *, is_colourful: bool = False) -> str:
    """Return the verdict as text, many lines; in colours only if the reader's terminal has them."""
    return "\n".join(_lines(verdict, run, Colours(on=is_colourful)))


def _lines(verdict: Verdict, run: Run, colours: Colours) -> Iterator[str]:
    yield f"{colours.result(title(verdict), verdict.verdict)} ({tally(verdict)})"
    yield ""
    for result in (Result.FAIL, Result.WARN, Result.PENDING):
        for judged in by_result(verdict, result):
            yield f"{colours.result(result.upper(), result)} {colours.label(judged.id)}"
            yield ""
            yield from map(_indented, told(judged, run, WIDTH - len(INDENT), colours))
        if result is Result.FAIL:
            for judged in untested(verdict):
                yield f"{colours.result(result.upper(), result)} {colours.label(judged.id)}"
                yield ""
                yield from map(_indented, not_exercised(judged.id, WIDTH - len(INDENT)))
    for label, said in _tail(verdict, run):
        # What replays the run stays in one line, however long: it is there to be copied.
        lines = [f"{label:<{LABEL}}{said}"] if label == "replay" else wrapped(said, WIDTH, f"{label:<{LABEL}}")
        yield lines[0].replace(label, colours.quiet(label), 1)
        yield from lines[1:]
    first, *others = wrapped(f"{verdict.verdict}: {why(verdict)}", WIDTH, f"{'verdict':<{LABEL}}")
    yield first.replace(verdict.verdict, colours.result(verdict.verdict, verdict.verdict), 1)
    yield from others


def _tail(verdict: Verdict, run: Run) -> Iterator[tuple[str, str]]:
    for result in (Result.PASS, Result.NOT_EXERCISED):
        rules = by_result(verdict, result)
        if rules:
            yield WORDS[result], ", ".join(map(_tested, rules))
    if any(by_result(verdict, result) for result in (Result.FAIL, Result.WARN)):
        yield "more", "dummyllm verdict --rules ID tells all about a rule"
    for note in notes(verdict):
        yield "note", printable(note)
    yield "oracle", f"a correct runner reports {foretold(verdict)}"
    yield "run", ", ".join(f"{name} {printable(value)}" for name, value in sums(verdict))
    if run.heading.replay:
        yield "replay", printable(run.heading.replay)


def _tested(judged: Judged) -> str:
    """Return a rule with the number of times that the runner was put to its test."""
    return f"{judged.id} ({judged.premises})" if judged.premises else judged.id


def _indented(line: str) -> str:
    return INDENT + line if line else line
