"""Writes docs/faults.md out of the registry, and tells the facts of one fault to whoever shows them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dummyllm.core.faults.introduction import INTRODUCTION
from dummyllm.core.faults.invariants import PASSING
from dummyllm.core.faults.kind import Kind, Parameter, Unit
from dummyllm.core.faults.registry import KINDS, rivals

UNITS = {
    Unit.SUBMIT: "`submit`, so a percentage of all well-formed submits.",
    Unit.JOB: "`job`, so a percentage of all accepted jobs.",
    Unit.POLL: "`poll`, so a percentage of all status reads.",
}

THE_FAULTS = """\
## The faults

Each is shown with all its arguments, at their defaults or with an example. *Exercises* names the rules of the verdict
that a fault can put to the test. *Suspends* names those that are not judged for a job that it befell, or for the work
whose submit it refused, because it could get an honest runner accused: a false accusation costs more than a missed one.
"""

LASTING = f"after a status that lasts (all but {PASSING})"

_ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def page() -> str:
    """Return the whole of docs/faults.md."""
    return "\n".join([INTRODUCTION, THE_FAULTS, _overview(), *map(section, KINDS.values())])


def section(kind: Kind) -> str:
    """Return what the page says of *kind*."""
    lines = [f"### {kind.name}", "", f"    {kind.usage}", ""]
    if kind.parameters:
        heading = ("argument", "what it is", "allowed", "if left out")
        rows = ((f"`{name}`", *others) for name, *others in arguments(kind))
        lines += [*_table(heading, rows), ""]
    for label, fact in facts(kind):
        lines.append(f"- **{label.capitalize()}**: {_ISSUE.sub(_link, fact)}")
    return "\n".join([*lines, ""])


def gist(kind: Kind) -> str:
    """Return what the client sees of *kind*, in one sentence."""
    return kind.sees.partition(". ")[0].removesuffix(".") + "."


def facts(kind: Kind) -> Iterator[tuple[str, str]]:
    """Yield all that there is to say about *kind*, fact by fact, each with its label."""
    yield "unit", UNITS[kind.unit]
    yield "the client sees", kind.sees
    yield "in the wild", kind.costs
    yield "a good runner", kind.good_runner
    yield "exercises", _exercised(kind)
    yield "suspends", _suspended(kind)
    yield "excludes", _coded(other.name for other in rivals(kind)) + "."


def arguments(kind: Kind) -> Iterator[tuple[str, str, str, str]]:
    """Yield for every argument of *kind* its name, what it is, what it may be, and what holds if it is left out."""
    for parameter in kind.parameters:
        meaning = f"{parameter.help}; may go without its name" if parameter.is_positional else parameter.help
        yield parameter.name, meaning, parameter.allowed, _left_out(parameter)


def _left_out(parameter: Parameter) -> str:
    if parameter.default is not None:
        return str(parameter.default)
    return "nothing" if parameter.is_optional else "a mistake"


def _exercised(kind: Kind) -> str:
    if not kind.exercises:
        return "no rule; what the runner made of it shows in its own records only."
    return f"{_coded(kind.exercises)}."


def _suspended(kind: Kind) -> str:
    always = _coded(kind.suspends) or "nothing"
    more = _coded(rule for rule in kind.suspends_if_lasting if rule not in kind.suspends)
    return f"{always}; {LASTING}, also {more}." if more else f"{always}."


def _coded(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _overview() -> str:
    rows = ((f"[`{kind.usage}`](#{_anchor(kind)})", kind.unit.value, gist(kind)) for kind in KINDS.values())
    return "\n".join([*_table(("fault", "unit", "what the client sees"), rows), ""])


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (heading, ("---",) * len(heading), *rows):
        yield f"| {' | '.join(row)} |"


def _anchor(kind: Kind) -> str:
    return kind.name.replace(".", "")  # as GitHub and others make anchors of headings: without punctuation


def _link(issue: re.Match[str]) -> str:
    return f"[{issue[0]}](https://github.com/{issue[1]}/issues/{issue[2]})"
