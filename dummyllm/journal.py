"""Keeps what the server saw and did: an append-only ring of entries, in order.

*Delivered* is the one thing about an answer that a server can only estimate (see `Delivered`). It is filled in when the
answer has left, which is after the entry was written: a client that has an answer in hand always finds its entry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from itertools import count

import msgspec

from dummyllm.core.request import Identity, JobId
from dummyllm.core.timeline import State


class What(StrEnum):
    """What an entry tells of: a request of a client, or something the server did to its own books."""

    SUBMIT = "submit"
    POLL = "poll"
    CANCEL = "cancel"
    INSPECT = "inspect"
    OTHER = "other"
    STARTED = "started"
    ORDINAL_SKIPPED = "ordinal_skipped"
    ORDINAL_DROPPED = "ordinal_dropped"
    EVICTED = "evicted"
    RESET = "reset"


class Delivered(StrEnum):
    """Whether an answer arrived.

    `no`: the peer was gone before the last byte was written. `yes`: written whole, and either complete within 250 ms of
    the request's last byte or followed by another request on the same connection. `unknown`: everything else.
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Entry(msgspec.Struct, omit_defaults=True, gc=False):
    """One line of the journal. Times are epoch milliseconds; *took_ms* runs from the last byte in to the last out.

    *n* is the number of a status read or a cancel of its job, from 0, where the job counts them. *fault* befell the
    request, *rule* decided about it, and *served* is False if the server could not do what the fault asks for.
    """

    seq: int
    at_ms: int
    what: What
    job: JobId | None = None
    identity: Identity | None = None
    hit: int | None = None
    ordinal: int | None = None
    status: int = 0
    state: State | None = None
    code: str | None = None
    ended_at_ms: int | None = None
    user_agent: bytes = b""
    note: str | None = None
    n: int | None = None
    fault: str | None = None
    rule: str | None = None
    served: bool = True
    took_ms: int = 0
    delivered: Delivered = Delivered.UNKNOWN


class Journal:
    """The last *entries_max* entries; what fell out of the ring is counted."""

    def __init__(self, entries_max: int) -> None:
        self._ring: deque[Entry] = deque(maxlen=entries_max)
        self.append = self._ring.append
        self.next_seq = count().__next__
        """Returns the number of the entry about to be written; they count from 0."""

    def note(
        self, what: What, *, at_ms: int, job: JobId | None = None, identity: Identity | None = None, note: str
    ) -> None:
        """Write down something the server did on its own account."""
        self.append(Entry(self.next_seq(), at_ms, what, job=job, identity=identity, note=note))

    def since(self, seq: int = 0) -> Iterator[Entry]:
        """Yield the entries still held from number *seq* on, oldest first."""
        skip = max(0, seq - self.dropped)
        for index in range(skip, len(self._ring)):
            yield self._ring[index]

    def clear(self) -> None:
        """Forget every entry; numbering begins again at 0."""
        self._ring.clear()
        self.next_seq = count().__next__

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def dropped(self) -> int:
        """How many entries fell out of the ring."""
        return self._ring[0].seq if self._ring else 0
