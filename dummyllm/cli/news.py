"""Tells whoever waits for a long command how far it is: nothing at first, and then a line every other second."""

from __future__ import annotations

from time import monotonic

from dummyllm.cli.terminal import Terminal

SECONDS_BETWEEN_NEWS = 2.0


class News:
    """What is told of one command on *terminal*'s standard error; the time counts from here."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._started_s = self._told_s = monotonic()
        self.were_told = False
        """Whether it has taken so long that there were news."""

    @property
    def are_due(self) -> bool:
        """Whether nothing was told for so long that somebody may wonder."""
        return monotonic() - self._told_s > SECONDS_BETWEEN_NEWS

    @property
    def passed_s(self) -> float:
        """How many seconds the command has taken so far."""
        return monotonic() - self._started_s

    def tell(self, text: str) -> None:
        """Say it in a line of its own."""
        self._told_s = monotonic()
        self.were_told = True
        self._terminal.note(f"dummyllm: {text}")
