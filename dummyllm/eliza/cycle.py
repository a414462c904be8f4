"""Knows whose turn it is: which reassembly a decomposition uses next, and where the seed lets it start."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from dummyllm.eliza.rules import NewKey

if TYPE_CHECKING:
    from dummyllm.eliza.rules import Decomposition


class Cycles:
    """The turns of one conversation: every entry is used once before any is used again."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._next: dict[str, int] = {}

    def turn(self, decomposition: Decomposition) -> int:
        """Return the place of the entry to use now, from 0, and move on to the one after it."""
        place = self._next.get(decomposition.site)
        if place is None:
            place = start_of(decomposition, self._seed)
        self._next[decomposition.site] = (place + 1) % len(decomposition.cycle)
        return place


def start_of(decomposition: Decomposition, seed: int | None) -> int:
    """Return where the cycle starts: at its first entry, or where *seed* says, which is never a NEWKEY.

    A talk that opened on a NEWKEY would answer its first keyword with a line for no keyword at all. In the middle of a
    cycle that is a change; at its start it would look deaf.
    """
    if seed is None:
        return 0
    places = [place for place, entry in enumerate(decomposition.cycle) if not isinstance(entry, NewKey)]
    return places[drawn(seed, decomposition.site) % len(places)] if places else 0


def drawn(seed: int, site: str) -> int:
    """Return 64 bits that depend on *seed* and *site* alone: BLAKE2b of `eliza`, seed and site with a NUL between."""
    message = b"\0".join((b"eliza", str(seed).encode(), site.encode()))
    return int.from_bytes(blake2b(message, digest_size=8).digest(), "big")
