"""Knows how a reply came about: what was heard, which rules were tried, and what was remembered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dummyllm.eliza.speech import spoken

if TYPE_CHECKING:
    from dummyllm.eliza.clause import Clause
    from dummyllm.eliza.rules import Reassembly


class Origin(StrEnum):
    """Where the words of a reply are from."""

    RULE = "rule"  # a reassembly of the script
    MEMORY = "memory"  # something remembered from an earlier message
    BUILT_IN = "built in"  # one of the four lines for when no rule fits, or for when patience or hops run out


@dataclass(frozen=True, slots=True)
class Hop:
    """One rule that was tried."""

    keyword: str
    pattern: str | None  # the decomposition that matched; None if none did
    place: int  # of the reassembly in its cycle, from 1; 0 without a pattern
    places: int
    did: Reassembly | None  # the reassembly, or the link of a rule in which nothing matched

    def __str__(self) -> str:
        matched = f"{self.pattern} entry {self.place} of {self.places}" if self.pattern else "no pattern matched"
        return f"{self.keyword}: {matched}: {self.did or 'a built-in line'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """All that happened between a message and its reply."""

    number: int  # of the message among those of the conversation, from 1
    limit: int  # the counter LIMIT, 1 to 4
    clause: Clause  # what was listened to, after substitution
    keystack: tuple[str, ...]  # top first
    hops: tuple[Hop, ...]
    remembered: tuple[tuple[str, ...], ...]  # what was laid down, to be said later
    origin: Origin
    words: tuple[str, ...]
    natural: bool
    steps: int  # what the reply cost: words looked at and put down

    @property
    def reply(self) -> str:
        """What ELIZA said."""
        return spoken(self.words, natural=self.natural)

    def __str__(self) -> str:
        lines = [
            f"turn {self.number}, LIMIT {self.limit}, {self.steps} steps",
            f"  heard: {str(self.clause) or '(nothing)'}",
            f"  keystack: {' '.join(self.keystack) or '(empty)'}",
            *(f"  {hop}" for hop in self.hops),
            *(f"  remembered: {spoken(words, natural=self.natural)}" for words in self.remembered),
            f"  reply, by {self.origin}: {self.reply}",
        ]
        return "\n".join(lines)
