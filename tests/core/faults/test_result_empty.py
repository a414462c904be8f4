"""`result.empty`: success without a text."""

from __future__ import annotations

from dummyllm.core.faults.effect import Rewrite
from dummyllm.core.faults.result_empty import KIND


def test_nothing_is_left_of_any_text() -> None:
    """The text of its result is empty."""
    effect = KIND.effect()

    assert isinstance(effect, Rewrite)
    assert [effect.change(text) for text in ("", "How do you do.")] == ["", ""]
