"""What an invariant says of a run: how often it was put to the test, and every breach with the lines that prove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from dummyllm.verdict.run import Run, Work


class Kind(StrEnum):
    """How far one is to be trusted: a proven one fails a run, an advisory one warns, a declared one wants its setting.

    An advisory one fails a run only if the operator requires it.
    """

    PROVEN = "proven"
    ADVISORY = "advisory"
    DECLARED = "declared"


class Result(StrEnum):
    """What came of an invariant. `not-exercised` is no pass: nothing put the runner to the test."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    PENDING = "pending"
    NOT_EXERCISED = "not-exercised"


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One breach in one sentence, with the smallest set of journal entries that proves it."""

    message: str
    entries: tuple[int, ...]
    job: str | None = None
    logical_job: str | None = None


@dataclass(slots=True)
class Evidence:
    """What an invariant found: *premises* counts how often it was put to the test."""

    premises: int = 0
    breaches: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    pending: list[Finding] = field(default_factory=list)

    def convict(self, finding: Finding, work: Work) -> None:
        """Add a breach by *work*; one that is weak is only warned of."""
        (self.warnings if work.is_weak else self.breaches).append(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A rule that a runner must keep. Its texts are sentences for docs/verdict.md."""

    id: str
    kind: Kind
    fails_when: str  # the exact condition
    means: str  # what a good runner does, and why it matters
    breaks: str  # how runners come to break it
    remedy: str  # what to do about it
    premise: str  # what puts a runner to the test
    judge: Callable[[Run], Evidence]
