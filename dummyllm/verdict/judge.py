"""Gives the verdict: what every invariant says of a run, and what comes of it all together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind, Result
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.verdict.oracle import Foretold, oracle_of
from dummyllm.verdict.run import Run


class Digests(msgspec.Struct, frozen=True):
    """The sums by which two runs are compared; None if the journal has none."""

    fates: str | None
    traffic: str | None


class Found(msgspec.Struct, frozen=True, gc=False):
    """One finding. *result* is `fail`, `warn` or `pending`; *entries* are the journal's lines that prove it."""

    result: Result
    message: str
    entries: tuple[int, ...]
    job: str | None = None
    logical_job: str | None = None


class Judged(msgspec.Struct, frozen=True):
    """What came of one invariant; *premises* counts how often the runner was put to the test."""

    id: str
    kind: Kind
    result: Result
    premises: int
    findings: tuple[Found, ...]


class Ambiguity(msgspec.Struct, frozen=True, gc=False):
    """Jobs with equal payloads that may as well be several pieces of work: as one they convict nobody."""

    logical_job: str
    jobs: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    """All results together. *reasons* say why it is `fail`; *notes* what the reader should know of the journal."""

    verdict: Result
    reasons: tuple[str, ...]
    is_final: bool
    reproducible: str | None
    seed: str
    digests: Digests
    identity: str
    invariants: tuple[Judged, ...]
    oracle: tuple[Foretold, ...]
    ambiguous: tuple[Ambiguity, ...]
    notes: tuple[str, ...]


class UnknownRule(ValueError):
    """Something was required that is no invariant."""


def judge(
    run: Run,
    required: Collection[str] = (),
    *,
    notes: Sequence[str] = (),
    is_all_there_is: bool | None = None,
    invariants: Mapping[str, Invariant] = INVARIANTS,
) -> Verdict:
    """Return the verdict of *run*.

    An invariant that is *required* fails a run if nothing exercised it, and an advisory one also where it would warn.
    *is_all_there_is* says that no more will come of a run that was never declared over: a killed server's file.
    *notes* are added to the verdict's own. Raise `UnknownRule` if one of *required* is none of *invariants*.
    """
    for rule in required:
        _check(rule, invariants)
    weak = frozenset(work.name for work in run.works if work.is_weak)
    judged = tuple(_judged(one, one.judge(run), weak, is_required=one.id in required) for one in invariants.values())
    is_all = run.is_final if is_all_there_is is None else is_all_there_is
    reasons = tuple(_reasons(judged, required if is_all else ()))
    closing = run.closing
    return Verdict(
        verdict=Result.FAIL if reasons else Result.PASS,
        reasons=reasons,
        is_final=run.is_final,
        reproducible=None if closing is None else closing.reproducible,
        seed=run.heading.seed,
        digests=Digests(None, None) if closing is None else Digests(closing.fates, closing.traffic),
        identity=run.same,
        invariants=judged,
        oracle=tuple(oracle_of(run)),
        ambiguous=tuple(
            Ambiguity(work.name, tuple(story.id for story in work.stories)) for work in run.works if work.ambiguous
        ),
        notes=(*_notes(run, is_all=is_all), *notes),
    )


def _check(rule: str, known: Mapping[str, Invariant]) -> None:
    if rule not in known:
        near = get_close_matches(rule, known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UnknownRule(f"{rule!r} is no rule of the verdict{hint}; use some of {', '.join(known)}")


def _judged(invariant: Invariant, evidence: Evidence, weak: frozenset[str], *, is_required: bool) -> Judged:
    """Return what came of *invariant*. An advisory one fails only if it is required, and then not for weak works."""
    is_advisory = invariant.kind is Kind.ADVISORY
    breach = Result.WARN if is_advisory and not is_required else Result.FAIL
    spared = weak if is_advisory and is_required else None
    found = [_found(breach, finding) for finding in evidence.breaches]
    found += [
        _found(Result.WARN if spared is None or finding.logical_job in spared else Result.FAIL, finding)
        for finding in evidence.warnings
    ]
    found += [_found(Result.PENDING, finding) for finding in evidence.pending]
    results = {one.result for one in found}
    calm = Result.PASS if evidence.premises else Result.NOT_EXERCISED
    result = next((one for one in (Result.FAIL, Result.WARN, Result.PENDING) if one in results), calm)
    return Judged(invariant.id, invariant.kind, result, evidence.premises, tuple(found))


def _found(result: Result, finding: Finding) -> Found:
    return Found(result, finding.message, finding.entries, finding.job, finding.logical_job)


def _reasons(judged: Sequence[Judged], required: Collection[str]) -> Iterator[str]:
    """Yield why the run fails: what was broken, and what was *required* and not exercised."""
    for one in judged:
        if one.result is Result.FAIL:
            count = sum(found.result is Result.FAIL for found in one.findings)
            yield f"{one.id} failed, {count} finding{'s' if count > 1 else ''}"
        elif one.result is Result.NOT_EXERCISED and one.id in required:
            yield f"{one.id} was required, and nothing put the runner to the test"


def _notes(run: Run, *, is_all: bool) -> Iterator[str]:
    if run.dropped:
        yield f"{run.dropped} entries are missing: they fell out of the journal (DUMMYLLM_JOURNAL_MAX)"
    begun_before = {line.job for line in run.lines if line.job is not None and line.job not in run.stories}
    if begun_before:
        yield f"{len(begun_before)} jobs were left out: the journal does not have their beginning"
    if is_all and run.closing is None:
        end = f"ends with entry {run.lines[-1].seq}" if run.lines else "has no entries"
        yield f"the journal {end} and has no closing line: the server did not come to its end in peace"
    if not run.is_timed:
        yield "the clock was moved by hand: how long a runner waits was not judged"
