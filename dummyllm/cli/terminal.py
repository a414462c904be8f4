"""Knows whom a command talks to: its environment, its streams, and how they like to be written to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TextIO


class Status(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FAILED = 1  # the call was right, and it did not work: a port in use, no server there, a payload refused
    MISTAKEN = 2  # a wrong call, or bad settings
    INTERRUPTED = 130  # Ctrl-C


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What a command reads from *source*, says to *out*, and tells the person in front of it on *err*."""

    environ: Mapping[str, str]
    source: TextIO
    out: TextIO
    err: TextIO

    @property
    def is_interactive(self) -> bool:
        """Whether a person is typing."""
        return self.source.isatty()

    def say(self, text: str = "") -> None:
        """Write a line to *out*, at once."""
        print(text, file=self.out, flush=True)

    def note(self, text: str = "") -> None:
        """Write a line to *err*."""
        print(text, file=self.err, flush=True)

    def fail(self, reason: str) -> Status:
        """Say why it did not work, in one line, and return the status for that."""
        self.note(f"dummyllm: {reason}")
        return Status.FAILED

    def refuse(self, mistakes: Iterable[str]) -> Status:
        """Say every one of *mistakes* on a line of its own, and return the status for a wrong call."""
        for mistake in mistakes:
            self.note(f"dummyllm: {mistake}")
        return Status.MISTAKEN

    def has_colours(self, stream: TextIO) -> bool:
        """Say whether *stream* may be written to in colours: a terminal that can, and nobody said NO_COLOR."""
        environ = self.environ
        return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def printable(text: str) -> str:
    """Return *text* with whatever could move a cursor or break a line spelled out: one value, one line."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
