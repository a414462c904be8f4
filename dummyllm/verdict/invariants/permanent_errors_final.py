"""permanent-errors-final: what was refused for good is not sent again as it is."""

from __future__ import annotations

from dataclasses import dataclass

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import KEY_REUSED, Run, Work, by_whom, done_ms, is_delivered

ID = "permanent-errors-final"

PERMANENT = frozenset({400, 401, 403, 413, 415, 422})


@dataclass(slots=True)
class _Again:
    """A refusal for good, the first submit of the same bytes after it, and how many there were."""

    refusal: Line
    first: Line | None = None
    times: int = 0


def judge(run: Run) -> Evidence:
    """Look at every submit that was refused for good, and at those of the same bytes that came after it."""
    evidence = Evidence()
    for work in run.works:
        if work.is_suspended(ID) or not any(line.status in PERMANENT for line in work.submits):
            continue
        for again in _repeated(work):
            evidence.premises += 1
            if again.first is not None:
                evidence.convict(_finding(work, again.refusal, again.first, again.times), work)
    return evidence


def _repeated(work: Work) -> list[_Again]:
    """Return the first refusal of each body with each credentials, and what came of it."""
    refused: dict[tuple[str, str | None], _Again] = {}
    for line in sorted(work.submits, key=lambda line: (line.arrived_ms, line.seq)):
        if line.body is None:
            continue
        what = (line.body, line.auth)
        again = refused.get(what)
        if again is None:
            if line.status in PERMANENT and is_delivered(line):
                refused[what] = _Again(line)
        elif line.arrived_ms >= done_ms(again.refusal) and not _is_rekeyed(again.refusal, line):
            again.first = again.first or line
            again.times += 1
    return list(refused.values())


def _is_rekeyed(refusal: Line, line: Line) -> bool:
    """Say whether *line* has another key, where that was what was wrong."""
    return refusal.code == KEY_REUSED and line.key != refusal.key


def _finding(work: Work, refusal: Line, first: Line, times: int) -> Finding:
    passed_ms = first.arrived_ms - done_ms(refusal)
    message = (
        f"{refusal.status} {refusal.code or ''}".rstrip()
        + f" is for good; {passed_ms} ms after it {by_whom(first)} sent the same bytes with the same credentials again"
        + (f", {times} times in all" if times > 1 else "")
    )
    return Finding(message, (refusal.seq, first.seq), job=first.job, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="After a delivered 400, 401, 403, 413, 415 or 422 to a submit, the same bytes with the same credentials "
    "are submitted again for the same work; where the key was what was wrong, with the same key.",
    means="The same bytes will be refused again. A runner reports the error, repairs the payload, or renews its key.",
    breaks="A retry on every status that is not 2xx; an error whose status is lost on the way to the retry rule; a "
    "queue that hands a poisoned message out again and again.",
    remedy="Try again only what can pass by itself: 408, 425, 429 and most 5xx, and broken connections.",
    premise="A submit was refused with one of these, and the answer was delivered.",
    judge=judge,
)
