"""`dummyllm faults`: everything that can go wrong on purpose, as a list, one by one, or as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Annotated

from cyclopts import Parameter

from dummyllm.cli.terminal import Status, Terminal
from dummyllm.core.faults.fault import kind_named
from dummyllm.core.faults.kind import Kind
from dummyllm.core.faults.page import arguments, facts, gist, page, section
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.grammar import GrammarError

WIDTH = 100
INDENT = 17


def faults(
    name: Annotated[str | None, Parameter(name="NAME", help="A fault, such as submit.lost_ack.")] = None,
    /,
    *,
    markdown: Annotated[
        bool, Parameter(negative="", show_default=False, help="Print the page that is docs/faults.md.")
    ] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """List the faults, or tell all about one."""
    if name is None:
        lines = [page().removesuffix("\n")] if markdown else _list()
    else:
        try:
            kind = kind_named(name.partition("(")[0])  # a fault as the list has it, with its arguments, will do
        except GrammarError as error:
            return terminal.refuse([f"expected {error.expected}, found {error.found}"])
        lines = [section(kind).removesuffix("\n")] if markdown else _story(kind)
    for line in lines:
        terminal.say(line)
    return Status.OK


def _list() -> Iterator[str]:
    width = max(len(kind.usage) for kind in KINDS.values())
    for kind in KINDS.values():
        yield f"{kind.usage:<{width}}  {kind.unit:<6}  {gist(kind)}"


def _story(kind: Kind) -> Iterator[str]:
    yield kind.usage
    for name, meaning, allowed, left_out in arguments(kind):
        yield from _entry(f"  {name}", f"{meaning}: {allowed}; if left out, {left_out}.")
    yield ""
    for label, fact in facts(kind):
        yield from _entry(label, fact)


def _entry(label: str, text: str) -> Iterator[str]:
    first, *others = wrap(text, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
    yield f"{label:<{INDENT}}{first}"
    yield from (" " * INDENT + line for line in others)
