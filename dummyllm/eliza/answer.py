"""Knows how the keystack is worked off: keyword by keyword, until a rule has words to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dummyllm.eliza.limits import HOPS_MAX, MESSAGE_WORDS_MAX, REPLY_WORDS_MAX
from dummyllm.eliza.match import match
from dummyllm.eliza.memory import way_of
from dummyllm.eliza.reassemble import length_of, reassembled, rewritten
from dummyllm.eliza.rules import Link, NewKey, Pre, Words
from dummyllm.eliza.trace import Hop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dummyllm.eliza.clause import Clause
    from dummyllm.eliza.cycle import Cycles
    from dummyllm.eliza.match import Pattern, Span
    from dummyllm.eliza.patience import Patience
    from dummyllm.eliza.rules import Keyword, Reassembly, Script


class Answer:
    """The search for what to say about one *clause*, and what it came across."""

    def __init__(self, script: Script, cycles: Cycles, patience: Patience, clause: Clause) -> None:
        self.hops: list[Hop] = []
        self.memories: list[list[str]] = []
        self._script = script
        self._cycles = cycles
        self._patience = patience
        self._clause = clause

    def words(self, keystack: Iterable[Keyword]) -> list[str]:
        """Return what the rules say; nothing if in one of them no pattern matches, or if they lead nowhere."""
        stack = [self._script.none, *reversed([*keystack])]  # the top is at the end, and NONE below all keywords
        while stack and len(self.hops) < HOPS_MAX:
            keyword = stack.pop()
            if keyword.key == self._script.memory.key:
                self._remember()
            entry, spans = self._entry(keyword)
            match entry:
                case Words():
                    self._pay(entry, spans, most=REPLY_WORDS_MAX)
                    return reassembled(entry, self._clause, spans, most=REPLY_WORDS_MAX)
                case Link(to):
                    stack.append(self._script.keywords[to])
                case Pre(text, to):
                    self._pay(text, spans, most=MESSAGE_WORDS_MAX)
                    self._clause = rewritten(text, self._clause, spans, most=MESSAGE_WORDS_MAX)
                    stack.append(self._script.keywords[to])
                case NewKey():
                    continue
                case None:
                    break
        return []

    def _entry(self, keyword: Keyword) -> tuple[Reassembly | None, Sequence[Span]]:
        """Return what the rule of *keyword* does now, and the parts it does it with; None if nothing matches."""
        self._patience.spend(1 + len(keyword.decompositions))
        for decomposition in keyword.decompositions:
            pattern = decomposition.pattern
            spans = self._match(pattern)
            if spans is not None:
                place = self._cycles.turn(decomposition)
                entry = decomposition.cycle[place]
                self.hops.append(Hop(keyword.key, pattern.source, place + 1, len(decomposition.cycle), entry))
                return entry, spans
        link = Link(keyword.link) if keyword.link else None
        self.hops.append(Hop(keyword.key, None, 0, 0, link))
        return link, ()

    def _match(self, pattern: Pattern) -> Sequence[Span] | None:
        clause = self._clause
        if not pattern.may_match(clause.present):
            return None
        self._patience.spend(pattern.steps + pattern.steps_a_word * len(clause.keys))
        return match(pattern, clause.keys)

    def _pay(self, text: Words, spans: Sequence[Span], *, most: int) -> None:
        self._patience.spend(min(length_of(text, spans), most))

    def _remember(self) -> None:
        if self._clause.keys:
            way = way_of(self._script.memory, self._clause)
            spans = self._match(way.pattern)
            if spans is not None:
                self._pay(way.words, spans, most=MESSAGE_WORDS_MAX)
                self.memories.append(reassembled(way.words, self._clause, spans, most=MESSAGE_WORDS_MAX))
