"""Knows the front of a rule: the keyword, what takes its place, its precedence and its tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dummyllm.eliza.complaint import Complaint
from dummyllm.eliza.sexpr import Atom, Listing, Node, shown
from dummyllm.eliza.words import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBER_DIGITS_MAX: Final = 4
FORM: Final = "(KEYWORD = SUBSTITUTE 5 DLIST(/TAG) …)"


@dataclass(frozen=True, slots=True)
class Heading:
    """The front of a rule, and the lists that follow it."""

    key: str
    line: int
    substitute: str | None
    precedence: int
    tags: tuple[str, ...]
    body: tuple[Listing, ...]


def heading_of(rule: Listing, complaints: list[Complaint]) -> Heading | None:
    """Return the front of *rule*; what is wrong with it goes to *complaints*."""
    word, *rest = rule.items
    if isinstance(word, Listing) or word.text == "=":
        complaints.append(Complaint(rule.line, f"{shown(rule)} is not a rule; a rule begins with a word, as in {FORM}"))
        return None
    substitute, precedence = None, 0
    tags: tuple[str, ...] = ()
    while rest:
        match rest:
            case [Atom(text="="), Atom() as atom, *others] if atom.text != "=":
                substitute = atom.text
            case [Atom(text="DLIST"), Listing() as names, *others]:
                tags = tags_of(names.items)
            case [Atom() as atom, *others] if is_number(atom):
                precedence = int(atom.text)
            case _:
                break
        rest = others
    body = []
    for node in rest:
        if isinstance(node, Listing):
            body.append(node)
        else:
            text = f"{shown(node)!r} is out of place in the rule for {word}; the form is {FORM}"
            complaints.append(Complaint(node.line, text))
    return Heading(key_of(word.text), rule.line, substitute, precedence, tags, tuple(body))


def tags_of(names: Sequence[Node]) -> tuple[str, ...]:
    """Return the tags in `/A B` or `/ A B`."""
    keys = (key_of(str(name)).removeprefix("/") for name in names)
    return tuple(key for key in keys if key)


def is_number(node: Node) -> bool:
    """Return whether *node* is a number of a sensible size."""
    return (
        isinstance(node, Atom) and node.text.isascii() and node.text.isdigit() and len(node.text) <= NUMBER_DIGITS_MAX
    )
