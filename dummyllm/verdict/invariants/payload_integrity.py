"""payload-integrity: what was to be sent is what is sent, in every attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from math import inf

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import REPAIRABLE, Expected, Run, by_whom, is_delivered, is_lost
from dummyllm.verdict.same import Same

ID = "payload-integrity"

JUDGED = (400, 422)  # here the payload itself was looked at, and was wrong


def judge(run: Run) -> Evidence:
    """Compare attempts that share a key with one another, and what was accepted with what was expected."""
    evidence = Evidence()
    suspended = {line.seq for work in run.works if work.is_suspended(ID) for line in work.submits}
    for share, lines in _groups(run):
        if len(lines) > 1 and not any(line.seq in suspended for line in lines):
            evidence.breaches += _differing(share, lines, evidence)
    for line in run.submits:
        if line.names_unknown and line.status == 422 and is_delivered(line):
            evidence.premises += 1
            evidence.breaches.append(Finding("the payload had a member that nobody knows, and got a 422", (line.seq,)))
    if run.expected is not None:
        _compare(run, run.expected, suspended, evidence)
    return evidence


def _groups(run: Run) -> Iterator[tuple[str, Sequence[Line]]]:
    """Yield the submits that must be alike, and what they share."""
    shared: defaultdict[tuple[str, Hashable], list[Line]] = defaultdict(list)
    for line in run.submits:
        if line.key is not None:
            shared["Idempotency-Key", line.key].append(line)
        if line.trace_id is not None and run.same is Same.TRACE_ID:
            shared["trace_id", line.trace_id].append(line)
    for (name, _), lines in shared.items():
        yield name, lines


def _differing(share: str, lines: Iterable[Line], evidence: Evidence) -> Iterator[Finding]:
    """Yield each attempt that differs from the one before. After a 413 or 422 it may: that is a repair."""
    before: Line | None = None
    for line in sorted(lines, key=lambda line: (line.arrived_ms, line.seq)):
        if line.fingerprint is not None:
            if before is not None:
                evidence.premises += 1
                if line.fingerprint != before.fingerprint:
                    message = f"{by_whom(line)} sent another payload with the same {share} as before"
                    yield Finding(message, (before.seq, line.seq), job=line.job)
            before = line
        if line.status in REPAIRABLE and not is_lost(line):
            before = None


def _compare(run: Run, expected: Sequence[Expected], suspended: set[int], evidence: Evidence) -> None:
    """Look for what nobody expected, and for what was expected and never came."""
    wanted = {one.fingerprint: one for one in reversed(expected)}
    repairs_ms = min((line.arrived_ms for line in run.submits if _may_be_repaired(line, suspended)), default=inf)
    for story in run.acked:
        commit = story.commit
        if commit.fingerprint is None or story.is_suspended(ID) or commit.seq in suspended:
            continue
        evidence.premises += 1
        if commit.fingerprint not in wanted:
            message = f"{story.id} was accepted with a payload that nobody asked the runner to send"
            finding = Finding(message, (commit.seq,), job=story.id, logical_job=run.work_of_story[story.id].name)
            (evidence.warnings if commit.arrived_ms > repairs_ms else evidence.breaches).append(finding)
    came = {line.fingerprint for line in run.submits}
    missing = [one for one in wanted.values() if one.fingerprint not in came]
    evidence.premises += len(missing)
    _report_missing(run, missing, evidence, is_proven=not run.dropped and not any(map(_may_hide_one, run.submits)))


def _may_be_repaired(line: Line, suspended: set[int]) -> bool:
    return (line.status in REPAIRABLE and not is_lost(line)) or (line.job is None and line.seq in suspended)


def _may_hide_one(line: Line) -> bool:
    """Say whether *line* was refused before anybody looked at its payload."""
    return line.job is None and line.fingerprint is None and line.status not in JUDGED


def _report_missing(run: Run, missing: Iterable[Expected], evidence: Evidence, *, is_proven: bool) -> None:
    for one in missing:
        finding = Finding(f"the payload in line {one.line} of those to be sent ({one.op}) never came", ())
        if not run.is_final:
            evidence.pending.append(finding)
        else:
            (evidence.breaches if is_proven else evidence.warnings).append(finding)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="Two attempts with one Idempotency-Key, or with one trace_id where that says what is one job, differ "
    "canonically, other than after a 413 or 422; or an accepted payload is none of DUMMYLLM_VERDICT_EXPECT, or one of "
    "these never came; or a delivered 422 named a member that nobody knows.",
    means="A payload passes through a runner untouched. White space and the order of members may change; nothing else.",
    breaks="Defaults that are filled in on the second attempt; a timestamp in the prompt; a lossy column in the "
    "database; flags of the runner's own in the payload.",
    remedy="Store the payload once, as bytes, and send these bytes in every attempt.",
    premise="Two attempts shared a key, or there are payloads to compare with, or a 422 named an unknown member.",
    judge=judge,
)
