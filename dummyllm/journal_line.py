"""The journal as it is read: one line of JSON for each entry, over HTTP and in a file alike.

A file begins with a `Heading`, goes on with `Line`s and `Amendment`s, and ends with a `Closing` if the server came to
its end in peace. The version of the schema is the heading's `journal`; members are only ever added to it.
"""

from __future__ import annotations

import msgspec

from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, Entry, What

SCHEMA = 1


class Heading(msgspec.Struct, frozen=True):
    """What a run was: the first line of a file. *pace* is how fast the jobs' clock goes; 0 is one that stands still."""

    journal: int = SCHEMA
    version: str = ""
    seed: str = ""
    identity: str = "payload"
    clock: str = "wall"
    pace: int = 1
    started_at_ms: int = 0
    replay: str = ""


class Amendment(msgspec.Struct, frozen=True):
    """What became known of the entry *amends* after it was written."""

    amends: int
    delivered: Delivered


class Closing(msgspec.Struct, frozen=True):
    """The last line of a file: the run is over, and these are its sums."""

    closed_at_ms: int
    fates: str
    traffic: str
    reproducible: str
    dropped: int = 0


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One entry; members that do not apply are left out.

    *at_ms* is the jobs' clock in epoch milliseconds, *arrived_ms* the wall's since the server started, when the request
    had arrived whole; *took_ms* later its answer had left. *state* is what was shown, *shown* a word that stood in its
    place. A submit has what was sent (*fingerprint*, *trace_id*, *timeout_ms*, *key*; *body* and *auth* tell equal ones
    from others), and of its job what was planned: *outcome*, *ends_after_ms* from the start, *faults*; one that *waits*
    has no slot yet, and a line `started` tells when it has.
    """

    seq: int
    at_ms: int
    what: What
    delivered: Delivered
    job: str | None = None
    identity: str | None = None
    hit: int | None = None
    ordinal: int | None = None
    status: int = 0
    state: State | None = None
    shown: str | None = None
    code: str | None = None
    ended_at_ms: int | None = None
    user_agent: str | None = None
    note: str | None = None
    n: int | None = None
    fault: str | None = None
    rule: str | None = None
    served: bool = True
    took_ms: int = 0
    arrived_ms: int = 0
    wait_s: int | None = None
    retry_after_s: int | None = None
    fingerprint: str | None = None
    trace_id: str | None = None
    timeout_ms: int | None = None
    key: str | None = None
    is_replay: bool = False
    waits: bool = False
    body: str | None = None
    auth: str | None = None
    retries: int = 0
    names_unknown: bool = False
    outcome: State | None = None
    ends_after_ms: int | None = None
    faults: tuple[str, ...] = ()


def line_of(entry: Entry, zero_s: float) -> Line:
    """Return *entry* as it is read; *zero_s* is the monotonic time at which the server started."""
    identity = entry.identity.hex() if entry.identity is not None else None
    user_agent = entry.user_agent.decode("latin-1") or None
    arrived_s = entry.whole_at_s - zero_s
    arrived_ms = int(arrived_s * 1000) if arrived_s > 0 else 0
    # Members go by their place: to find three dozen by name takes longer than all the rest.
    common = (
        entry.seq, entry.at_ms, entry.what, entry.delivered, entry.job, identity, entry.hit, entry.ordinal,
        entry.status, entry.state, entry.shown, entry.code, entry.ended_at_ms, user_agent, entry.note, entry.n,
        entry.fault, entry.rule, entry.served, entry.took_ms, arrived_ms, entry.wait_s, entry.retry_after_s,
    )  # fmt: skip
    sent = entry.sent
    if sent is None:
        return Line(*common)
    fingerprint = sent.fingerprint.hex() if sent.fingerprint is not None else None
    fate = sent.fate
    planned = (fate.outcome, fate.ends_at_ms, tuple([one.text for one in fate.faults])) if fate is not None else ()
    return Line(
        *common, fingerprint, sent.trace_id, sent.timeout_ms, sent.key, sent.is_replay, sent.waits,
        _mark(sent.body), _mark(sent.auth), sent.retries, sent.names_unknown, *planned,
    )  # fmt: skip


def _mark(checksum: int | None) -> str | None:
    return None if checksum is None else f"{checksum:08x}"
