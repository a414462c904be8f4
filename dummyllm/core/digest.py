"""Knows how to say in one number that two runs decided alike.

The digest is a sum modulo 2^64, so the order in which jobs came does not matter. Each job adds its id times a number
that stands for its fate: change a fate, an ordinal or the seed, and the sum changes. (The id is a digest of seed,
identity and ordinal already, so nothing needs to be hashed again for every job.)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from dummyllm.core.fate import Fate
from dummyllm.core.fingerprint import PERSON, packed
from dummyllm.core.job import Job
from dummyllm.core.request import Identity

MODULUS = 2**64


def term_of(job: Job) -> int:
    """Return what *job* adds to the fates digest: a whole number, to be taken modulo 2^64 in the end."""
    return int(job.id[4:], 16) * factor_of(job.fate)


@lru_cache(maxsize=4096)
def factor_of(fate: Fate) -> int:
    """Return the odd number of 64 bits that stands for *fate*: its spelling, digested."""
    digest = blake2b(spelled(fate).encode(), digest_size=8, person=PERSON).digest()
    return int.from_bytes(digest, "big") | 1


def spelled(fate: Fate) -> str:
    """Return *fate* as one line of text: `ok 0:queued 0:running 250:ok -`, and ` +` before each fault of the job.

    A fault of unit poll, which a step of a script may name, is not a part of it: it befalls a read, if one comes.
    """
    moments = " ".join(f"{moment.at_ms}:{moment.state.value}" for moment in fate.timeline)
    faults = "".join(f" +{fault.text}" for fault in fate.faults if fault.kind.unit.value == "job")
    return f"{fate.mode.value} {moments} {fate.failure.code if fate.failure else '-'}{faults}"


class Traffic:
    """The order-independent sum of all faults that befell submits, status reads and cancels."""

    __slots__ = ("_total",)

    def __init__(self) -> None:
        self._total = 0

    def add(self, what: str, identity: Identity, counters: Iterable[int], fault: str) -> None:
        """Add a *fault* that befell a `submit` at its hit, or a `poll` or `cancel` at its ordinal and number."""
        place = b"".join(packed(counter.to_bytes(8, "big")) for counter in counters)
        message = packed(what.encode()) + packed(identity) + place + packed(fault.encode())
        self._total += int.from_bytes(blake2b(message, digest_size=8, person=PERSON).digest(), "big")

    @property
    def digest(self) -> str:
        """The sum as people compare it: 16 hex digits."""
        return hexadecimal(self._total)


def hexadecimal(total: int) -> str:
    """Return the digest *total* as people compare it: 16 hex digits."""
    return f"{total % MODULUS:016x}"
