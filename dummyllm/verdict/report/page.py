"""Writes docs/verdict.md out of the rules, and tells the facts of one rule to whoever shows them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from inspect import getmodule

from dummyllm.core.faults.registry import KINDS
from dummyllm.verdict.finding import Invariant
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.limits import MEANINGS, Limits
from dummyllm.verdict.report.exercise import (
    faults_that_exercise,
    faults_that_suspend,
    faults_that_suspend_if_lasting,
)
from dummyllm.verdict.report.introduction import INTRODUCTION, LIMITS, RULES

PREFIX = "DUMMYLLM_VERDICT_"

_FAULT = re.compile("`(" + "|".join({kind.site for kind in KINDS.values()}) + r")\.([a-z_]+)`")


def page() -> str:
    """Return the whole of docs/verdict.md."""
    limits = _table(("setting", "default", "meaning"), _limits())
    overview = _table(("rule", "kind", "what it asks for"), map(_row, INVARIANTS.values()))
    return "\n".join([INTRODUCTION, LIMITS, *limits, "", RULES, *overview, "", *map(section, INVARIANTS.values())])


def section(rule: Invariant) -> str:
    """Return what the page says of *rule*."""
    lines = [f"- **{label.capitalize()}**: {_FAULT.sub(_link, fact)}" for label, fact in facts(rule)]
    return "\n".join([f"### {rule.id}", "", *lines, ""])


def gist(rule: Invariant) -> str:
    """Return what *rule* asks for, in one sentence: its module begins with that."""
    said = (getmodule(rule.judge).__doc__ or "").partition(": ")[2].strip()
    return said[:1].upper() + said[1:] or rule.remedy  # `python -OO` takes docstrings away


def facts(rule: Invariant) -> Iterator[tuple[str, str]]:
    """Yield all that there is to say about *rule*, fact by fact, each with its label."""
    yield "kind", f"{rule.kind}."
    yield "fails when", rule.fails_when
    yield "a good runner", rule.means
    yield "what breaks it", rule.breaks
    yield "what to do", rule.remedy
    yield "premise", rule.premise
    yield "exercised by", f"{_coded(faults_that_exercise(rule.id)) or 'no fault in particular'}."
    lasting = [f"`{name}` with a status that lasts" for name in faults_that_suspend_if_lasting(rule.id)]
    always = _coded(faults_that_suspend(rule.id))
    yield "suspended by", f"{', '.join([*([always] if always else ()), *lasting]) or 'no fault'}."


def _limits() -> Iterator[tuple[str, ...]]:
    for field in fields(Limits):
        default = "none" if field.default is None else f"`{field.default}`"
        yield f"`{PREFIX}{field.name.upper()}`", default, MEANINGS[field.name]


def _row(rule: Invariant) -> tuple[str, ...]:
    return f"[{rule.id}](#{rule.id})", rule.kind, gist(rule)


def _coded(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _link(fault: re.Match[str]) -> str:
    return f"[{fault[0]}](faults.md#{fault[1]}{fault[2]})"


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (heading, ("---",) * len(heading), *rows):
        yield f"| {' | '.join(row)} |"
