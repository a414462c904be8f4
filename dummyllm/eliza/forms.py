"""Knows how patterns and reassemblies are written, and what may go wrong in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dummyllm.eliza.complaint import Complaint
from dummyllm.eliza.heading import is_number, tags_of
from dummyllm.eliza.limits import MESSAGE_WORDS_MAX
from dummyllm.eliza.match import Part, Pattern, pattern_of
from dummyllm.eliza.rules import Link, NewKey, Pre, Reassembly, Words
from dummyllm.eliza.sexpr import Atom, Listing, Node, shown
from dummyllm.eliza.words import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Forms:
    """Reads the inner lists of rules in a script with these *tags*; what is wrong goes to *complaints*."""

    def __init__(self, tags: Mapping[str, frozenset[str]], complaints: list[Complaint]) -> None:
        self._tags = tags
        self._complaints = complaints

    def pattern(self, nodes: Sequence[Node], line: int) -> Pattern:
        """Return the pattern that *nodes* spell."""
        if not nodes:
            self._complain(line, "this pattern is empty; one that matches anything is (0)")
        parts = [self._part(node) for node in nodes]
        return pattern_of(f"({' '.join(map(str, nodes))})", parts)

    def reassembly(self, node: Node, pattern: Pattern) -> Reassembly | None:
        """Return what *node*, an entry of the cycle after *pattern*, does."""
        match node:
            case Listing(items=[Atom(text="NEWKEY")]):
                return NewKey()
            case Listing(items=[Atom(text="="), Atom() as to]) if to.text != "=":
                return Link(key_of(to.text))
            case Listing(items=[Atom(text="PRE"), Listing() as text, Listing(items=[Atom(text="="), Atom() as to])]):
                return Pre(self.words(text.items, pattern, text.line), key_of(to.text))
            case Listing(items=[Atom(), *_] as items):
                return self.words(items, pattern, node.line)
        self._complain(
            node.line,
            f"{shown(node)} is not a reassembly; write (WORDS …), (NEWKEY), (=X) or (PRE (…) (=X))",
        )
        return None

    def words(self, nodes: Sequence[Node], pattern: Pattern, line: int) -> Words:
        """Return *nodes* as words and the numbers of parts of *pattern*."""
        if not nodes:
            self._complain(line, "this reassembly is empty; it needs a word or the number of a part")
        words: list[str | int] = []
        for node in nodes:
            if isinstance(node, Listing) or node.text == "=":
                self._complain(node.line, f"{shown(node)!r} cannot stand among the words of a reassembly")
            elif node.text[0] not in "0123456789":
                words.append(node.text)
            elif is_number(node) and 1 <= int(node.text) <= pattern.size:
                words.append(int(node.text))
            else:
                text = f"there is no part {shown(node)} in {pattern.source}; its parts are 1 to {pattern.size}"
                self._complain(node.line, text)
        return Words(
            words=tuple(words),
            keys=tuple(word if isinstance(word, int) else key_of(word) for word in words),
            parts=tuple(word for word in words if isinstance(word, int)),
        )

    def _part(self, node: Node) -> Part | None:
        match node:
            case Listing(items=[Atom(text=first), *others]) if first.startswith("*"):
                words = [Atom(first[1:], node.line), *others]
                return Part(1, self._alternatives(node, [word for word in words if str(word)]))
            case Listing(items=[Atom(text=first), *_]) if first.startswith("/"):
                return Part(1, self._tagged(node))
            case Listing() | Atom(text="="):
                self._complain(node.line, f"{shown(node)!r} is not part of a pattern; lists are (*A B) or (/TAG)")
            case Atom(text=text) if is_number(node) and int(text) <= MESSAGE_WORDS_MAX:
                return Part(int(text), None) if int(text) else None
            case Atom(text=text) if text[0] in "0123456789":
                self._complain(
                    node.line,
                    f"{shown(node)} is more words than a message has; {MESSAGE_WORDS_MAX} at most",
                )
            case Atom(text=text):
                return Part(1, frozenset({key_of(text)}))
        return None

    def _alternatives(self, node: Listing, words: Sequence[Node]) -> frozenset[str]:
        if not words or not all(isinstance(word, Atom) for word in words):
            self._complain(node.line, f"{shown(node)} needs words to choose from, as in (*SAD UNHAPPY)")
        return frozenset(key_of(str(word)) for word in words)

    def _tagged(self, node: Listing) -> frozenset[str]:
        names = tags_of(node.items)
        unknown = [name for name in names if name not in self._tags]
        if unknown or not names:
            known = ", ".join(sorted(self._tags)) or "none"
            self._complain(node.line, f"no keyword has the tag of {shown(node)}; tags given with DLIST: {known}")
        return frozenset().union(*(self._tags.get(name, ()) for name in names))

    def _complain(self, line: int, text: str) -> None:
        self._complaints.append(Complaint(line, text))
