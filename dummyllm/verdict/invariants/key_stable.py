"""key-stable: a retry after a lost acknowledgement carries the key of the first attempt."""

from __future__ import annotations

from itertools import pairwise

from dummyllm.journal_line import Line
from dummyllm.verdict.finding import Evidence, Finding, Invariant, Kind
from dummyllm.verdict.run import Run, Story, Work, by_whom, done_ms, is_lost

ID = "key-stable"


def judge(run: Run) -> Evidence:
    """Look at every acknowledgement that is known to be lost, and at the very next submit of the same work."""
    evidence = Evidence()
    for work in run.works:
        seen: set[str | None] = set()
        for first, again in pairwise(work.submits):
            is_of_another = again.key is not None and again.key != first.key and again.key in seen
            seen.add(first.key)
            story = work.story_of(first)
            if story is None or story.is_suspended(ID) or is_of_another or not _is_retry(story, first, again):
                continue
            evidence.premises += 1
            if first.key is None or again.key is None:
                evidence.warnings.append(_finding(work, first, again, _without_a_key(first, again)))
            elif first.key != again.key:
                finding = _finding(work, first, again, "with another Idempotency-Key")
                evidence.convict(finding, work)
    return evidence


def _is_retry(story: Story, first: Line, again: Line) -> bool:
    """Say whether *first* was acknowledged in vain, and *again* repeats it without knowledge of the job."""
    if first.status != 201 or not is_lost(first):
        return False
    if first.wait_s is not None and not first.took_ms:  # its client left during the wait, and nobody wrote down when
        return False
    if again.arrived_ms < done_ms(first) or again.fingerprint != first.fingerprint:
        return False
    signs = (story.ack, *story.reads[:1], *story.cancels[:1])
    return not any(line is not None and line.seq < again.seq for line in signs)


def _without_a_key(first: Line, again: Line) -> str:
    if first.key is not None:
        return "without an Idempotency-Key, though the first attempt had one"
    if again.key is not None:
        return "with an Idempotency-Key that the first attempt did not have"
    return "without an Idempotency-Key, as before"


def _finding(work: Work, first: Line, again: Line, what: str) -> Finding:
    message = f"the acknowledgement of {first.job} was lost, and {by_whom(again)} submitted the work again {what}"
    return Finding(message, (first.seq, again.seq), job=first.job, logical_job=work.name)


INVARIANT = Invariant(
    id=ID,
    kind=Kind.PROVEN,
    fails_when="The acknowledgement of a submit is known not to have arrived, and the next submit of that work "
    "repeats the payload with a different Idempotency-Key. If either of the two has no key it is a warning.",
    means="After a lost acknowledgement nobody knows whether there is a job. With the same key a retry gets the job "
    "that is there; with another it makes a second one.",
    breaks="A key that is made for each request and not for each piece of work; an SDK that sends no key at all, as "
    "the official ones do.",
    remedy="Make the key where the work comes in, store it with the work, and send it with every attempt.",
    premise="The acknowledgement of a submit was lost, and the same payload was submitted again.",
    judge=judge,
)
