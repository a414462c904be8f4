"""Chance as a function: numbers that depend on nothing but seed, identity, counter and site.

A draw is keyed BLAKE2b (RFC 7693) with an 8-byte digest: the key is the seed in decimal, the person is `dummyllm-1`,
the message is identity, counter and site, each with its length in front. There is no generator and no order of calls,
so two clients racing get the same fates as one client waiting. The site comes last: one keyed state serves all draws
of a job, copied for each, at a third of the cost of a fresh one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from dummyllm.core.fingerprint import DIGEST_BYTES, PERSON, packed
from dummyllm.core.request import Identity, JobId

SEED_DIGITS_MAX = 60
COUNTER_BYTES = 8
DRAW_BYTES = 8
ID_BYTES = 12
LANES = 8
LANES_BYTES = 64

_EIGHT = Struct(">8Q").unpack


class Luck:
    """The draws of one job, or of one submit: those of *identity* when it comes for the *counter*-th time."""

    __slots__ = ("_message", "_sources")

    def __init__(self, seed: int, identity: Identity, counter: int) -> None:
        self._sources = _sources_of(seed)
        self._message = identity + (_counted(counter) if counter else _FIRST)

    def number(self, site: bytes) -> int:
        """Return a whole number of 64 bits for the decision at the packed *site* (see `site_of`)."""
        state = self._sources.number()
        state.update(self._message + site)
        return int.from_bytes(state.digest(), "big")

    def digests(self) -> Callable[[bytes], bytes]:
        """Return a function that gives the digest at each packed site: the number of that site, as eight bytes.

        Many decisions about one thing begin with the same bytes, and it has worked through those already.
        """
        begun = self._sources.number()
        begun.update(self._message)
        copy = begun.copy

        def digest_at(site: bytes) -> bytes:
            state = copy()
            state.update(site)
            return state.digest()

        return digest_at

    def at(self, site: bytes) -> float:
        """Return a number inside (0, 1), never 0 and never 1, for the decision at the packed *site*."""
        return unit(self.number(site))

    def lanes(self, site: bytes) -> tuple[int, ...]:
        """Return eight whole numbers of 64 bits, for a decision at the packed *site* that needs several at once."""
        state = self._sources.lanes()
        state.update(self._message + site)
        return _EIGHT(state.digest())

    def job_id(self) -> JobId:
        """Return the id of the job that this is the luck of: the same run has the same ids."""
        state = self._sources.id()
        state.update(self._message)
        return "job_" + state.hexdigest()  # type: ignore[return-value]  # to say that it is a JobId costs a call


def unit(number: int) -> float:
    """Return the 64-bit *number* as one inside (0, 1), never 0 and never 1."""
    return ((number >> 12) + 0.5) / 2**52


@lru_cache(maxsize=4096)
def site_of(name: str) -> bytes:
    """Return the bytes that stand for the site *name* at the end of a draw's message."""
    return packed(name.encode())


_IDENTITY_LENGTH = DIGEST_BYTES.to_bytes(4, "big")


def _counted(counter: int) -> bytes:
    return packed(counter.to_bytes(COUNTER_BYTES, "big"))


_FIRST = _counted(0)


class _Sources(NamedTuple):
    """What begins a draw of each length: each returns a new copy of a state with the key of one seed in it."""

    number: Callable[[], blake2b]
    lanes: Callable[[], blake2b]
    id: Callable[[], blake2b]


@lru_cache(maxsize=64)
def _sources_of(seed: int) -> _Sources:
    return _Sources(*(_keyed(seed, digest_bytes).copy for digest_bytes in (DRAW_BYTES, LANES_BYTES, ID_BYTES)))


def _keyed(seed: int, digest_bytes: int) -> blake2b:
    # The length of the identity is the same for all. With it the state is past the block that holds the key, and the
    # copies need not work through that block again.
    return blake2b(_IDENTITY_LENGTH, key=str(seed).encode(), person=PERSON, digest_size=digest_bytes)
