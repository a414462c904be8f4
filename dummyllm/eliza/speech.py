"""Knows how words become a sentence: blanks between them, none before a mark, and letters of the right size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dummyllm.eliza.limits import REPLY_CHARS_MAX
from dummyllm.eliza.words import CAPITALS

if TYPE_CHECKING:
    from collections.abc import Sequence

TIGHT: Final = tuple(",.?!:;…")

# What is said, by LIMIT, when the rules have nothing to say; without stops in capitals, as in 1966.
BUILT_IN: Final = ("Please continue.", "Hmmm.", "Go on, please.", "I see.")


def built_in(limit: int, *, natural: bool) -> list[str]:
    """Return the words of the line for *limit*."""
    line = BUILT_IN[limit - 1]
    return (line if natural else line.removesuffix(".")).split()


def spoken(words: Sequence[str], *, natural: bool) -> str:
    """Return *words* as one line: all in capitals or, if *natural*, as they are spelled but with a capital first."""
    text = "".join(word if word.startswith(TIGHT) else f" {word}" for word in words).removeprefix(" ")[:REPLY_CHARS_MAX]
    if natural:
        return text[:1].translate(CAPITALS) + text[1:]
    return text.translate(CAPITALS)
