"""Knows how to tell the author of a script what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLD_MAX: Final = 50


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What is wrong on a line, and what would be right."""

    line: int
    text: str


class ScriptError(ValueError):
    """A script that cannot be used; the message has one line for each complaint: `FILE:LINE: what is wrong`."""

    def __init__(self, source: str, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints))
        told = [f"{source}:{complaint.line}: {complaint.text}" for complaint in self.complaints[:TOLD_MAX]]
        if untold := len(self.complaints) - len(told):
            told.append(f"{source}: and {untold} more")
        super().__init__("\n".join(told))
