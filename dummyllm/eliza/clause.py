"""Knows the words that a reply is made from, each as it is said and as it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a message, after substitution or rewriting."""

    words: Sequence[str]
    keys: Sequence[str]
    present: frozenset[str]  # the keys once more: most patterns are refused by a look at this

    def __str__(self) -> str:
        return " ".join(self.words)
