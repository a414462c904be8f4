"""Knows whether the words of a clause fit a pattern, and which words each part of the pattern took.

A `0` takes any number of words. It cuts the pattern into segments, each of a fixed width: the first is anchored at the
beginning, the last at the end, and each one between takes the leftmost place that is left for it. No choice is ever
taken back, so the cost is a product of two lengths and cannot run away. SLIP's YMATCH of 1966 worked in this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Span: TypeAlias = tuple[int, int]
"""The first word a part took, and the one after its last."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of fixed width: so many words, the one word of it being among *allowed* (None: whatever they are)."""

    width: int
    allowed: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Segment:
    """Parts that stand side by side, with no `0` among them."""

    width: int
    cuts: tuple[Span, ...]  # where each part stands within the segment
    tests: tuple[tuple[int, frozenset[str]], ...]  # a place within the segment, and what may stand there

    def fits(self, keys: Sequence[str], place: int) -> bool:
        """Return whether the segment fits at *place*, where there must be room for it."""
        for offset, allowed in self.tests:  # noqa: SIM110 -- a generator would double the cost of the hot loop
            if keys[place + offset] not in allowed:
                return False
        return True

    def found(self, keys: Sequence[str], start: int) -> int | None:
        """Return the leftmost place from *start* on where the segment fits."""
        end = len(keys) - self.width + 1
        if not self.tests:
            return start if start < end else None
        lead, allowed = self.tests[0]
        for place in range(start, end):
            if keys[place + lead] in allowed and self.fits(keys, place):
                return place
        return None

    def spans(self, place: int) -> list[Span]:
        """Return what each part takes when the segment stands at *place*."""
        return [(place + start, place + end) for start, end in self.cuts]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A decomposition as the script wrote it, cut into segments."""

    source: str
    segments: tuple[Segment, ...]
    needs: frozenset[str]  # words without which it cannot match
    choices: tuple[frozenset[str], ...]  # sets of words, of each of which it needs one
    size: int  # how many parts, each `0` counted
    steps: int  # that a search takes at the worst, and
    steps_a_word: int  # for each word of the clause

    def may_match(self, present: frozenset[str]) -> bool:
        """Return whether the words that it needs are *present*, wherever they stand; most patterns end here."""
        return self.needs <= present and not any(map(present.isdisjoint, self.choices))


def segment_of(parts: Sequence[Part]) -> Segment:
    """Return *parts* as one segment."""
    cuts, tests, width = [], [], 0
    for part in parts:
        if part.allowed is not None:
            tests.append((width, part.allowed))
        cuts.append((width, width + part.width))
        width += part.width
    return Segment(width, tuple(cuts), tuple(tests))


def pattern_of(source: str, parts: Sequence[Part | None]) -> Pattern:
    """Return the pattern made of *parts*, where None is a `0`."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if part is None:
            segments.append([])
        else:
            segments[-1].append(part)
    sets = [part.allowed for part in parts if part is not None and part.allowed is not None]
    cut = tuple(map(segment_of, segments))
    return Pattern(
        source=source,
        segments=cut,
        needs=frozenset().union(*(allowed for allowed in sets if len(allowed) == 1)),
        choices=tuple(allowed for allowed in sets if len(allowed) != 1),
        size=len(parts),
        steps=len(parts),
        steps_a_word=sum(max(1, len(segment.tests)) for segment in cut[1:-1]),
    )


def match(pattern: Pattern, keys: Sequence[str]) -> list[Span] | None:
    """Return the span of each part of *pattern* in *keys*, or None if they do not fit."""
    first = pattern.segments[0]
    if first.width > len(keys) or not first.fits(keys, 0):
        return None
    spans = first.spans(0)
    at = first.width
    if len(pattern.segments) == 1:
        return spans if at == len(keys) else None
    for segment in pattern.segments[1:-1]:
        place = segment.found(keys, at)
        if place is None:
            return None
        spans.append((at, place))
        spans += segment.spans(place)
        at = place + segment.width
    last = pattern.segments[-1]
    place = len(keys) - last.width
    if place < at or not last.fits(keys, place):
        return None
    spans.append((at, place))
    return spans + last.spans(place)
