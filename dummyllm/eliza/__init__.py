"""ELIZA, the program of 1966, as a pure function from a conversation to the next thing to say.

Pure and alone: it knows nothing of jobs, clocks or chance, and imports nothing else of ours. `docs/eliza.md` says how
a reply is made.
"""

from __future__ import annotations

from dummyllm.eliza.complaint import ScriptError
from dummyllm.eliza.conversation import explain, reply
from dummyllm.eliza.messages import texts_of
from dummyllm.eliza.own import own_script
from dummyllm.eliza.reader import read_script
from dummyllm.eliza.rules import Script
from dummyllm.eliza.trace import Hop, Origin, Turn

__all__ = [
    "Hop",
    "Origin",
    "Script",
    "ScriptError",
    "Turn",
    "explain",
    "own_script",
    "read_script",
    "reply",
    "texts_of",
]
