"""`result.cut`: success with the first part of a text."""

from __future__ import annotations

from functools import partial

from dummyllm.core.faults.effect import Rewrite
from dummyllm.core.faults.kind import Kind, Parameter, Unit, ten_thousandths


def cut(percent: float) -> Rewrite:
    """Return the change that keeps the first *percent* of the characters, rounded down."""
    return Rewrite(partial(_head, ten_thousandths(percent)))


def _head(share: int, text: str) -> str:
    return text[: share * len(text) // 1_000_000]


KIND = Kind(
    name="result.cut",
    unit=Unit.JOB,
    parameters=(
        Parameter(name="percent", help="how much of the text is kept", default=50, least=0, most=100, is_fraction=True),
    ),
    effect=cut,
    excludes="result",
    costs="Truncated answers pass for success (openai/openai-agents-python#4510), and where they should have been "
    "JSON they break what reads them (CommandCodeAI/command-code#785).",
    sees="A job that ends `ok` has only the first `percent` of the characters of its text, rounded down. A character "
    "is never cut in two.",
    good_runner="Checks what it can check, such as JSON that must parse, before it reports success; never stores a "
    "part as the whole; tries again a bounded number of times.",
    suspends=("no-redundant-execution",),
)
