"""Knows what a script is: keywords, each with decompositions, each with a cycle of reassemblies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dummyllm.eliza.match import Pattern


@dataclass(frozen=True, slots=True)
class Words:
    """Reply with these words, where a number stands for the part of the pattern that it counts to."""

    words: tuple[str | int, ...]
    keys: tuple[str | int, ...]  # the same, each word as it is compared
    parts: tuple[int, ...]  # the numbers among them

    def __str__(self) -> str:
        return f"({' '.join(map(str, self.words))})"


@dataclass(frozen=True, slots=True)
class NewKey:
    """Give up this keyword for the next one on the keystack."""

    def __str__(self) -> str:
        return "(NEWKEY)"


@dataclass(frozen=True, slots=True)
class Link:
    """Go on with the rule of another keyword."""

    to: str

    def __str__(self) -> str:
        return f"(={self.to})"


@dataclass(frozen=True, slots=True)
class Pre:
    """Rewrite the clause first, then go on with the rule of another keyword."""

    words: Words
    to: str

    def __str__(self) -> str:
        return f"(PRE {self.words} (={self.to}))"


Reassembly: TypeAlias = Words | NewKey | Link | Pre


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A pattern and the reassemblies that take turns when it matches."""

    pattern: Pattern
    cycle: tuple[Reassembly, ...]
    site: str  # keyword and place in its rule, from 1: what the seed's choice of a start hangs on


@dataclass(frozen=True, slots=True)
class Keyword:
    """The rule of one word."""

    key: str
    line: int
    precedence: int = 0
    substitute: str | None = None  # the word that takes its place in the clause, as it is said
    substitute_key: str = ""  # and as it is compared
    tags: tuple[str, ...] = ()
    decompositions: tuple[Decomposition, ...] = ()
    link: str | None = None  # where to go when no decomposition matches

    @property
    def speaks(self) -> bool:
        """Whether the rule can lead to a reply; if not, it only replaces its word or tags it."""
        return bool(self.decompositions or self.link)


@dataclass(frozen=True, slots=True)
class MemoryRule:
    """One of four ways to turn a clause into something to say later."""

    pattern: Pattern
    words: Words


@dataclass(frozen=True, slots=True)
class Memory:
    """The keyword whose clauses are remembered, and how."""

    key: str
    rules: tuple[MemoryRule, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """All that ELIZA knows about talking; `none` is the rule for a message without a keyword."""

    source: str
    greeting: tuple[str, ...]
    keywords: Mapping[str, Keyword]
    none: Keyword
    memory: Memory
    natural: bool  # it has small letters, so replies keep their spelling; otherwise all is said in capitals
