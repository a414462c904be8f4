"""Knows how a reply, or a new clause, is put together from the words of a script and the parts of a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dummyllm.eliza.clause import Clause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dummyllm.eliza.match import Span
    from dummyllm.eliza.rules import Words


def reassembled(text: Words, clause: Clause, spans: Sequence[Span], *, most: int) -> list[str]:
    """Return *text* with each number replaced by the words of that part, cut after *most* words.

    Only the numbers of the script count parts: a `3` that the user typed is a word like any other.
    """
    return _filled(text.words, clause.words, spans, most)


def rewritten(text: Words, clause: Clause, spans: Sequence[Span], *, most: int) -> Clause:
    """Return the same as `reassembled`, as a clause."""
    keys = _filled(text.keys, clause.keys, spans, most)
    return Clause(_filled(text.words, clause.words, spans, most), keys, frozenset(keys))


def length_of(text: Words, spans: Sequence[Span]) -> int:
    """Return how many words *text* makes with parts of these *spans*."""
    length = len(text.words)
    for part in text.parts:
        start, end = spans[part - 1]
        length += end - start - 1
    return length


def _filled(form: Sequence[str | int], source: Sequence[str], spans: Sequence[Span], most: int) -> list[str]:
    words: list[str] = []
    for word in form:
        if isinstance(word, int):
            start, end = spans[word - 1]
            words += source[start:end]
        else:
            words.append(word)
        if len(words) >= most:
            return words[:most]
    return words
