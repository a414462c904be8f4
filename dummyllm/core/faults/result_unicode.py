"""`result.unicode`: success with a text that is valid and awkward."""

from __future__ import annotations

from dummyllm.core.faults.effect import Rewrite
from dummyllm.core.faults.kind import Kind, Unit

# Escapes, because an editor may well do to these characters what a careless runner does.
OPENING = "\ufeffA byte order mark stood before this.\u2028A line separator came first,\u0085then a next-line control. "
CLOSING = (
    " The accent of cafe\u0301 is a character of its own, \U0001f469\u200d\U0001f680 is three in one, "
    "\u2067\u05e9\u05dc\u05d5\u05dd\u2069 runs from right to left, and this is a NUL: \0."
)


def awkward(text: str) -> str:
    """Return *text*, unchanged, between two sentences full of characters that get lost on the way."""
    return f"{OPENING}{text}{CLOSING}"


KIND = Kind(
    name="result.unicode",
    unit=Unit.JOB,
    effect=lambda: Rewrite(awkward),
    excludes="result",
    costs="Readers split lines where there are none (florimondmanca/httpx-sse#34), and a good result was overwritten "
    "by an empty error because one character could not be written (lexmount/browseruse-agent-bench#105).",
    sees="A job that ends `ok` has its own text unchanged between two awkward sentences. They have a byte order mark "
    "(U+FEFF), a line separator (U+2028), a NEL (U+0085), a combining accent, an emoji joined by U+200D, Hebrew "
    "between bidi marks, and a NUL, which JSON writes as an escape.",
    good_runner="Stores and returns every character as it came: it neither splits lines at them, nor normalises, "
    "strips or cuts. Comparing its own record with the oracle of the verdict shows whether it did.",
    suspends=("no-redundant-execution",),
)
