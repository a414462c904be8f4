"""Knows how a message is read, from left to right: which words are keywords, and which clause they are heard in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dummyllm.eliza.clause import Clause
from dummyllm.eliza.limits import KEYSTACK_MAX
from dummyllm.eliza.words import DELIMITERS, keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dummyllm.eliza.rules import Keyword, Script


def scan(script: Script, words: Sequence[str]) -> tuple[list[Keyword], Clause]:
    """Return the keystack, top first, and the clause with its substitutes.

    A delimiter before any keyword throws away all that came before it; one after a keyword ends the reading. A keyword
    of higher precedence than all before it goes on top of the stack, any other one to the bottom, so the stack is not
    in order of precedence. A word that comes twice is on it twice.
    """
    keystack: list[Keyword] = []
    heard: list[str] = []
    keys: list[str] = []
    highest = 0
    for word, key in zip(words, keys_of(words), strict=True):
        if key in DELIMITERS:
            if keystack:
                break
            heard.clear()
            keys.clear()
            continue
        keyword = script.keywords.get(key)
        if keyword is None or keyword.substitute is None:
            heard.append(word)
            keys.append(key)
        else:
            heard.append(keyword.substitute)
            keys.append(keyword.substitute_key)
        if keyword is None or not keyword.speaks:
            continue
        if keyword.precedence > highest:
            keystack.insert(0, keyword)
            highest = keyword.precedence
        else:
            keystack.append(keyword)
    return keystack[:KEYSTACK_MAX], Clause(heard, keys, frozenset(keys))
