"""Knows what ELIZA answers: a reply is a function of script, seed and messages, and of nothing else.

No state is kept between calls: the whole conversation is replayed for each reply. So a job that is retried gets the
same answer, in any process, and a client that edits history gets the answer to the history it sent.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dummyllm.eliza.speech import spoken
from dummyllm.eliza.talk import Talk
from dummyllm.eliza.window import first_heard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dummyllm.eliza.rules import Script
    from dummyllm.eliza.trace import Turn


def reply(script: Script, messages: Sequence[str], *, seed: int | None) -> str:
    """Return the answer to the last of *messages*, the texts of the user in order; without any, the greeting.

    With *seed* None every cycle of the script starts at its first entry, as in 1966; a number starts them elsewhere.
    """
    if not messages:
        return spoken(script.greeting, natural=script.natural)
    return deque(_turns(script, messages, seed), maxlen=1)[0].reply


def explain(script: Script, messages: Sequence[str], *, seed: int | None) -> tuple[Turn, ...]:
    """Return what happened at every turn that the reply to *messages* depends on, oldest first."""
    return tuple(_turns(script, messages, seed))


def _turns(script: Script, messages: Sequence[str], seed: int | None) -> Iterator[Turn]:
    talk = Talk(script, seed=seed)
    for place in range(first_heard(messages), len(messages)):
        yield talk.hear(messages[place], number=place + 1)
