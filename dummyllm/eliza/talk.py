"""Knows how a conversation goes on: what is kept from one message to the next, as in 1966."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from dummyllm.eliza.answer import Answer
from dummyllm.eliza.cycle import Cycles
from dummyllm.eliza.limits import MEMORIES_MAX
from dummyllm.eliza.patience import Patience, PatienceLostError
from dummyllm.eliza.scan import scan
from dummyllm.eliza.speech import BUILT_IN, built_in
from dummyllm.eliza.trace import Origin, Turn
from dummyllm.eliza.words import words_of

if TYPE_CHECKING:
    from dummyllm.eliza.rules import Script

LIMITS: Final = len(BUILT_IN)
DRY: Final = 4  # the LIMIT at which a message without a keyword brings a memory back


class Talk:
    """One conversation with *script*, message by message."""

    def __init__(self, script: Script, *, seed: int | None) -> None:
        self._script = script
        self._cycles = Cycles(seed)
        self._memories: deque[list[str]] = deque(maxlen=MEMORIES_MAX)
        self._patience = Patience()
        self._limit = 1

    def hear(self, message: str, *, number: int) -> Turn:
        """Return what comes of *message*, the *number*-th of the conversation."""
        self._limit = self._limit % LIMITS + 1
        self._patience.rest()
        rested = self._patience.left
        heard = words_of(message)
        keystack, clause = scan(self._script, heard)
        answer = Answer(self._script, self._cycles, self._patience, clause)
        words: list[str] = []
        origin = Origin.RULE
        try:
            self._patience.spend(len(heard))
            if self._limit == DRY and self._memories and not keystack:
                words, origin = self._memories.popleft(), Origin.MEMORY
            else:
                words = answer.words(keystack)
        except PatienceLostError:
            pass  # no words, so a built-in line
        self._memories.extend(answer.memories)
        if not words:
            words, origin = built_in(self._limit, natural=self._script.natural), Origin.BUILT_IN
        return Turn(
            number=number,
            limit=self._limit,
            clause=clause,
            keystack=tuple(keyword.key for keyword in keystack),
            hops=tuple(answer.hops),
            remembered=tuple(map(tuple, answer.memories)),
            origin=origin,
            words=tuple(words),
            natural=self._script.natural,
            steps=rested - self._patience.left,
        )
