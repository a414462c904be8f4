"""Knows what follows the front of a rule: decompositions with their cycles, links, and the ways of MEMORY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dummyllm.eliza.complaint import Complaint
from dummyllm.eliza.heading import Heading
from dummyllm.eliza.rules import Decomposition, Keyword, Memory, MemoryRule
from dummyllm.eliza.sexpr import Atom, Listing, Node, shown
from dummyllm.eliza.words import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dummyllm.eliza.forms import Forms

NONE_KEY: Final = "(NONE)"  # no word a user can type, so a keyword `none` stays free
NONE_FORM: Final = "(NONE ((0) (WORDS …) …))"
MEMORY_RULES: Final = 4
MEMORY_FORM: Final = "(MEMORY KEYWORD (PATTERN = WORDS) …) with four of the inner lists"


class Bodies:
    """Reads whole rules; what is wrong goes to *complaints*."""

    def __init__(self, forms: Forms, complaints: list[Complaint]) -> None:
        self._forms = forms
        self._complaints = complaints

    def keyword(self, heading: Heading) -> Keyword:
        """Return the rule that *heading* opens."""
        decompositions: list[Decomposition] = []
        links: list[str] = []
        for body in heading.body:
            match body.items:
                case [Atom(text="="), Atom() as to]:
                    links.append(key_of(to.text))
                case [Listing() as pattern, *entries]:
                    site = f"{heading.key}\0{len(decompositions) + 1}"
                    decompositions.append(self._decomposition(pattern, entries, site))
                case _:
                    form = "((PATTERN) (REASSEMBLY) …) or (=KEYWORD)"
                    self._complain(body.line, f"{shown(body)} is not a transformation; the form is {form}")
        if len(links) > 1:
            self._complain(heading.line, f"{heading.key} links to {' and '.join(links)}; a rule has one link at most")
        return Keyword(
            key=heading.key,
            line=heading.line,
            precedence=heading.precedence,
            substitute=heading.substitute,
            substitute_key=key_of(heading.substitute or ""),
            tags=heading.tags,
            decompositions=tuple(decompositions),
            link=links[0] if links else None,
        )

    def none(self, rule: Listing) -> Keyword:
        """Return the rule for messages without a keyword."""
        body = tuple(item for item in rule.items[1:] if isinstance(item, Listing))
        if not body or len(body) + 1 != len(rule.items):
            self._complain(rule.line, f"NONE takes transformations and nothing else; the form is {NONE_FORM}")
        return self.keyword(Heading(NONE_KEY, rule.line, None, 0, (), body))

    def memory(self, rule: Listing) -> Memory | None:
        """Return the keyword whose clauses are remembered, and how."""
        match rule.items:
            case [_, Atom() as word, *ways] if len(ways) == MEMORY_RULES:
                return Memory(key_of(word.text), tuple(map(self._way, ways)))
        self._complain(rule.line, f"{shown(rule)} is not a memory rule; the form is {MEMORY_FORM}")
        return None

    def _decomposition(self, pattern: Listing, entries: Sequence[Node], site: str) -> Decomposition:
        read = self._forms.pattern(pattern.items, pattern.line)
        if not entries:
            self._complain(pattern.line, f"{shown(pattern)} has no reassembly after it, so it has nothing to say")
        cycle = (self._forms.reassembly(entry, read) for entry in entries)
        return Decomposition(read, tuple(entry for entry in cycle if entry is not None), site)

    def _way(self, node: Node) -> MemoryRule:
        items = node.items if isinstance(node, Listing) else []
        equals = next((place for place, item in enumerate(items) if str(item) == "="), None)
        if equals is None:
            self._complain(node.line, f"{shown(node)} is not a way to remember; the form is (PATTERN = WORDS)")
            equals = len(items)
        pattern = self._forms.pattern(items[:equals], node.line)
        return MemoryRule(pattern, self._forms.words(items[equals + 1 :], pattern, node.line))

    def _complain(self, line: int, text: str) -> None:
        self._complaints.append(Complaint(line, text))
