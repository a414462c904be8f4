"""Writes text that a client may have had a hand in into Markdown, so that it means nothing there but itself.

What GitHub and others make of a bare `@name`, `#12` or address, a link or a call, is cut by a comment that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dummyllm.verdict.report.words import printable

CUT = "<!-- -->"

_SPECIAL = re.compile(r"[\\`*~\[\]|$]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"(?=[-+=#:])|\d+(?=[.)])")  # of a list, a heading or a line: the end of it is to be escaped
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_LIVE = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_TICKS = re.compile("`+")


def markdown(text: str) -> str:
    """Return *text* as a sentence of Markdown, wherever it begins."""
    safe = _SPECIAL.sub(r"\\\g<0>", html(text.strip()))
    first = _BLOCK.match(safe)
    return safe if first is None else f"{safe[: first.end()]}\\{safe[first.end() :]}"


def html(text: str) -> str:
    """Return *text* as it stands between tags."""
    return _LIVE.sub(CUT, "".join(_HTML.get(letter, letter) for letter in printable(text)))


def code(text: str) -> str:
    """Return *text* as code inside a sentence."""
    said = printable(text)
    ticks = "`" * (1 + max(map(len, _TICKS.findall(said)), default=0))
    pad = " " if said.startswith("`") or said.endswith("`") or not said.strip() else ""
    return f"{ticks}{pad}{said}{pad}{ticks}"


def fenced(lines: Iterable[str], language: str) -> Iterator[str]:
    """Yield *lines* as a block of code, in a fence that none of them ends."""
    lines = [*lines]
    ticks = max((len(found) for line in lines for found in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield from (f"{fence}{language}", *lines, fence)
