"""Paints a line for a terminal that has colours, and leaves it alone for all others."""

from __future__ import annotations

from dataclasses import dataclass

from dummyllm.verdict.finding import Result

RED, YELLOW, GREEN, BOLD, FAINT, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"

OF_RESULT = {
    Result.FAIL: RED,
    Result.WARN: YELLOW,
    Result.PENDING: YELLOW,
    Result.PASS: GREEN,
    Result.NOT_EXERCISED: FAINT,
}


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours, if they are *on*."""

    on: bool = False

    def result(self, said: str, result: Result) -> str:
        """Return *said* in the colour of *result*, and bold."""
        return self._painted(said, BOLD + OF_RESULT[result])

    def label(self, said: str) -> str:
        """Return *said* as the label of what stands beside it."""
        return self._painted(said, BOLD)

    def proof(self, line: str) -> str:
        """Return the *line* that proves a breach."""
        return self._painted(line, RED)

    def quiet(self, line: str) -> str:
        """Return a *line* that is read last."""
        return self._painted(line, FAINT)

    def _painted(self, said: str, colour: str) -> str:
        return f"{colour}{said}{PLAIN}" if self.on else said


NONE = Colours()
