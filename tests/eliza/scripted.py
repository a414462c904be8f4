"""Small scripts for the tests: the rules a test is about, inside the least that a script needs."""

from __future__ import annotations

from dummyllm.eliza import Script, explain, read_script

FRAME = """
(HELLO.)
START
{rules}
(MINE = YOURS ((0) (WHOSE)))
(MEMORY MINE (0 YOURS 0 = FIRST 3) (0 YOURS 0 = SECOND 3) (0 YOURS 0 = THIRD 3) (0 YOURS 0 = FOURTH 3))
(NONE ((0) (NONE ONE) (NONE TWO) (NONE THREE)))
()
"""


def script_of(rules: str) -> Script:
    """Return a script of these *rules*, a MEMORY for the word MINE, and a NONE of three lines."""
    return read_script(FRAME.format(rules=rules), source="test.eliza")


def talked(script: Script, *messages: str, seed: int | None = None) -> list[str]:
    """Return what is said to each of *messages*."""
    return [turn.reply for turn in explain(script, messages, seed=seed)]
