"""Keeps what the server saw and did: an append-only ring of entries, in order.

*Delivered* is the one thing about an answer that a server can only estimate (see `Delivered`). It is filled in when the
answer has left, which is after the entry was written: a client that has an answer in hand always finds its entry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import count
from time import monotonic

import msgspec

from dummyllm.core.fate import Fate
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
    the request's last byte, with the client still there, or followed by another request on the same connection.
    `unknown`: everything else.
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Sent(msgspec.Struct, gc=False):
    """What a submit brought, as far as it tells equal ones from others, and what was planned for its job.

    *body* and *auth* are checksums (CRC-32) of the bytes of the body and of the key that came with it.
    """

    body: int | None = None
    auth: int | None = None
    retries: int = 0
    fingerprint: bytes | None = None
    trace_id: str | None = None
    timeout_ms: int | None = None
    key: str | None = None
    fate: Fate | None = None
    waits: bool = False
    is_replay: bool = False
    names_unknown: bool = False


class Entry(msgspec.Struct, omit_defaults=True, gc=False):
    """One line of the journal. Times are epoch milliseconds; *took_ms* runs from the last byte in to the last out.

    *n* is the number of a status read or a cancel of its job, from 0, where the job counts them. *fault* befell the
    request, *rule* decided about it, and *served* is False if the server could not do what the fault asks for.
    *whole_at_s* is the wall's monotonic time when the request had arrived; *shown* stood in the place of the state;
    *is_kept* says that the entry is in a file already.
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
    whole_at_s: float = 0.0
    sent: Sent | None = None
    served: bool = True
    shown: str | None = None
    wait_s: int | None = None
    retry_after_s: int | None = None
    took_ms: int = 0
    delivered: Delivered = Delivered.UNKNOWN
    is_kept: bool = False


FORGOTTEN = -1
"""The number of an entry that was forgotten: what becomes known of it later is of no run."""

Sink = Callable[[Entry], object]


class Journal:
    """The last *entries_max* entries; what fell out of the ring is counted."""

    def __init__(self, entries_max: int) -> None:
        self._ring: deque[Entry] = deque(maxlen=entries_max)
        self.append = self._ring.append
        self.zero_s = monotonic()
        self.sink: Sink | None = None
        """Told of each entry whose answer has left, and again if *delivered* becomes known later."""
        self.clearing: Callable[[], object] = lambda: None
        """Told when every entry is about to be forgotten."""
        self.next_seq = count().__next__
        """Returns the number of the entry about to be written; they count from 0."""

    def note(
        self, what: What, *, at_ms: int, job: JobId | None = None, identity: Identity | None = None, note: str
    ) -> None:
        """Write down something the server did on its own account."""
        entry = Entry(self.next_seq(), at_ms, what, job=job, identity=identity, note=note, whole_at_s=monotonic())
        self.append(entry)
        if self.sink is not None:
            self.sink(entry)

    def since(self, seq: int = 0) -> Iterator[Entry]:
        """Yield the entries still held from number *seq* on, oldest first."""
        skip = max(0, seq - self.dropped)
        for index in range(skip, len(self._ring)):
            yield self._ring[index]

    def clear(self) -> None:
        """Forget every entry; numbering begins again at 0."""
        self.clearing()
        for entry in self._ring:
            entry.seq = FORGOTTEN
        self._ring.clear()
        self.next_seq = count().__next__

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def dropped(self) -> int:
        """How many entries fell out of the ring."""
        return self._ring[0].seq if self._ring else 0
