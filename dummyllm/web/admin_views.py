"""What the operator's routes answer with, field by field."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from dummyllm.core.decision import Decision, FaultDecision, LatencyDecision
from dummyllm.journal import What
from dummyllm.journal_line import Line

ADVANCE_MS_MAX = 366 * 86_400_000

# As in a payload: to JSON Schema 250.0 is an integer.
AdvanceMs = (
    Annotated[int, Meta(ge=0, le=ADVANCE_MS_MAX)] | Annotated[float, Meta(ge=0, le=ADVANCE_MS_MAX, multiple_of=1)]
)


class SettingView(msgspec.Struct, frozen=True):
    """One setting; *source* is `environment`, `preset NAME` or `default`, and a secret is shown as stars."""

    name: str
    value: str
    source: str
    default: str
    allowed: str
    help: str


class ConfigView(msgspec.Struct, frozen=True):
    """Every setting, and what is probably not what was meant."""

    settings: list[SettingView]
    notes: list[str]


class JournalView(msgspec.Struct, frozen=True):
    """Entries from `since` on, the number to go on from, and how many fell out of the ring."""

    entries: list[Line]
    next: int
    dropped: int


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why one submit, read or cancel came out as it did: *draws* decided a job's mode, *faults* what befell it.

    Both are empty where nothing was left to chance. Members that do not apply are left out.
    """

    seq: int
    what: What
    identity: str
    draws: tuple[Decision, ...]
    faults: tuple[FaultDecision, ...]
    job: str | None = None
    hit: int | None = None
    ordinal: int | None = None
    n: int | None = None
    rule: str | None = None
    latency: LatencyDecision | None = None


class DecisionsView(msgspec.Struct, frozen=True):
    """Both digests, and the decisions about the requests that are still in the journal."""

    fates: str
    traffic: str
    decisions: list[Decided]
    next: int
    dropped: int


class Moved(msgspec.Struct, frozen=True):
    """What moving the clock answers: the epoch millisecond it shows now."""

    now_ms: int


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """How far a manual clock is to be moved: at most 366 days at a time."""

    advance_ms: AdvanceMs


class Reset(msgspec.Struct, frozen=True):
    """What a reset answers."""

    ok: bool
