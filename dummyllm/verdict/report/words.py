"""Spells what a report says: counts with their nouns, and whatever a client sent in such a way that it stays a line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

VALUE_MAX = 40  # a UUID is 36

_PREFIX = "job_"


def printable(text: str) -> str:
    """Return *text* with whatever could move a cursor, break a line or turn its direction spelled out."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _spelled(letter) for letter in text)


def _spelled(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def short(text: str, most: int = VALUE_MAX) -> str:
    """Return *text* printable, and no longer than *most*: what is left out is dots."""
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def counted(count: int, noun: str) -> str:
    """Return `1 job` or `3 jobs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Return *text* in lines of at most *width*, behind *first* and then *rest*, or below where *first* ends."""
    indent = " " * len(first) if rest is None else rest
    return wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return for each of *ids* the least of it that tells it apart from the others: at least eight hex digits."""
    for digits in (8, 12, 16):
        short = {one: one[: len(_PREFIX) + digits] if one.startswith(_PREFIX) else one for one in ids}
        if len(set(short.values())) == len(short):
            return short
    return {one: one for one in ids}
