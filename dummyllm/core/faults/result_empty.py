"""`result.empty`: success without a text."""

from __future__ import annotations

from dummyllm.core.faults.effect import Rewrite
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="result.empty",
    unit=Unit.JOB,
    effect=lambda: Rewrite(lambda _text: ""),
    excludes="result",
    costs="Empty answers pass for success (openai/openai-agents-python#4510, earendil-works/pi#8462, "
    "wippyai/framework#115).",
    sees="A job that ends `ok` has an empty text as its result.",
    good_runner="Looks at the text before it reports success; tries again a bounded number of times, and then says "
    "that it got nothing.",
    suspends=("no-redundant-execution",),
)
