"""Decides which faults befall something: draws each at its own site, and serves the first of those that exclude others.

A share of m millionths fires when n · 1,000,000 < m · 2^64, in integers, where n is the number drawn at the fault's
site. Every site has a draw of its own, so switching one fault on changes no other decision, and raising its share only
adds to what it befell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dummyllm.core.draw import DRAW_BYTES, Luck, site_of
from dummyllm.core.faults.fault import Fault
from dummyllm.core.faults.kind import Unit
from dummyllm.core.faults.registry import RANKS
from dummyllm.core.grammar import WHOLE
from dummyllm.core.request import Identity


@dataclass(frozen=True, slots=True)
class Odds:
    """A fault with the share of its unit that it befalls, ready to be drawn: it fires where a digest is *below* it."""

    fault: Fault
    millionths: int
    site: bytes
    below: bytes

    @classmethod
    def of(cls, fault: Fault, millionths: int) -> Odds:
        """Return the odds of a *fault* that befalls so many *millionths* of its unit."""
        # Bytes of one length are ordered as the numbers that they are; what is longer than a digest is after them all.
        least_that_does_not = -(-(millionths << 64) // WHOLE)
        always = b"\xff" * (DRAW_BYTES + 1)
        below = always if millionths == WHOLE else least_that_does_not.to_bytes(DRAW_BYTES, "big")
        return cls(fault, millionths, site_of(fault.site), below)

    def fires(self, number: int) -> bool:
        """Say whether the fault fires where *number* is drawn: the rule, in integers, that *below* is made from."""
        return number * WHOLE < self.millionths << 64


def odds_of(faults: Iterable[tuple[Fault, int]], unit: Unit) -> tuple[Odds, ...]:
    """Return those of *faults* that go by *unit* and can befall at all, in the order in which they are served."""
    mine = [Odds.of(fault, millionths) for fault, millionths in faults if fault.kind.unit is unit and millionths > 0]
    return tuple(sorted(mine, key=lambda odds: _rank(odds.fault)))


def fired(odds: tuple[Odds, ...], luck: Luck) -> tuple[Fault, ...]:
    """Return the faults that fire with this *luck*, those that exclude each other among them."""
    digest_at = luck.digests()
    return tuple([one.fault for one in odds if digest_at(one.site) < one.below])


def first_fired(odds: tuple[Odds, ...], luck: Luck) -> Fault | None:
    """Return the fault that is served of those that fire with this *luck*, where all of them exclude each other."""
    digest_at = luck.digests()
    for one in odds:
        if digest_at(one.site) < one.below:
            return one.fault
    return None


def fired_at_read(odds: tuple[Odds, ...], luck: Luck, n: int) -> tuple[Fault, ...]:
    """Return the faults that fire at the *n*-th status read, counted from 0, of the job whose *luck* this is."""
    return tuple([one.fault for one in odds if one.fires(luck.number(read_site(one, n)))])


def read_site(odds: Odds, n: int) -> bytes:
    """Return where the *n*-th read of a job is drawn: the fault's site, a number sign, and n."""
    text = f"{odds.fault.site}#{n}".encode()
    return len(text).to_bytes(4, "big") + text


def served(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return what is left of *faults* when of those that exclude each other only the first is, in the registry's order.

    So one order of faults makes one fate, whether a script named them, chance did, or a recording.
    """
    taken: set[str] = set()
    left = []
    for fault in faults:
        word = fault.kind.excludes
        if word not in taken or not word:
            left.append(fault)
            taken.add(word)
    return tuple(sorted(left, key=_rank))


def _rank(fault: Fault) -> int:
    return RANKS[fault.kind.name]


def swarm(faults: Iterable[tuple[Fault, int]], seed: int) -> tuple[tuple[Fault, int], ...]:
    """Return a half of *faults*, chosen by *seed*: runs of many seeds differ in kind and not only in detail.

    The idea is swarm testing (Groce and others, ISSTA 2012): a test that leaves features out reaches what one with all
    of them never does. Each fault is in or out by a draw of its own, so adding one moves no other.
    """
    luck = Luck(seed, Identity(bytes(16)), 0)
    return tuple((fault, share) for fault, share in faults if luck.number(site_of(f"swarm:{fault.site}")) < 2**63)
