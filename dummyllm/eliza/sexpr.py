"""Knows the parentheses of a script file: lists within lists of atoms, each with the line it stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from dummyllm.eliza.complaint import Complaint, ScriptError
from dummyllm.eliza.words import SURROGATES, composed

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN: Final = re.compile(r"\n|;[^\n]*|[()=]|[0-9]+|[^\s()=;]+")
DEPTH_MAX: Final = 8  # the deepest form, a list of words inside PRE, needs five
SHOWN_CHARS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Atom:
    """A word, a number or a lone `=`."""

    text: str
    line: int

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands between two parentheses."""

    line: int
    items: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return f"({' '.join(map(str, self.items))})"


Node: TypeAlias = Atom | Listing


def parsed(text: str, source: str) -> list[Node]:
    """Return the lists and atoms of *text*; raise ScriptError if its parentheses do not pair."""
    top = Listing(line=1)
    opened = [top]
    for token, line in _tokens(text.removeprefix("\ufeff").translate(SURROGATES)):
        if token == "(":
            if len(opened) > DEPTH_MAX:
                raise ScriptError(source, [Complaint(line, f"lists are nested deeper than {DEPTH_MAX}")])
            inner = Listing(line)
            opened[-1].items.append(inner)
            opened.append(inner)
        elif token == ")":
            if len(opened) == 1:
                raise ScriptError(source, [Complaint(line, "this ')' closes nothing")])
            opened.pop()
        else:
            opened[-1].items.append(Atom(composed(token), line))
    if len(opened) > 1:
        raise ScriptError(source, [Complaint(opened[-1].line, f"{shown(opened[-1])} is never closed with ')'")])
    return top.items


def shown(node: Node) -> str:
    """Return the beginning of *node*, for a message to its author."""
    text = str(node)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for match in TOKEN.finditer(text):
        if match[0] == "\n":
            line += 1
        elif not match[0].startswith(";"):
            yield match[0], line
