"""Knows how much work ELIZA does before it falls back on a built-in line.

Every word looked at and every word put down is a step. A conversation saves up steps while it is easy and spends them
when it is hard, so no message can cost more than PATIENCE_MAX, and no conversation more than that and PATIENCE_REGAINED
for every turn. Counting steps instead of time keeps a reply the same on every machine.
"""

from __future__ import annotations

from dummyllm.eliza.limits import PATIENCE_MAX, PATIENCE_REGAINED


class PatienceLostError(Exception):
    """The steps are used up: the reply has to be a built-in line."""


class Patience:
    """The steps that a conversation has left."""

    def __init__(self) -> None:
        self.left = PATIENCE_MAX

    def rest(self) -> None:
        """Regain the steps of one turn."""
        self.left = min(self.left + PATIENCE_REGAINED, PATIENCE_MAX)

    def spend(self, steps: int) -> None:
        """Spend *steps*, before the work is done; raise PatienceLostError, and keep none, if there are too few."""
        if steps > self.left:
            self.left = 0
            raise PatienceLostError
        self.left -= steps
