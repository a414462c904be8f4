"""The journal as it is read: one line of JSON for each entry, over HTTP and in a file alike.

A file begins with a `Heading`, goes on with `Line`s and `Amendment`s, and ends with a `Closing` if the server came to
its end in peace. The version of the schema is the heading's `journal`; members are only ever added to it.
"""

from __future__ import annotations

import msgspec

from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, Entry, Sent, What

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
    wait_s: int | None = None
    retry_after_s: int | None = None
    outcome: State | None = None
    ends_after_ms: int | None = None
    faults: tuple[str, ...] = ()


def line_of(entry: Entry, zero_s: float) -> Line:
    """Return *entry* as it is read; *zero_s* is the monotonic time at which the server started."""
    sent = entry.sent or _NOTHING
    fate = sent.fate
    return Line(
        seq=entry.seq,
        at_ms=entry.at_ms,
        what=entry.what,
        delivered=entry.delivered,
        job=entry.job,
        identity=_hex(entry.identity),
        hit=entry.hit,
        ordinal=entry.ordinal,
        status=entry.status,
        state=entry.state,
        shown=entry.shown,
        code=entry.code,
        ended_at_ms=entry.ended_at_ms,
        user_agent=entry.user_agent.decode("latin-1") or None,
        note=entry.note,
        n=entry.n,
        fault=entry.fault,
        rule=entry.rule,
        served=entry.served,
        took_ms=entry.took_ms,
        arrived_ms=max(0, int((entry.whole_at_s - zero_s) * 1000)),
        fingerprint=_hex(sent.fingerprint),
        trace_id=sent.trace_id,
        timeout_ms=sent.timeout_ms,
        key=sent.key,
        is_replay=sent.is_replay,
        waits=sent.waits,
        body=_mark(sent.body) if entry.sent is not None else None,
        auth=_mark(sent.auth) if sent.auth is not None else None,
        retries=sent.retries,
        names_unknown=sent.names_unknown,
        wait_s=entry.wait_s,
        retry_after_s=entry.retry_after_s,
        outcome=fate.outcome if fate is not None else None,
        ends_after_ms=fate.ends_at_ms if fate is not None else None,
        faults=tuple(fault.text for fault in fate.faults) if fate is not None else (),
    )


_NOTHING = Sent(body=(0, 0))


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _mark(checksum: tuple[int, int]) -> str:
    return f"{checksum[0]:08x}-{checksum[1]}"
