"""What `dummyllm verdict --rules` says: every rule of the verdict as a list, one by one, or as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from dummyllm.cli.terminal import Status, Terminal
from dummyllm.setting_values import nearest
from dummyllm.verdict.finding import Invariant
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.report.page import facts, gist, page, section
from dummyllm.verdict.report.words import wrapped

WIDTH = 100
INDENT = 17


def rules_told(name: str | None, terminal: Terminal, *, is_markdown: bool) -> Status:
    """List the rules, or tell all about the one called *name*."""
    if name is None:
        lines = [page().removesuffix("\n")] if is_markdown else _list()
    else:
        mistake = rule_mistake(name)
        if mistake is not None:
            return terminal.refuse([mistake])
        rule = INVARIANTS[name]
        lines = [section(rule).removesuffix("\n")] if is_markdown else _story(rule)
    for line in lines:
        terminal.say(line)
    return Status.OK


def rule_mistake(name: str) -> str | None:
    """Return why there is no rule called *name*, with the nearest that there is; None if there is one."""
    if name in INVARIANTS:
        return None
    return f"{name!r} is no rule of the verdict{nearest(name, list(INVARIANTS))}; dummyllm verdict --rules lists them"


def _list() -> Iterator[str]:
    width = max(map(len, INVARIANTS))
    for rule in INVARIANTS.values():
        yield f"{rule.id:<{width}}  {rule.kind:<8}  {gist(rule)}"


def _story(rule: Invariant) -> Iterator[str]:
    yield rule.id
    yield ""
    for label, fact in facts(rule):
        yield from wrapped(fact, WIDTH, f"{label:<{INDENT}}")
