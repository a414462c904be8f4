"""Knows how a reply is put together from the words of a script and the parts of a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dummyllm.eliza.clause import Clause
    from dummyllm.eliza.match import Span
    from dummyllm.eliza.rules import Words


def reassembled(text: Words, clause: Clause, spans: Sequence[Span], *, most: int) -> list[str]:
    """Return *text* with each number replaced by the words of that part, cut after *most* words.

    Only the numbers of the script count parts: a `3` that the user typed is a word like any other.
    """
    words: list[str] = []
    for word in text.words:
        if isinstance(word, int):
            start, end = spans[word - 1]
            words += clause.words[start:end]
        else:
            words.append(word)
        if len(words) >= most:
            return words[:most]
    return words


def length_of(text: Words, spans: Sequence[Span]) -> int:
    """Return how many words *text* makes with parts of these *spans*."""
    length = len(text.words)
    for part in text.parts:
        start, end = spans[part - 1]
        length += end - start - 1
    return length
